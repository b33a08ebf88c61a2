"""What members reported: one person counts once, and enough of them take a picture away until it was looked at."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import distinct, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.review.case import Case, Task
from bot.store.audit import THE_BOT, Act, Entry, record
from bot.store.cases import CaseStore
from bot.store.database import Database
from bot.store.errands import give_errands
from bot.store.pseudonyms import Pseudonyms
from bot.store.schema import cases, reports
from generation.errors import NotAllowed

HOUR = 3_600.0  # seconds
REASON_LENGTH = 1000  # characters
TOO_MANY = "You have reported a lot within the last hour; please wait a little, or tell a moderator directly."


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One member's report of one message."""

    job_id: str
    guild_id: int | None
    channel_id: int
    message_id: int
    reporter_id: int
    reason: str = ""


class Reports:
    """The reports table."""

    def __init__(
        self,
        database: Database,
        case_store: CaseStore,
        pseudonyms: Pseudonyms,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._cases = case_store
        self._pseudonyms = pseudonyms
        self._clock = clock

    async def add(self, report: Report, *, threshold: int, per_hour: int) -> Case | None:
        """Keep a report, and hide the picture once `threshold` (0: never) members reported it; returns the case.

        None when this person has reported it already. Raises NotAllowed beyond `per_hour` reports.
        """
        now = self._clock()
        names = await asyncio.to_thread(self._pseudonyms.names_of, report.reporter_id)
        async with self._database.write() as connection:
            if await self._repeated(connection, report, names):
                return None
            await self._check_rate(connection, names, now, per_hour)
            case = await self._cases.case_of_reports(connection, report.job_id)
            values = {
                "job_id": report.job_id,
                "guild_id": report.guild_id,
                "channel_id": report.channel_id,
                "message_id": report.message_id,
                "reporter_id": report.reporter_id,
                "reason": report.reason[:REASON_LENGTH],
                "reported_at": now,
                "case_id": case.id,
            }
            await connection.execute(insert(reports).values(values))
            # Who it was, and their words, are in the reports alone: the log is also about the picture's author.
            await record(connection, _entry(case, THE_BOT, Act.REPORTED, ""), now)
            return await self._counted(connection, case, threshold, now)

    async def reasons(self, case_id: int) -> list[str]:
        """What the reporters of a case wrote, oldest first; not who they are."""
        query = select(reports.c.reason).where(reports.c.case_id == case_id, reports.c.reason != "")
        async with self._database.read() as connection:
            return [row.reason for row in await connection.execute(query.order_by(reports.c.id))]

    async def _repeated(self, connection: AsyncConnection, report: Report, names: tuple[int, int]) -> bool:
        """The same message, or another message of what is waiting to be looked at already."""
        still_open = select(cases.c.id).where(cases.c.job_id == report.job_id, cases.c.ruling.is_(None))
        same = or_(reports.c.message_id == report.message_id, reports.c.case_id.in_(still_open))
        query = select(reports.c.id).where(reports.c.reporter_id.in_(names), same)
        return (await connection.execute(query.limit(1))).first() is not None

    async def _check_rate(self, connection: AsyncConnection, names: tuple[int, int], now: float, per_hour: int) -> None:
        recent = select(func.count()).select_from(reports)
        recent = recent.where(reports.c.reporter_id.in_(names), reports.c.reported_at > now - HOUR)
        if (await connection.execute(recent)).scalar_one() >= per_hour:
            raise NotAllowed(TOO_MANY)

    async def _counted(self, connection: AsyncConnection, case: Case, threshold: int, now: float) -> Case:
        query = select(func.count(distinct(reports.c.reporter_id))).where(reports.c.case_id == case.id)
        count = int((await connection.execute(query)).scalar_one())
        hides = bool(threshold) and count >= threshold and not case.hidden
        values = {"reports": count, "hidden": case.hidden or hides}
        await connection.execute(update(cases).where(cases.c.id == case.id).values(values))
        if hides:
            await record(connection, _entry(case, THE_BOT, Act.HIDDEN, f"{count} reports"), now)
        await give_errands(connection, case.id, [Task.HIDE, Task.REFRESH] if hides else [Task.REFRESH])
        return replace(case, reports=count, hidden=case.hidden or hides)


def _entry(case: Case, actor_id: int, action: str, reason: str) -> Entry:
    return Entry(
        guild_id=case.guild_id,
        actor_id=actor_id,
        action=action,
        member_id=case.author_id,
        case_id=case.id,
        reason=reason,
    )
