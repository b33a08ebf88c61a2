"""The dispatcher: every claimed job is settled exactly once, whatever the worker or the store do."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from generation.dispatch import MAX_ATTEMPTS, Dispatcher
from generation.errors import BadRequest, Blame, BrokenPicture, Cancelled, PaintingError, WorkerLost
from generation.job import Job
from tests.generation.line import MemoryLedger
from tests.orders import a_request
from tests.painter import Painter


def line(*ids):
    return MemoryLedger(*(Job(id=name, request=a_request(steps=2), attempt=0) for name in ids))


async def run_until(ledger, count, painter, during=None):
    seen = []
    dispatcher = Dispatcher(ledger, [painter], lambda job, progress: seen.append((job.id, progress.step)))
    await dispatcher.start()
    if during is not None:
        await during(dispatcher)
    async with asyncio.timeout(10):
        while len(ledger.outcomes) < count:
            await asyncio.sleep(0.005)
    await dispatcher.close(grace=1)
    return seen


async def test_jobs_are_painted_in_the_order_of_the_line():
    ledger = line("a", "b", "c")
    seen = await run_until(ledger, 3, Painter())
    assert ledger.outcomes == [("a", "rendered"), ("b", "rendered"), ("c", "rendered")]
    assert seen == [(name, step) for name in "abc" for step in (1, 2)]


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (BrokenPicture(), "BrokenPicture"),
        (Cancelled(), "Cancelled"),
        (ValueError("oops"), "PaintingError"),
        (BadRequest("That sampler does not fit."), "PaintingError: That sampler does not fit."),
    ],
)
async def test_a_fault_ends_its_own_job_and_no_other(fault, outcome):
    painter = Painter()
    painter.faults.append(fault)
    ledger = line("a", "b")
    await run_until(ledger, 2, painter)
    assert ledger.outcomes == [("a", outcome), ("b", "rendered")]


async def test_a_job_whose_worker_dies_is_tried_again():
    painter = Painter()
    painter.faults.append(WorkerLost())
    ledger = line("a", "b")
    await run_until(ledger, 3, painter)
    assert ledger.outcomes == [("a", "crashed"), ("a", "rendered"), ("b", "rendered")]


class Poisoned(Painter):
    """Dies of one job, every time."""

    async def paint(self, job, on_progress):
        if job.id == "poison":
            raise WorkerLost(blame=Blame.ALONE)
        return await super().paint(job, on_progress)


async def test_a_poison_job_is_given_up_after_three_attempts_and_lets_everybody_else_go_first():
    ledger = line("poison", "next", "last")
    await run_until(ledger, MAX_ATTEMPTS + 2, Poisoned())
    assert ledger.outcomes == [
        ("poison", "crashed"),
        ("next", "rendered"),
        ("last", "rendered"),
        ("poison", "crashed"),
        ("poison", "WorkerLost"),
    ]


async def test_a_job_that_hangs_twice_is_given_up():
    painter = Painter()
    painter.faults += [WorkerLost(hung=True), WorkerLost(hung=True)]
    ledger = line("sleepy", "next")
    await run_until(ledger, 3, painter)
    assert ledger.outcomes == [("sleepy", "crashed"), ("sleepy", "WorkerLost"), ("next", "rendered")]


async def test_who_was_not_worked_at_is_not_blamed():
    painter = Painter()
    painter.faults += [WorkerLost(blame=Blame.NONE) for _ in range(5)]
    ledger = line("a")
    await run_until(ledger, 6, painter)
    assert ledger.outcomes == [("a", "released")] * 5 + [("a", "rendered")]


async def test_a_full_disk_only_delays_an_outcome(monkeypatch):
    monkeypatch.setattr("generation.dispatch.STORE_RETRY", 0.01)
    ledger = line("a", "b")
    ledger.stumble = 3
    painter = Painter()
    await run_until(ledger, 2, painter)
    assert ledger.outcomes == [("a", "rendered"), ("b", "rendered")]
    assert [job.id for job in painter.painted] == ["a", "b"]


async def test_cancelling_takes_effect_at_the_next_step():
    painter = Painter(step_seconds=0.01)
    painter.hold.clear()
    ledger = line("a")

    async def cancel(dispatcher):
        while not dispatcher.running:
            await asyncio.sleep(0.001)
        assert dispatcher.cancel("a")
        assert not dispatcher.cancel("unknown")

    await run_until(ledger, 1, painter, cancel)
    assert ledger.outcomes == [("a", "Cancelled")]


async def test_closing_lets_a_running_job_finish_and_claims_no_more():
    painter = Painter(step_seconds=0.05)
    ledger = line("a", "b")
    dispatcher = Dispatcher(ledger, [painter], lambda job, progress: None)
    await dispatcher.start()
    while not dispatcher.running:
        await asyncio.sleep(0.001)
    await dispatcher.close(grace=5)
    assert ledger.outcomes == [("a", "rendered")]
    assert [job.id for job in ledger.waiting] == ["b"]


async def test_somebody_joining_an_idle_line_is_served_at_once():
    ledger = line()
    dispatcher = Dispatcher(ledger, [Painter()], lambda job, progress: None)
    await dispatcher.start()
    await asyncio.sleep(0.05)
    ledger.waiting.append(Job(id="late", request=a_request(steps=1), attempt=0))
    dispatcher.notify()
    async with asyncio.timeout(0.5):
        while not ledger.outcomes:
            await asyncio.sleep(0.001)
    await dispatcher.close(grace=0)
    assert ledger.outcomes == [("late", "rendered")]


def test_every_error_is_a_sentence():
    def tree(cls):
        yield cls
        for child in cls.__subclasses__():
            yield from tree(child)

    for cls in tree(PaintingError):
        assert cls().sentence.endswith("."), cls


class HungPainter(Painter):
    """Does not hear of a cancellation; is lost some time later."""

    def cancel(self, job_id):
        self.hold.set()

    async def paint(self, job, on_progress):
        self.hold.clear()
        await self.hold.wait()
        raise WorkerLost


async def test_a_job_that_was_cancelled_does_not_come_back_when_its_worker_is_lost():
    ledger = line("a")

    async def cancel(dispatcher):
        while not dispatcher.running:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.01)
        assert dispatcher.cancel("a")

    await run_until(ledger, 1, HungPainter(), cancel)
    assert ledger.outcomes == [("a", "Cancelled")]


async def test_a_cancellation_between_claim_and_painting_is_heeded():
    class Eager(MemoryLedger):
        async def claim(self):
            job = await super().claim()
            if job is not None:  # the member presses while the claim is on its way back
                asyncio.get_running_loop().call_soon(lambda: dispatchers[0].cancel(job.id))
            return job

    dispatchers = []
    ledger, painter = Eager(Job(id="a", request=a_request(steps=2), attempt=0)), Painter(step_seconds=0.02)
    dispatchers.append(Dispatcher(ledger, [painter], lambda job, progress: None))
    await dispatchers[0].start()
    async with asyncio.timeout(10):
        while not ledger.outcomes:
            await asyncio.sleep(0.005)
    await dispatchers[0].close(grace=1)
    assert ledger.outcomes == [("a", "Cancelled")]


class Crowded(Painter):
    """Paints several at once, and dies with all of them whenever the poisonous one is among them."""

    capacity = 4

    def __init__(self):
        super().__init__(step_seconds=0.01)
        self.inside = {}

    async def paint(self, job, on_progress):
        died = asyncio.get_running_loop().create_future()
        self.inside[job.id] = died
        if "poison" in self.inside:
            await asyncio.sleep(0.02)  # long enough that the others have come in
            for other in self.inside.values():
                if not other.done():
                    other.set_result(None)
        try:
            async with asyncio.timeout(0.1):
                await died
            raise WorkerLost
        except TimeoutError:
            return await super().paint(job, on_progress)
        finally:
            self.inside.pop(job.id, None)


async def test_a_poisonous_job_does_not_take_its_neighbours_down_three_times():
    ledger = line("a", "poison", "b")
    dispatcher = Dispatcher(ledger, [Crowded()], lambda job, progress: None)
    await dispatcher.start()
    async with asyncio.timeout(20):
        while sum(outcome != "crashed" for _, outcome in ledger.outcomes) < 3:
            await asyncio.sleep(0.01)
    await dispatcher.close(grace=1)
    assert dict(ledger.outcomes) == {"a": "rendered", "b": "rendered", "poison": "WorkerLost"}
    assert Counter(ledger.outcomes)["poison", "crashed"] == 2
    assert ledger.outcomes.count(("a", "crashed")) <= 1  # neighbours go down with it once, then it is alone
    assert ledger.outcomes.count(("b", "crashed")) <= 1
