"""The review settings of every guild, as its moderators chose them over the defaults of config.yaml."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from bot.moderation.changes import REVIEW
from bot.order import Commission
from bot.policybook import PolicyBook
from bot.review.case import Case
from bot.review.rules import ReviewRules
from bot.sections import Moderation


class GuildRules:
    """The settings of every guild: what its moderators chose, over the defaults of config.yaml."""

    def __init__(self, policies: PolicyBook, settings: Callable[[], Moderation]) -> None:
        self._policies = policies
        self._settings = settings

    @property
    def _defaults(self) -> ReviewRules:
        settings = self._settings()
        return ReviewRules(
            report_threshold=settings.report_threshold,
            strike_days=settings.strike_days,
            pause_at=settings.pause_at,
            pause_hours=settings.pause_hours,
            ban_at=settings.ban_at,
        )

    @property
    def owner_channel(self) -> int | None:
        """Where cases from outside of servers are shown."""
        return self._settings().owner_channel or None

    def rules_for(self, guild_id: int | None) -> ReviewRules:
        """What holds in a guild; outside of guilds the owner's channel takes the place of the moderators'."""
        if guild_id is None:
            return replace(self._defaults, channel=self.owner_channel)
        return replace(self._defaults, **self._chosen(guild_id))

    def of_case(self, case: Case, commission: Commission) -> ReviewRules:
        """What holds for a case; where the bot is a guest its owner's channel stands in for the moderators' one."""
        rules = self.rules_for(case.guild_id)
        if rules.channel is None and not commission.address.channel_reachable:
            return replace(rules, channel=self.owner_channel)
        return rules

    async def change(self, guild_id: int, by: int, **changes: Any) -> ReviewRules:
        """Remember what moderators chose; `by` is the one who did."""
        chosen = {**self._chosen(guild_id), **changes}
        await self._policies.change(guild_id, {REVIEW: chosen}, by)
        return replace(self._defaults, **chosen)

    def _chosen(self, guild_id: int) -> dict[str, Any]:
        known = {field.name for field in fields(ReviewRules)}
        return {
            name: value for name, value in self._policies.settings(guild_id).get(REVIEW, {}).items() if name in known
        }
