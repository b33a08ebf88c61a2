"""What one job can do to the painting process, in a real one: its neighbours wait for it, and no more than that."""

from __future__ import annotations

import asyncio
import logging
import re
import statistics
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from generation.dispatch import MAX_ATTEMPTS, Dispatcher
from generation.engine.options import EngineOptions
from generation.job import Job
from generation.request import Request
from generation.workers import process
from generation.workers.breaker import Backoff
from generation.workers.child import ChildWorker
from generation.workers.worker import EngineSettings
from tests.generation.line import MemoryLedger
from tests.generation.workers import saboteur

Wish = Callable[..., Request]
OPTIONS = EngineOptions(measure_seconds=0.0, previews_per_second=0.0)


@pytest.fixture(autouse=True)
def sabotaged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "PROGRAM", saboteur.PROGRAM)


@asynccontextmanager
async def painted(jobs: list[Job], **settings: Any) -> AsyncIterator[tuple[MemoryLedger, ChildWorker]]:
    """A line with these jobs and a real painting process; all of them have ended when the block begins."""
    worker = ChildWorker(EngineSettings(options=OPTIONS, threads=1, **settings), backoff=Backoff(0.05, 0.1))
    ledger = MemoryLedger(*jobs)
    dispatcher = Dispatcher(ledger, [worker], lambda job, progress: None)
    await worker.start()
    while worker.status is None:
        await asyncio.sleep(0.02)  # so that all of them are aboard at once
    await dispatcher.start()
    try:
        async with asyncio.timeout(120):
            while len(ledger.ended) < len(jobs):
                await asyncio.sleep(0.02)
        yield ledger, worker
    finally:
        await dispatcher.close(grace=0)


def crowd(wish: Wish, *seeds: int, steps: int = 3) -> list[Job]:
    """Small jobs, each named after its seed."""
    return [Job(id=str(seed), request=wish(seed=seed, width=64, height=64, steps=steps), attempt=0) for seed in seeds]


def ends(ledger: MemoryLedger) -> dict[str, str]:
    return {name: outcome for name, outcome in ledger.outcomes if outcome not in ("crashed", "released")}


def restarts_before(ledger: MemoryLedger, name: str) -> int:
    """How often a new process was started before a job was done."""
    poison = str(saboteur.DIES)
    return ledger.outcomes[: ledger.outcomes.index((name, "rendered"))].count((poison, "crashed"))


async def test_a_poison_job_dies_alone_and_takes_nobody_with_it(wish: Wish, caplog: pytest.LogCaptureFixture) -> None:
    poison = str(saboteur.DIES)
    neighbours = crowd(wish, 1, 2, 3, 4)
    async with painted([*neighbours[:2], *crowd(wish, saboteur.DIES), *neighbours[2:]]) as (ledger, _):
        crashed = Counter(name for name, outcome in ledger.outcomes if outcome == "crashed")
        assert ends(ledger) == {job.id: "rendered" for job in neighbours} | {poison: "WorkerLost"}
        assert crashed[poison] == MAX_ATTEMPTS - 1
        assert all(crashed[job.id] <= 1 for job in neighbours)  # in the same call once, alone after that
        assert ledger.ended[poison] == max(ledger.ended.values())  # whom everybody knows to be guilty goes last
        assert all(restarts_before(ledger, job.id) <= 2 for job in neighbours)
    assert len(re.findall("ended with code -9", caplog.text)) == MAX_ATTEMPTS


@pytest.mark.slow
async def test_a_job_that_dies_while_nobody_else_is_worked_at_is_the_only_suspect(wish: Wish) -> None:
    async with painted([*crowd(wish, 1, 2), *crowd(wish, saboteur.DIES_AT_ONCE), *crowd(wish, 3)]) as (ledger, _):
        crashed = {name for name, outcome in ledger.outcomes if outcome == "crashed"}
        assert crashed == {str(saboteur.DIES_AT_ONCE)}
        assert Counter(ends(ledger).values()) == {"rendered": 3, "WorkerLost": 1}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [saboteur.LOSES_THE_DEVICE, saboteur.FILLS_MEMORY])
async def test_a_device_error_that_stays_ends_the_process_and_no_neighbour(
    wish: Wish, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with painted(crowd(wish, 1, seed, 2)) as (ledger, _):
        assert ends(ledger) == {"1": "rendered", str(seed): "WorkerLost", "2": "rendered"}
    codes = re.findall(r"ended with code (-?\d+)", caplog.text)
    assert codes == [{saboteur.LOSES_THE_DEVICE: "70", saboteur.FILLS_MEMORY: "-6"}[seed]] * MAX_ATTEMPTS


@pytest.mark.slow
async def test_a_job_that_hangs_is_retried_once(wish: Wish, caplog: pytest.LogCaptureFixture) -> None:
    async with painted(crowd(wish, 1, saboteur.HANGS, 2), step_timeout=1.0) as (ledger, _):
        assert ends(ledger) == {"1": "rendered", str(saboteur.HANGS): "WorkerLost", "2": "rendered"}
    assert caplog.text.count("it is replaced") == 2


@pytest.mark.slow
async def test_what_may_pass_at_load_keeps_jobs_in_the_line(
    wish: Wish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flag = tmp_path / "full"
    flag.touch()
    monkeypatch.setenv(saboteur.FULL_WHILE, str(flag))
    worker = ChildWorker(EngineSettings(options=OPTIONS, threads=1), backoff=Backoff(0.05, 0.1))
    ledger = MemoryLedger(*crowd(wish, 1, 2))
    dispatcher = Dispatcher(ledger, [worker], lambda job, progress: None)
    await dispatcher.start()
    try:
        async with asyncio.timeout(120):
            while not worker.trouble:
                await asyncio.sleep(0.02)
            assert "just now" in worker.trouble
            await asyncio.sleep(3.0)
            assert worker.capacity == 0
            assert not ends(ledger)
            assert len(ledger.waiting) == 2
            flag.unlink()
            while len(ledger.ended) < 2:
                await asyncio.sleep(0.02)
        assert ends(ledger) == {"1": "rendered", "2": "rendered"}
        assert not worker.trouble
    finally:
        await dispatcher.close(grace=0)


@pytest.mark.parametrize("stage", ["reading", "warming up", pytest.param("checkers", marks=pytest.mark.slow)])
async def test_memory_that_ends_while_a_model_is_loaded_keeps_jobs_in_the_line(
    wish: Wish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    flag = tmp_path / "short"
    flag.write_text(stage)
    monkeypatch.setenv(saboteur.SHORT_WHILE, str(flag))
    worker = ChildWorker(EngineSettings(options=OPTIONS, threads=1), backoff=Backoff(0.05, 0.1))
    ledger = MemoryLedger(*crowd(wish, 1, 2))
    dispatcher = Dispatcher(ledger, [worker], lambda job, progress: None)
    await dispatcher.start()
    try:
        async with asyncio.timeout(120):
            while not worker.trouble and not worker.fault and not ledger.ended:
                await asyncio.sleep(0.02)
            assert not ends(ledger)
            assert not worker.fault
            assert "memory" in worker.trouble or "just now" in worker.trouble
            flag.unlink()
            while len(ledger.ended) < 2:
                await asyncio.sleep(0.02)
        assert ends(ledger) == {"1": "rendered", "2": "rendered"}
    finally:
        await dispatcher.close(grace=0)


async def test_checkers_that_never_answer_show_nothing_and_are_replaced_with_their_process(
    wish: Wish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    flag = tmp_path / "blind"
    monkeypatch.setenv(saboteur.BLIND_WHILE, str(flag))
    worker = ChildWorker(EngineSettings(options=OPTIONS, threads=1), backoff=Backoff(0.05, 0.1))
    ledger = MemoryLedger()
    dispatcher = Dispatcher(ledger, [worker], lambda job, progress: None)
    await dispatcher.start()
    try:
        async with asyncio.timeout(120):
            while worker.status is None:
                await asyncio.sleep(0.02)
            first = worker.pid
            flag.touch()
            ledger.waiting += crowd(wish, 1, 2, 3)
            dispatcher.notify()
            while len(ledger.ended) < 3:
                await asyncio.sleep(0.02)
            assert all(outcome.startswith("NotApproved") for outcome in ends(ledger).values())
            assert not ledger.results
            flag.unlink()
            ledger.waiting += crowd(wish, 4)
            dispatcher.notify()
            while len(ledger.ended) < 4:
                await asyncio.sleep(0.02)
            assert ends(ledger)["4"] == "rendered"
            assert worker.pid != first
            assert ("4", "crashed") not in ledger.outcomes  # it is not to blame
    finally:
        await dispatcher.close(grace=0)
    assert "checkers that do not answer" in caplog.text


@pytest.mark.slow
async def test_three_hundred_jobs_leave_the_process_as_it_was(
    wish: Wish, record_property: Callable[[str, object], None]
) -> None:
    worker = ChildWorker(EngineSettings(options=OPTIONS, threads=1))
    await worker.start()
    try:
        sizes: list[tuple[int, int]] = []
        for number in range(0, 300, 4):
            jobs = crowd(wish, *range(number, number + 4))
            await asyncio.gather(*(worker.paint(job, lambda progress: None) for job in jobs))
            child = psutil.Process(worker.pid)
            sizes.append((child.memory_info().rss, child.num_fds()))
    finally:
        await worker.close()
    third = len(sizes) // 3
    first, last = (statistics.median(rss for rss, _ in part) for part in (sizes[third : 2 * third], sizes[2 * third :]))
    per_job = (last - first) / (4 * third)
    record_property("rss_bytes_per_job", per_job)
    record_property("rss_mib", last / 2**20)
    logging.getLogger(__name__).info("%.0f B of resident memory per job, %.0f MiB", per_job, last / 2**20)
    assert per_job < 20 * 2**10
    assert len({fds for _, fds in sizes[third:]}) == 1
