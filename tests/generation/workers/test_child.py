"""The worker over a real child process with the real engine, and everything that may befall that process."""

from __future__ import annotations

import asyncio
import os
import queue
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio

from generation.engine.files import read_recipe
from generation.engine.options import EngineOptions
from generation.errors import Blame, Cancelled, ModelUnavailable, WorkerLost
from generation.job import Job, Progress
from generation.models import STARTER
from generation.request import Request
from generation.workers.breaker import Backoff, Breaker
from generation.workers.child import PAUSES, ChildWorker
from generation.workers.process import Child, _read
from generation.workers.worker import EngineSettings

Wish = Callable[..., Request]


@asynccontextmanager
async def working(**settings: Any) -> AsyncIterator[ChildWorker]:
    options = EngineOptions(measure_seconds=0.0)
    breaker = settings.pop("breaker", None)
    worker = ChildWorker(EngineSettings(options=options, **settings), backoff=Backoff(0.05, 0.1), breaker=breaker)
    await worker.start()
    try:
        yield worker
    finally:
        await worker.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[ChildWorker]:
    """One worker for the tests that leave it alive."""
    async with working() as worker:
        yield worker


def job(request: Request, name: str = "job") -> Job:
    return Job(id=name, request=request)


def ignore(progress: Progress) -> None:
    pass


def copied_starter(folder: Path) -> Path:
    return Path(shutil.copytree(STARTER, folder))


async def test_paints_with_previews_and_leaves_no_process(wish: Wish) -> None:
    seen: list[Progress] = []
    async with working() as worker:
        assert worker.status is None
        result = await worker.paint(job(wish(count=2, steps=5)), seen.append)
        assert worker.status is not None
        status, pid = worker.status, worker.pid
    assert [item.step for item in seen if item.step] == sorted(item.step for item in seen if item.step)
    assert {item.step for item in seen} >= {1, 5}
    first = next(progress.preview for progress in seen if progress.preview is not None)
    assert first.startswith(b"\xff\xd8")
    assert [picture.index for picture in result.pictures] == [0, 1]
    for picture in result.pictures:
        assert picture.approved is not None
        assert read_recipe(picture.approved.data)["Seed"] == str(1 + picture.index)
    assert result.grid is not None
    assert (result.grid.width, result.grid.height) == (512, 256)
    assert result.recipe["request"] == wish(count=2, steps=5).to_json()
    assert type(result.recipe["torch"]) is str
    assert status.card.sha256 == result.recipe["model_sha256"]
    assert status.checkers[0].startswith("starter closed world")
    assert status.seconds_per_megapixel_step is not None
    assert not status.accepts_uploads
    assert pid is not None
    assert not psutil.pid_exists(pid)


@pytest.mark.asyncio(loop_scope="module")
async def test_cancel_stops_at_the_next_step_and_the_worker_goes_on(shared: ChildWorker, wish: Wish) -> None:
    seen: list[int] = []

    def stepped(progress: Progress) -> None:
        seen.append(progress.step)
        if progress.step == 2:
            shared.cancel("job")

    with pytest.raises(Cancelled):
        await shared.paint(job(wish(steps=60)), stepped)
    assert len(seen) < 30
    again = await shared.paint(job(wish()), ignore)  # the same id: a cancel must not outlive its job
    assert again.pictures[0].approved is not None
    shared.cancel("nobody")


async def test_cancel_while_the_model_loads(wish: Wish) -> None:
    async with working() as worker:
        painting = asyncio.create_task(worker.paint(job(wish()), ignore))
        await asyncio.sleep(0.05)
        worker.cancel("job")
        began = time.monotonic()
        with pytest.raises(Cancelled):
            await painting
        assert time.monotonic() - began < 1.0


async def test_a_killed_child_is_lost_and_replaced_by_one_that_paints_the_same(wish: Wish) -> None:
    async with working() as worker:
        before = await worker.paint(job(wish(sampler="euler_a")), ignore)
        first: list[int | None] = []

        def stepped(progress: Progress) -> None:
            if not first:
                first.append(worker.pid)
                assert worker.pid is not None
                os.kill(worker.pid, signal.SIGKILL)

        with pytest.raises(WorkerLost):
            await worker.paint(job(wish(steps=60)), stepped)
        after = await worker.paint(job(wish(sampler="euler_a"), "next"), ignore)
        assert worker.pid != first[0]
    assert before.pictures == after.pictures  # to the byte


async def test_a_hanging_child_is_lost_and_replaced(wish: Wish) -> None:
    async with working(step_timeout=1.0) as worker:
        stopped: list[float] = []

        def stepped(progress: Progress) -> None:
            if not stopped:
                stopped.append(time.monotonic())
                assert worker.pid is not None
                os.kill(worker.pid, signal.SIGSTOP)

        with pytest.raises(WorkerLost):
            await worker.paint(job(wish(steps=60)), stepped)
        assert time.monotonic() - stopped[0] < 10.0


async def test_the_child_ends_when_its_parent_is_gone(wish: Wish) -> None:
    async with working() as worker:
        await worker.paint(job(wish(steps=1)), ignore)
        assert worker._child is not None
        process = psutil.Process(worker.pid)
        assert process.is_running()
        os.kill(process.pid, signal.SIGINT)  # Ctrl-C is the parent's to answer
        await worker.paint(job(wish(steps=1)), ignore)
        with socket.socket(fileno=os.dup(worker._child.connection.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)  # what the kernel does when the parent dies
        await asyncio.to_thread(process.wait, 5.0)


async def test_closing_while_painting_loses_the_job(wish: Wish) -> None:
    async with working() as worker:
        begun = asyncio.Event()
        painting = asyncio.create_task(worker.paint(job(wish(steps=90)), lambda progress: begun.set()))
        await begun.wait()
        await worker.close()
        with pytest.raises(WorkerLost):
            await painting
        with pytest.raises(WorkerLost):
            await worker.paint(job(wish()), ignore)


@pytest.mark.asyncio(loop_scope="module")
async def test_giving_up_on_a_job_frees_the_child(shared: ChildWorker, wish: Wish) -> None:
    steps: list[int] = []
    begun = asyncio.Event()

    def stepped(progress: Progress) -> None:
        steps.append(progress.step)
        begun.set()

    painting = asyncio.create_task(shared.paint(job(wish(steps=90, count=4)), stepped))
    await begun.wait()
    painting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await painting
    result = await shared.paint(job(wish(steps=1)), ignore)  # the same id again: not cancelled with the first
    assert result.pictures[0].approved is not None
    assert len(steps) < 10


async def test_closing_at_once_leaves_no_process() -> None:
    for delay in (0.0, 0.002, 0.02, 0.2):
        before = set(psutil.Process().children())
        async with working():
            await asyncio.sleep(delay)
        assert set(psutil.Process().children()) <= before


async def test_closing_while_the_child_dies_ends() -> None:
    for _ in range(10):
        async with working() as worker:
            while worker.pid is None:
                await asyncio.sleep(0.001)
            assert worker._child is not None
            gone = worker._child.gone
            os.kill(worker.pid, signal.SIGKILL)
            async with asyncio.timeout(10):
                await gone.wait()
                await worker.close()


@pytest.mark.asyncio(loop_scope="module")
async def test_a_listener_that_fails_does_not_cost_the_picture(
    shared: ChildWorker, wish: Wish, caplog: pytest.LogCaptureFixture
) -> None:
    def stepped(progress: Progress) -> None:
        raise LookupError("nobody is looking")

    result = await shared.paint(job(wish(steps=2)), stepped)
    assert result.pictures[0].approved is not None
    assert "nobody is looking" in caplog.text


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("nowhere", "no model called"),
        ("weights.ckpt", "pickle"),
        ("/nowhere/model.safetensors", "no model file"),
    ],
)
async def test_a_model_that_is_not_there_is_said_so(wish: Wish, model: str, words: str) -> None:
    async with working(model=model) as worker:
        with pytest.raises(ModelUnavailable, match=words):
            await worker.paint(job(wish()), ignore)
        assert words in worker.fault
        with pytest.raises(ModelUnavailable, match=words):
            await worker.paint(job(wish(), "next"), ignore)


async def test_cut_off_weights_are_refused_and_mended_ones_taken(tmp_path: Path, wish: Wish) -> None:
    folder = copied_starter(tmp_path / "starter")
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    async with working(model=str(folder)) as worker:
        with pytest.raises(ModelUnavailable, match="cut off"):
            await worker.paint(job(wish()), ignore)
        weights.write_bytes(whole)
        async with asyncio.timeout(60):
            while worker.status is None:
                await asyncio.sleep(0.05)
        result = await worker.paint(job(wish()), ignore)
    assert result.pictures[0].approved is not None  # a copy of the shipped weights is still the shipped weights


async def test_where_children_cannot_live_painting_pauses_and_goes_on_by_itself(
    wish: Wish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere")  # the interpreter itself does not start
    async with working(breaker=Breaker(deaths=3, pause=1.0)) as worker:
        with pytest.raises(WorkerLost) as lost:
            async with asyncio.timeout(30):
                await worker.paint(job(wish()), ignore)
        assert lost.value.blame is Blame.NONE  # back to the line, where it keeps its place
        assert worker.trouble == PAUSES
        assert worker.capacity == 0
        monkeypatch.delenv("PYTHONHOME")
        async with asyncio.timeout(60):
            while not worker.capacity:
                await asyncio.sleep(0.02)
        assert worker.capacity == 1  # the try is made with one job alone
        assert not worker.trouble
        await worker.paint(job(wish(steps=1)), ignore)
        assert worker.capacity > 1


async def test_a_child_that_is_told_what_it_cannot_read_is_replaced(wish: Wish) -> None:
    async with working() as worker:
        await worker.paint(job(wish(steps=1)), ignore)
        child = worker._child
        assert child is not None
        child.connection.send_bytes(b"no message")
        async with asyncio.timeout(30):
            await child.gone.wait()
            while worker._child is child:  # until it has been noticed, who asks is lost with it
                await asyncio.sleep(0.01)
        result = await worker.paint(job(wish(steps=1)), ignore)
    assert result.pictures[0].approved is not None


@pytest.mark.parametrize("words", [b"", b"no message", b"\x80\x05"])
async def test_a_child_that_says_what_cannot_be_read_is_ended(words: bytes) -> None:
    ours, theirs = Pipe()
    process = subprocess.Popen(["sleep", "60"])
    child = Child(process, ours, queue.SimpleQueue())
    heard: list[object] = []
    reading = asyncio.create_task(
        asyncio.to_thread(_read, child, asyncio.get_running_loop(), lambda _, message: heard.append(message))
    )
    try:
        theirs.send_bytes(words)
        async with asyncio.timeout(15):
            await reading
        assert process.poll() is not None
        await asyncio.sleep(0)
        assert heard == [None]
    finally:
        process.kill()
        process.wait()
        ours.close()
        theirs.close()


async def test_where_no_thread_can_be_started_it_is_tried_again_and_no_process_is_left(
    wish: Wish, caplog: pytest.LogCaptureFixture
) -> None:
    await asyncio.gather(*(asyncio.to_thread(time.sleep, 0.05) for _ in range(4)))  # threads for the loop's own work
    before = set(psutil.Process().children())
    threading.stack_size(2**45)  # more than any machine has
    try:
        async with working() as worker:
            async with asyncio.timeout(20):
                while "could not be started" not in caplog.text:
                    await asyncio.sleep(0.01)
            assert set(psutil.Process().children()) <= before
            threading.stack_size(0)
            result = await worker.paint(job(wish(steps=1)), ignore)
    finally:
        threading.stack_size(0)
    assert result.pictures[0].approved is not None


@pytest.mark.slow
async def test_an_interpreter_that_is_not_there_is_tried_again(wish: Wish, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    async with working(breaker=Breaker(deaths=2, pause=0.2)) as worker:
        async with asyncio.timeout(30):
            while not worker.trouble:
                await asyncio.sleep(0.01)
        monkeypatch.undo()
        result = await worker.paint(job(wish(steps=1)), ignore)
    assert result.pictures[0].approved is not None


@pytest.mark.slow
async def test_a_child_that_never_gets_ready_is_replaced(
    wish: Wish, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("generation.workers.child.LOAD_TIMEOUT", 8.0)
    async with working(step_timeout=1.0) as worker:
        painting = asyncio.create_task(worker.paint(job(wish(steps=1)), ignore))
        while worker.pid is None:
            await asyncio.sleep(0.01)
        os.kill(worker.pid, signal.SIGSTOP)
        result = await painting
    assert result.pictures[0].approved is not None
    assert "said nothing" in caplog.text
