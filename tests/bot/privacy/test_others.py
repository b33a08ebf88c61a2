"""What is kept for one person says nothing about another: exports, the log, and words that were deleted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.review.case import Ruling
from bot.review.rules import ReviewRules
from bot.store.archive import Archive
from bot.store.cases import Decision
from bot.store.database import Database
from bot.store.pseudonyms import Pseudonyms
from bot.store.reports import Report
from bot.store.schema import audit, cases
from generation.errors import NotAllowed
from tests.bot.store.test_cases import Clock, Office
from tests.orders import CHANNEL, GUILD

ADA, BEN, MILO = 1, 888_001, 888_002
RULES = ReviewRules()


class Records(Office):
    """The office with the archive over the same tables."""

    def __init__(self, database: Database, folder: Path) -> None:
        super().__init__(database, folder, Clock())
        self.database = database
        self.archive = Archive(database, Pseudonyms(folder), self.clock)


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[Records]:
    async with Database(f"sqlite+aiosqlite:///{tmp_path}/a.sqlite", tmp_path) as database:
        yield Records(database, tmp_path)


async def _appealed(records: Records) -> int:
    """A picture of Ada's that Ben reported, with a warning from Milo that Ada has appealed."""
    job_id = await records.painted(set())
    report = Report(
        job_id=job_id, guild_id=GUILD, channel_id=CHANNEL, message_id=5, reporter_id=BEN, reason="words of Ben"
    )
    case = await records.reports.add(report, threshold=0, per_hour=9)
    assert case is not None
    await records.cases.rule(case.id, Decision(ruling=Ruling.WARN, by=MILO, reason="words of Milo"), RULES)
    await records.cases.appeal(case.id, ADA, "words of Ada")
    return case.id


async def test_an_export_names_nobody_else_and_has_nobody_elses_words(records: Records) -> None:
    await _appealed(records)
    told = {person: str(await records.archive.copy(person)) for person in (ADA, BEN, MILO)}
    for reader, text in told.items():
        assert not [person for person in {BEN, MILO} - {reader} if str(person) in text], reader
    assert "words of Ben" not in told[ADA] + told[MILO]
    assert "words of Ada" not in told[BEN] + told[MILO]
    assert "words of Ada" in told[ADA]
    assert "words of Ben" in told[BEN]


async def test_the_log_has_no_words_of_members_and_not_who_reported(records: Records) -> None:
    await _appealed(records)
    async with records.database.read() as connection:
        rows = (await connection.execute(select(audit))).all()
    assert {row.action for row in rows} >= {"reported", "appealed", "warn"}
    assert not [row for row in rows if "of Ben" in row.reason or "of Ada" in row.reason]
    assert BEN not in {row.actor_id for row in rows}
    assert [row.reason for row in rows if row.action == "warn"] == ["words of Milo"]


async def test_a_moderator_who_is_forgotten_takes_nobody_elses_words_along(records: Records) -> None:
    await _appealed(records)
    await records.archive.forget(MILO)
    async with records.database.read() as connection:
        case = (await connection.execute(select(cases))).one()
    assert case.appeal == "words of Ada"
    assert case.contested_by < 0


async def test_whoever_reports_again_after_being_forgotten_is_one_person(records: Records) -> None:
    job_id = await records.painted(set())
    case_id = await records.reported(job_id, BEN)
    assert case_id is not None
    await records.archive.forget(BEN)
    assert await records.reported(job_id, BEN) is None
    assert await records.reported(job_id, BEN, message_id=6) is None  # another message of what is waiting already
    case = await records.cases.get(case_id)
    assert (case.reports, case.hidden) == (1, False)


async def test_being_forgotten_does_not_let_anybody_report_all_day(records: Records) -> None:
    for number in range(5):
        await records.reported(await records.painted(set()), BEN, message_id=number)
    await records.archive.forget(BEN)
    with pytest.raises(NotAllowed, match="wait a little"):
        await records.reported(await records.painted(set()), BEN, message_id=99)


async def test_a_moderator_cannot_decide_an_appeal_against_themselves_by_being_forgotten(records: Records) -> None:
    case_id = await _appealed(records)
    await records.archive.forget(MILO)
    with pytest.raises(NotAllowed, match="another moderator"):
        await records.cases.rule(case_id, Decision(ruling=Ruling.UPHOLD, by=MILO), RULES)
    assert (await records.cases.get(case_id)).open


async def test_nobody_decides_about_their_own_picture(records: Records) -> None:
    case = await records.case()
    with pytest.raises(NotAllowed, match="Somebody else has to decide about your own picture"):
        await records.cases.rule(case.id, Decision(ruling=Ruling.APPROVE, by=ADA), RULES)
    assert (await records.cases.get(case.id)).open
