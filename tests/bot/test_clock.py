"""A clock that jumps a day or a year: nobody is locked out for longer than one window, nothing is deleted early."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from bot.clock import DOUBTED, Clock
from bot.privacy.sweeper import Sweeper
from bot.probing import Probing
from bot.sections import Privacy
from bot.sections import Probing as ProbingSettings
from bot.store import accounts
from bot.store.database import Database
from bot.store.jobs import JobStore
from bot.store.probing import ProbingStore
from bot.store.schema import bans, jobs, strikes
from bot.store.small import Notes
from bot.store.stamps import bring_back
from bot.store.strikes import StrikeStore
from bot.troubles import Trouble, Troubles
from generation.errors import CoolingDown, OutOfCredits
from generation.job import JobState
from generation.limits import Allowance, Budget, available, charge
from generation.queue import AGE_BOUND, present
from tests.orders import an_order

NOON = 1_800_000_000.0
HOUR, DAY, YEAR = 3600.0, 86_400.0, 365 * 86_400.0
ALLOWANCE = Allowance(burst=4, per_hour=4, daily=1000, waiting=100)  # its window is an hour
JUMPS = [pytest.param(sign * size, id=f"{sign * size / 3600:+.0f}h") for size in (HOUR, DAY, YEAR) for sign in (1, -1)]


@dataclass
class Wall:
    """A clock that a test can set, beside one that nobody sets."""

    passed: float = 0.0
    set_by: float = 0.0

    def __call__(self) -> float:
        return NOON + self.passed + self.set_by

    def steady(self) -> float:
        return 500.0 + self.passed


def _url(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder / 'atelier.sqlite'}"


async def test_a_jump_ahead_is_doubted_for_as_long_as_it_was_long_and_a_day_at_most() -> None:
    for jump, doubt in ((HOUR / 2, 0.0), (3 * HOUR, 3 * HOUR), (DAY, DAY), (YEAR, DAY)):
        wall, troubles = Wall(), Troubles()
        clock = Clock(troubles, wall, wall.steady)
        wall.set_by += jump
        await clock.look()
        assert clock.trusted is (doubt == 0.0)
        assert (Trouble.CLOCK in troubles.now) is (doubt > 0.0)
        wall.passed += max(0.0, doubt - 1.0)
        await clock.look()
        assert clock.trusted is (doubt == 0.0)
        wall.passed += 2.0
        await clock.look()
        assert clock.trusted
        assert not troubles.now


async def test_a_clock_that_is_set_right_is_believed_at_once_and_small_steps_always() -> None:
    wall, troubles, told = Wall(), Troubles(), []

    async def hear() -> None:
        told.append(wall())

    clock = Clock(troubles, wall, wall.steady)
    clock.set_back.append(hear)
    for step in (1.0, -1.0, 25.0, -25.0):  # as NTP does
        wall.set_by += step
        await clock.look()
        assert clock.trusted
    assert not told
    wall.set_by += YEAR
    await clock.look()
    assert not clock.trusted
    wall.set_by -= YEAR
    await clock.look()
    assert clock.trusted
    assert not troubles.now
    assert told == [wall()]


async def test_a_process_notes_the_time_and_the_next_one_compares(tmp_path: Path) -> None:
    wall = Wall()
    async with Database(_url(tmp_path), tmp_path) as database:
        notes = Notes(database)
        for set_by, trusted in ((0.0, True), (DOUBTED / 2, True), (DAY, False)):
            wall.set_by = set_by
            clock = Clock(Troubles(), wall, wall.steady)
            watching = asyncio.create_task(clock.watch(notes))
            async with asyncio.timeout(5):
                while await notes.get("clock") != f"{wall():.0f}":
                    await asyncio.sleep(0.01)
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            assert clock.trusted is trusted


@pytest.mark.parametrize("jump", [DAY + HOUR, YEAR])
async def test_nothing_is_deleted_because_the_clock_jumped(
    tmp_path: Path, jump: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.privacy.sweeper.FIRST", 0.0)
    wall = Wall()
    clock = Clock(Troubles(), wall, wall.steady)
    async with Database(_url(tmp_path), tmp_path) as database:
        store = JobStore(database, wall)
        job_id = (await store.enqueue(an_order(1), 1.0, ALLOWANCE, 10))[0]
        await store.end(job_id, JobState.CANCELLED, "ended", only_from=(JobState.ACCEPTED,))
        wall.set_by += jump
        await clock.look()
        privacy = Privacy(prompts_days=1, evidence_days=1, records_days=30)
        sweeper = Sweeper(database, tmp_path, privacy, wall, pause=0.0, trusted=lambda: clock.trusted)
        assert await sweeper.sweep(dry=True)  # this clock says that it is old
        running = asyncio.create_task(sweeper.run())
        await asyncio.sleep(0.3)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        commission = await store.get(job_id)
    assert commission is not None
    assert commission.request.prompt == "a red house"


@pytest.mark.parametrize("jump", JUMPS)
async def test_an_empty_budget_is_full_again_after_one_window_whatever_the_clock_does(
    tmp_path: Path, jump: float
) -> None:
    wall = Wall()
    async with Database(_url(tmp_path), tmp_path) as database:
        await JobStore(database, wall).enqueue(an_order(2), 1.0, ALLOWANCE, 100)  # somebody else waits: limits bind
        store = JobStore(database, wall)
        for _ in range(4):
            await store.enqueue(an_order(1), 1.0, ALLOWANCE, 100)
        with pytest.raises(OutOfCredits):
            await store.enqueue(an_order(1), 1.0, ALLOWANCE, 100)
        wall.set_by += jump
        store = JobStore(database, wall)  # also across a restart
        waited = await _seconds_until_admitted(store, wall)
        assert waited <= HOUR / 4 + 60.0  # what one credit takes anyway; a window is an hour


async def _seconds_until_admitted(store: JobStore, wall: Wall) -> float:
    for waited in range(0, int(2 * HOUR), 60):
        try:
            await store.enqueue(an_order(1), 1.0, ALLOWANCE, 100)
        except OutOfCredits:
            wall.passed += 60.0
        else:
            return float(waited)
    return float("inf")


def test_a_budget_never_waits_for_a_moment_that_a_wrong_clock_named() -> None:
    budget = Budget(burst=4, per_hour=4, daily=1000)
    emptied = charge(0.0, 4.0, NOON + YEAR, budget).tat
    assert available(emptied, NOON + YEAR, budget) == 0.0
    assert available(emptied, NOON, budget) == 4.0
    assert charge(emptied, 1.0, NOON, budget).affordable
    assert available(emptied, NOON + YEAR - 5.0, budget) == 0.0  # two processes' clocks are no gift


async def test_a_refund_is_not_lost_when_the_clock_was_set_back(tmp_path: Path) -> None:
    wall = Wall(set_by=DAY)
    async with Database(_url(tmp_path), tmp_path) as database:
        store = JobStore(database, wall)
        await store.enqueue(an_order(1), 1.0, ALLOWANCE, 100)
        wall.set_by = 0.0
        job_id = (await store.enqueue(an_order(1), 2.0, ALLOWANCE, 100))[0]
        before = (await store.quota(an_order(1).member.guild_id, 1, ALLOWANCE)).available
        await store.end(job_id, JobState.FAILED, "ours", only_from=(JobState.ACCEPTED,), give_back=1.0)
        after = (await store.quota(an_order(1).member.guild_id, 1, ALLOWANCE)).available
    assert after - before == pytest.approx(2.0)


@pytest.mark.parametrize("jump", JUMPS)
async def test_a_pause_for_probing_lasts_no_longer_than_it_was_given(tmp_path: Path, jump: float) -> None:
    wall, settings = Wall(), ProbingSettings(refusals=1, first=10.0, longest=60.0)
    member = an_order(1).member
    async with Database(_url(tmp_path), tmp_path) as database:
        probing = Probing(lambda: settings, ProbingStore(database), wall)
        await probing.open()
        probing.note(member)
        probing.note(member)
        with pytest.raises(CoolingDown):
            probing.check(member)
        await probing.close()
        wall.set_by += jump
        await bring_back(database, wall())
        restarted = Probing(lambda: settings, ProbingStore(database), wall)
        await restarted.open()
        probing.bring_back()
        for each in (probing, restarted):
            each_wall = wall.passed
            wall.passed += 10 * 60.0 + 1.0
            each.check(member)
            wall.passed = each_wall
        for _ in range(2):  # and each further one is twice as long, not as long as possible
            probing.note(member)
        with pytest.raises(CoolingDown) as paused:
            probing.check(member)
        await probing.close()
    assert paused.value.retry_at is not None
    assert paused.value.retry_at - wall() <= 40 * 60.0


async def test_bans_and_warnings_given_on_a_clock_ahead_count_from_now(tmp_path: Path) -> None:
    wall = Wall()
    given = {"guild_id": 7, "given_by": 1, "reason": "…"}
    late = NOON + YEAR
    rows = [
        given | {"member_id": 1, "given_at": late, "until": late + DAY},
        given | {"member_id": 2, "given_at": NOON - HOUR, "until": NOON + DAY},
        given | {"member_id": 3, "given_at": late, "until": None},
    ]
    async with Database(_url(tmp_path), tmp_path) as database:
        async with database.write() as connection:
            await connection.execute(insert(bans), rows)
            strike = given | {"member_id": 1, "given_at": late, "expires_at": late + 30 * DAY}
            await connection.execute(insert(strikes).values(strike))
        assert await bring_back(database, wall()) == 3
        assert await bring_back(database, wall()) == 0
        store = StrikeStore(database, wall)
        ends = {member: (await store.bans_in(7))[member].until for member in (1, 2, 3)}
        assert ends == {1: NOON + DAY, 2: NOON + DAY, 3: None}
        async with database.read() as connection:
            assert (await connection.execute(select(strikes.c.expires_at))).scalar_one() == NOON + 30 * DAY


@pytest.mark.parametrize("jump", JUMPS)
async def test_the_fair_order_and_the_ids_survive_a_jump_and_a_restart(tmp_path: Path, jump: float) -> None:
    wall, admitted = Wall(), []
    async with Database(_url(tmp_path), tmp_path) as database:
        for _ in range(3):
            store = JobStore(database, wall)  # as after a restart
            for member in (1, 2, 1, 3):
                wall.passed += 0.5
                admitted.append((await store.enqueue(an_order(member), 1.0, ALLOWANCE, 100))[0])
            wall.set_by = jump - wall.set_by
        assert admitted == sorted(admitted)
        assert len(set(admitted)) == len(admitted)
        async with database.read() as connection:
            tags = select(jobs.c.id).order_by(jobs.c.start_tag, jobs.c.id)
            fair = [row.id for row in await connection.execute(tags)]
        claimed = []
        while (job := await store.claim()) is not None:
            claimed.append(job.id)
    assert claimed == fair


def test_whoever_waits_since_before_the_clock_was_set_back_has_waited_long_enough() -> None:
    assert present(1.0, 5.0, -DAY) == 5.0
    assert present(1.0, 5.0, -1.0) == 1.0
    assert present(1.0, 5.0, AGE_BOUND - 1.0) == 1.0
    assert present(1.0, 5.0, AGE_BOUND) == 5.0


def test_summer_time_is_no_jump(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything stored is epoch seconds, and a day of the limits is one of UTC."""
    spring = 1_806_195_600.0  # 2027-03-28 01:00 UTC, when Berlin goes from 2 to 3 o'clock
    days = set()
    for zone in ("UTC", "Europe/Berlin", "America/St_Johns"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        days.add((accounts._day(spring - 1), accounts._day(spring + 1), accounts._midnight(spring)))
    monkeypatch.undo()
    time.tzset()
    assert len(days) == 1
