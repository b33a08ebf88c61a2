"""How a case is decided, from wherever a moderator does it: committed first, then carried out by errands."""

from __future__ import annotations

from bot.desk import Desk
from bot.review.case import Case
from bot.review.guild_rules import GuildRules
from bot.review.runner import Runner
from bot.store.cases import Decision


class Deciding:
    """The one way in which a ruling comes about."""

    def __init__(self, desk: Desk, rules: GuildRules, runner: Runner) -> None:
        self._desk = desk
        self._rules = rules
        self._runner = runner

    async def rule(self, case: Case, decision: Decision) -> tuple[Case, bool]:
        """Decide; returns the case as it stands, and whether this decided it. Raises as CaseStore.rule does."""
        case, decided = await self._desk.cases.rule(case.id, decision, self._rules.rules_for(case.guild_id))
        if decided:
            self._runner.wake(case.id)
        return case, decided
