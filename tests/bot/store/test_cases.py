"""Cases, strikes, reports and the audit log on a real SQLite file: what is committed together, and who wins."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.desk import Desk
from bot.order import Order
from bot.review.case import APPEAL_WITHIN, WHOLE, Case, Kind, Ruling, Task
from bot.review.rules import ReviewRules
from bot.review.strikes import DAY, HOUR
from bot.store.audit import THE_BOT, Act, Audit, Entry
from bot.store.cases import CaseStore, Decision
from bot.store.database import Database
from bot.store.errands import ErrandStore
from bot.store.files import FileStore
from bot.store.jobs import JobStore
from bot.store.pictures import PictureStore
from bot.store.pseudonyms import Pseudonyms
from bot.store.reports import Report, Reports
from bot.store.strikes import StrikeStore
from bot.store.withdrawals import Withdrawals
from generation.errors import BadRequest, NotAllowed
from generation.job import Job, JobState
from generation.limits import Allowance
from tests.orders import CHANNEL, GUILD, a_request, an_order
from tests.painter import Painter

WIDE = Allowance(burst=1000, per_hour=1000, daily=10_000, waiting=50)
ADA, MILO, OLIVIA = 1, 2, 3
RULES = ReviewRules()
ROOT = Path(__file__).parents[3]


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Office:
    """Every store a case touches, on one clock."""

    def __init__(self, database: Database, folder: Path, clock: Clock) -> None:
        files = FileStore(folder / "pictures")
        self.clock = clock
        self.jobs = JobStore(database, clock)
        self.pictures = PictureStore(database, files, FileStore(folder / "held"))
        self.strikes = StrikeStore(database, clock)
        pseudonyms = Pseudonyms(folder)
        self.cases = CaseStore(database, self.strikes, pseudonyms, clock)
        self.errands = ErrandStore(database, clock)
        self.reports = Reports(database, self.cases, pseudonyms, clock)
        self.audit = Audit(database, clock)
        self.withdrawals = Withdrawals(database, files)

    async def painted(self, kept_back: set[int], count: int = 1, order: Order | None = None) -> str:
        """A job that is painted, with these pictures kept back."""
        order = order or an_order(ADA, request=a_request(count=count, steps=1))
        await self.jobs.enqueue(order, 1.0, WIDE, 1000)
        job = await self.jobs.claim()
        assert job is not None
        painter = Painter(0.0)
        painter.kept_back = kept_back
        result = await painter.paint(job, lambda _: None)
        await self.pictures.keep_bytes(result)
        assert await self.jobs.rendered(job, result, withheld="no" if kept_back == set(range(count)) else None)
        return job.id

    async def case(self) -> Case:
        """One open case of a picture that was kept back."""
        await self.painted({0})
        (case_id,) = await self.cases.open_held()
        return await self.cases.get(case_id)

    async def tasks(self, case_id: int) -> list[Task]:
        """Everything left to do for a case, done now."""
        found = []
        while (errand := await self.errands.begin(case_id)) is not None:
            found.append(errand.task)
            await self.errands.done(errand)
        return found

    async def decided(self, ruling: Ruling, by: int = MILO, case_id: int | None = None) -> Case:
        case_id = case_id if case_id is not None else (await self.case()).id
        case, won = await self.cases.rule(case_id, Decision(ruling=ruling, by=by, reason="because"), RULES)
        assert won
        return case

    async def reported(self, job_id: str, reporter_id: int, *, message_id: int = 5, threshold: int = 2) -> int | None:
        report = Report(
            job_id=job_id, guild_id=GUILD, channel_id=CHANNEL, message_id=message_id, reporter_id=reporter_id
        )
        case = await self.reports.add(report, threshold=threshold, per_hour=5)
        assert case is None or case == await self.cases.get(case.id)
        return case.id if case is not None else None


@pytest.fixture
async def office(tmp_path, database_url) -> AsyncIterator[Office]:
    async with Database(database_url, tmp_path) as database:
        yield Office(database, tmp_path, Clock())


# -- opening ---------------------------------------------------------------------------------------------------------


async def test_every_kept_back_picture_has_one_case_however_often_it_is_looked_for(office):
    job_id = await office.painted({1, 3}, count=4)
    first, second = await office.cases.open_held(job_id)
    assert await office.cases.open_held(job_id) == []
    assert await office.cases.open_held() == []
    case = await office.cases.get(first)
    assert (case.kind, case.place, case.author_id, case.guild_id) == (Kind.WITHHELD, 1, ADA, GUILD)
    assert (await office.cases.get(second)).place == 3
    assert await office.tasks(first) == [Task.QUEUE]


async def test_a_result_with_nothing_to_show_ends_with_its_sentence_and_keeps_its_pictures(office):
    job_id = await office.painted({0})
    commission = await office.jobs.get(job_id)
    assert (commission.state, commission.reason) == (JobState.BLOCKED, "no")
    assert (await office.pictures.of(job_id))[0].held


async def test_a_decided_picture_is_never_opened_anew(office):
    case = await office.decided(Ruling.WARN)
    assert await office.cases.open_held(case.job_id) == []


# -- deciding --------------------------------------------------------------------------------------------------------


async def test_of_many_moderators_at_once_exactly_one_decides(office):
    case = await office.case()
    rulings = [Ruling.APPROVE, Ruling.DELETE, Ruling.WARN, Ruling.TIMEOUT, Ruling.SPOILER] * 4
    decisions = [Decision(ruling=ruling, by=100 + n) for n, ruling in enumerate(rulings)]
    outcomes = await asyncio.gather(*(office.cases.rule(case.id, each, RULES) for each in decisions))

    winners = [each.by for each, (_, won) in zip(decisions, outcomes, strict=True) if won]
    assert len(winners) == 1
    assert {told.ruled_by for told, _ in outcomes} == set(winners)
    log = [entry for entry in await office.audit.entries(GUILD) if entry.action in list(Ruling)]
    assert [entry.actor_id for entry in log] == winners
    given = len(await office.strikes.of(GUILD, ADA))
    assert given == (log[0].action in (Ruling.WARN, Ruling.TIMEOUT))


async def test_a_ruling_is_committed_with_log_warning_and_errands(office):
    case = await office.decided(Ruling.WARN)
    (strike,) = await office.strikes.of(GUILD, ADA)
    assert (strike.case_id, strike.given_by, strike.reason) == (case.id, MILO, "because")
    assert strike.expires_at == office.clock.now + 30 * DAY
    entry = (await office.audit.entries(GUILD))[0]
    assert (entry.actor_id, entry.action, entry.member_id, entry.case_id) == (MILO, "warn", ADA, case.id)
    assert await office.tasks(case.id) == [Task.QUEUE, Task.TELL, Task.REFRESH]


async def test_rulings_that_do_not_fit_the_round_change_nothing(office):
    case = await office.case()
    unchanged, won = await office.cases.rule(case.id, Decision(ruling=Ruling.OVERTURN, by=MILO), RULES)
    assert (unchanged, won) == (case, False)
    with pytest.raises(BadRequest, match="not known"):
        await office.cases.rule(999, Decision(ruling=Ruling.APPROVE, by=MILO), RULES)


# -- appeals ---------------------------------------------------------------------------------------------------------


async def test_an_appeal_comes_once_from_its_member_and_goes_to_somebody_else(office):
    case = await office.decided(Ruling.WARN)
    with pytest.raises(NotAllowed, match="Only the person"):
        await office.cases.appeal(case.id, OLIVIA, "me too")
    case = await office.cases.appeal(case.id, ADA, "it was a tomato")
    assert (case.open, case.round, case.contested, case.contested_by) == (True, 2, Ruling.WARN, MILO)
    with pytest.raises(BadRequest, match="already"):
        await office.cases.appeal(case.id, ADA, "again")

    overturn = Ruling.OVERTURN
    with pytest.raises(NotAllowed, match="another moderator or the server's owner"):
        await office.cases.rule(case.id, Decision(ruling=overturn, by=MILO), RULES)
    _, won = await office.cases.rule(case.id, Decision(ruling=Ruling.DELETE, by=OLIVIA), RULES)
    assert not won
    case = await office.decided(overturn, OLIVIA, case.id)
    with pytest.raises(BadRequest):
        await office.cases.appeal(case.id, ADA, "once more")
    (strike,) = await office.strikes.of(GUILD, ADA)
    assert not strike.active(office.clock.now)


async def test_two_appeals_at_once_are_one(office):
    case = await office.decided(Ruling.DELETE)
    appeals = (office.cases.appeal(case.id, ADA, "please") for _ in range(5))
    outcomes = await asyncio.gather(*appeals, return_exceptions=True)
    assert sum(isinstance(outcome, Case) for outcome in outcomes) == 1
    assert sum(entry.action == Act.APPEALED for entry in await office.audit.entries(GUILD)) == 1


async def test_what_went_well_or_was_long_ago_cannot_be_appealed(office):
    fine = await office.decided(Ruling.APPROVE)
    with pytest.raises(BadRequest, match="cannot be appealed"):
        await office.cases.appeal(fine.id, ADA, "no")
    old = await office.decided(Ruling.DELETE)
    office.clock.now += APPEAL_WITHIN
    with pytest.raises(BadRequest, match="cannot be appealed"):
        await office.cases.appeal(old.id, ADA, "no")


# -- strikes ---------------------------------------------------------------------------------------------------------


async def test_warnings_pause_then_ban_and_an_overturned_one_lifts_what_it_led_to(office):
    for _ in range(2):
        await office.decided(Ruling.WARN)
    assert await office.strikes.ban_of(GUILD, ADA) is None
    third = await office.decided(Ruling.WARN)
    pause = await office.strikes.ban_of(GUILD, ADA)
    assert pause.until == office.clock.now + 24 * HOUR
    assert await office.strikes.ban_of(GUILD + 1, ADA) is None

    await office.cases.appeal(third.id, ADA, "no")
    await office.decided(Ruling.OVERTURN, OLIVIA, third.id)
    assert await office.strikes.ban_of(GUILD, ADA) is None
    for _ in range(3):
        await office.decided(Ruling.WARN)
    assert (await office.strikes.ban_of(GUILD, ADA)).until is None
    office.clock.now += 400 * DAY  # it stays until somebody lifts it
    assert await office.strikes.ban_of(GUILD, ADA) is not None
    unbanned = Entry(guild_id=GUILD, actor_id=MILO, action=Act.UNBANNED, member_id=ADA)
    assert await office.strikes.unban(unbanned)
    assert not await office.strikes.unban(unbanned)
    assert await office.strikes.ban_of(GUILD, ADA) is None
    actions = [entry.action for entry in await office.audit.entries(GUILD, member_id=ADA)]
    assert actions[0] == Act.UNBANNED
    assert actions.count(Act.PAUSED) == 3  # the third, then the third and the fourth of those that count
    assert actions.count(Act.BANNED) == 1


async def test_who_may_not_paint_is_known_without_a_look_into_the_store(office):
    await office.decided(Ruling.WARN)
    await office.strikes.open()
    pending = office.strikes.ban_of(GUILD, ADA)
    with pytest.raises(StopIteration) as ended:
        pending.send(None)  # ends at once: nothing was waited for
    assert ended.value.value is None
    banned = Entry(guild_id=GUILD, actor_id=MILO, action=Act.BANNED, member_id=ADA)
    reads = [office.strikes.ban_of(GUILD, ADA) for _ in range(3)]
    await asyncio.gather(office.strikes.ban(banned, None), *reads)
    assert await office.strikes.ban_of(GUILD, ADA) is not None


async def test_clearing_takes_warnings_and_their_pause_back(office):
    warn = Entry(guild_id=GUILD, actor_id=MILO, action=Act.WARNED, member_id=ADA, reason="spam")
    assert [await office.strikes.warn(warn, RULES) for _ in range(3)] == [1, 2, 3]
    assert await office.strikes.ban_of(GUILD, ADA) is not None
    cleared = Entry(guild_id=GUILD, actor_id=MILO, action=Act.CLEARED, member_id=ADA)
    assert await office.strikes.clear(cleared) == 3
    assert await office.strikes.clear(cleared) == 0
    assert await office.strikes.ban_of(GUILD, ADA) is None


# -- reports ---------------------------------------------------------------------------------------------------------


async def test_different_reporters_hide_a_picture_and_one_person_counts_once(office):
    job_id = await office.painted(set())
    case_id = await office.reported(job_id, 11)
    assert await office.reported(job_id, 11) is None
    assert await office.reported(job_id, 11, message_id=6) is None  # another message of the same picture
    case = await office.cases.get(case_id)
    assert (case.kind, case.place, case.reports, case.hidden) == (Kind.REPORTED, WHOLE, 1, False)
    assert await office.reported(job_id, 12) == case_id
    case = await office.cases.get(case_id)
    assert (case.reports, case.hidden) == (2, True)
    assert await office.tasks(case_id) == [Task.QUEUE, Task.REFRESH, Task.HIDE, Task.REFRESH]
    hidden = [entry for entry in await office.audit.entries(GUILD) if entry.action == Act.HIDDEN]
    assert [entry.actor_id for entry in hidden] == [THE_BOT]


async def test_reporters_at_once_open_one_case_and_hide_once(office):
    job_id = await office.painted(set())
    found = await asyncio.gather(*(office.reported(job_id, 20 + n) for n in range(8)))
    assert len(set(found)) == 1
    assert (await office.tasks(found[0])).count(Task.HIDE) == 1
    assert (await office.cases.get(found[0])).reports == 8


async def test_zero_never_hides_and_nobody_reports_all_day(office):
    for _ in range(5):
        job_id = await office.painted(set())
        case_id = await office.reported(job_id, 11, message_id=int(office.clock.now), threshold=0)
        assert not (await office.cases.get(case_id)).hidden
        office.clock.now += 1
    job_id = await office.painted(set())
    with pytest.raises(NotAllowed, match="wait a little"):
        await office.reported(job_id, 11, message_id=99)
    office.clock.now += HOUR
    assert await office.reported(job_id, 11, message_id=99) is not None


# -- pictures that come and go ---------------------------------------------------------------------------------------


async def test_a_withdrawn_picture_is_out_of_reach_until_it_is_reinstated(office):
    job_id = await office.painted({1}, count=2)
    before = await office.pictures.load(job_id, 0)
    await office.withdrawals.withdraw(job_id)
    await office.withdrawals.withdraw(job_id)
    assert await office.pictures.load(job_id, 0) is None
    assert (await office.pictures.load_evidence(job_id, 0)).data == before.data
    assert await office.withdrawals.reinstate(job_id)
    assert await office.pictures.load(job_id, 0) == before
    assert await office.pictures.load(job_id, 1) is None  # its blurred likeness must never become the picture
    assert not await office.withdrawals.reinstate(job_id)


async def test_forgotten_pictures_leave_the_disk_unless_another_job_has_the_same(office, tmp_path):
    one, two = await office.painted(set()), await office.painted(set())
    await office.withdrawals.withdraw(one)
    await office.withdrawals.forget(one)
    assert await office.pictures.load(two, 0) is not None
    await office.withdrawals.withdraw(two)
    await office.withdrawals.forget(two)
    assert [path for path in (tmp_path / "pictures").rglob("*") if path.is_file()] == []


async def test_evidence_of_one_case_outlives_the_same_picture_of_another(office):
    one, two = await office.painted(set()), await office.painted(set())
    for job_id in (one, two):
        await office.withdrawals.withdraw(job_id)
    await office.withdrawals.forget(one)
    assert await office.pictures.load_evidence(two, 0) is not None


async def test_what_is_held_twice_is_discarded_or_shown_once(office, tmp_path):
    one, two, three = [await office.painted({0}) for _ in range(3)]
    files = lambda: [path for path in (tmp_path / "held").rglob("*") if path.is_file()]  # noqa: E731
    assert len(files()) == 1
    await office.pictures.discard(one, 0)
    assert await office.pictures.let_through(two, 0, "moderator") is not None
    assert await office.pictures.let_through(three, 0, "moderator") is not None
    assert files() == []


# -- the log ---------------------------------------------------------------------------------------------------------


async def test_the_log_is_read_by_guild_member_and_moderator(office):
    for actor, member, guild in ((MILO, ADA, GUILD), (OLIVIA, 9, GUILD), (MILO, ADA, None)):
        await office.audit.add(Entry(guild_id=guild, actor_id=actor, action=Act.WARNED, member_id=member))
    assert [entry.actor_id for entry in await office.audit.entries(GUILD)] == [OLIVIA, MILO]
    assert [entry.member_id for entry in await office.audit.entries(GUILD, actor_id=OLIVIA)] == [9]
    assert len(await office.audit.entries(GUILD, member_id=ADA)) == 1
    assert len(await office.audit.entries(None)) == 1


def test_nothing_changes_or_removes_a_line_of_the_log():
    for path in (ROOT / "bot" / "store").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("update", "delete"):
                assert [ast.unparse(argument) for argument in node.args] != ["audit"], path


def test_the_desk_has_every_drawer(tmp_path):
    desk = Desk.over(Database(f"sqlite+aiosqlite:///{tmp_path}/a.sqlite", tmp_path), tmp_path)
    assert isinstance(desk.cases, CaseStore)


async def test_a_claim_that_was_overtaken_keeps_nothing(office):
    await office.jobs.enqueue(an_order(ADA), 1.0, WIDE, 1000)
    job = await office.jobs.claim()
    result = await Painter(0.0).paint(job, lambda _: None)
    stale = Job(id=job.id, request=job.request, attempt=job.attempt - 1)
    assert not await office.jobs.rendered(stale, result, withheld="no")
