"""Reports of members, by button or from the menu of a message; enough of them hide a picture at once."""

from __future__ import annotations

import logging
from collections.abc import Callable

from bot.desk import Desk
from bot.order import Commission
from bot.review.guild_rules import GuildRules
from bot.review.runner import Runner
from bot.sections import Moderation
from bot.store.reports import Report

log = logging.getLogger(__name__)

THANKS = "Thank you. The report is kept for the moderators."
HIDDEN = "Thank you. The picture is hidden now until a moderator has looked at it."
REPEATED = "You have reported this picture already; the report is kept for the moderators."


class Reporting:
    """Takes reports at the desk of moderators."""

    def __init__(self, desk: Desk, rules: GuildRules, runner: Runner, settings: Callable[[], Moderation]) -> None:
        self._desk = desk
        self._rules = rules
        self._runner = runner
        self._settings = settings

    async def report(
        self, commission: Commission, *, reporter_id: int, channel_id: int, message_id: int, reason: str
    ) -> str:
        """Keep a report and return what its reporter is told; raises NotAllowed when they report too much."""
        rules = self._rules.rules_for(commission.address.guild_id)
        report = Report(
            job_id=commission.id,
            guild_id=commission.address.guild_id,
            channel_id=channel_id,
            message_id=message_id,
            reporter_id=reporter_id,
            reason=reason.strip(),
        )
        most = self._settings().reports_per_hour
        case = await self._desk.reports.add(report, threshold=rules.report_threshold, per_hour=most)
        if case is None:
            return REPEATED
        log.info("job %s: reported by %d", commission.id, reporter_id)
        self._runner.wake(case.id)
        return HIDDEN if case.hidden else THANKS
