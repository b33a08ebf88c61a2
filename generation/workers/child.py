"""A worker in a process of its own: a device fault, a hang or an OOM kill takes down the child, never the bot.

The child is a fresh interpreter on `generation.workers.child_main`, joined by one socket. Python's own spawn would
import the parent's main module, and with it the whole bot, into the process that needs its memory for the model.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import generation
from generation.errors import Cancelled, ModelUnavailable, WorkerLost
from generation.job import Job, Progress, Result
from generation.request import Request
from generation.workers.wire import (
    Alive,
    Cancel,
    Done,
    Failed,
    FromChild,
    LoadFailed,
    LogLine,
    Paint,
    Ready,
    Start,
    Stepped,
    ToChild,
)
from generation.workers.worker import THREADS_SETTINGS, EngineSettings, WorkerStatus

log = logging.getLogger(__name__)

FIRST_BACKOFF = 1.0  # seconds before a lost child is replaced, doubled each time
LAST_BACKOFF = 60.0
LOAD_TIMEOUT = 1800.0  # seconds without a sign of life while loading: a hub download of gigabytes says nothing
LOAD_ATTEMPTS = 3  # children that die while loading before waiting jobs are told
SLOWEST = 10.0  # times the measured pace of one step that a step may take before it counts as hanging


@dataclass(slots=True)
class _Painting:
    """A job in `paint`, until its future is done."""

    number: int
    job: Job
    on_progress: Callable[[Progress], None]
    done: asyncio.Future[Result]
    sent: bool = False


@dataclass(slots=True)
class _Child:
    """One incarnation of the process, with the two threads at its socket."""

    process: subprocess.Popen[bytes]
    connection: Connection
    outbox: queue.SimpleQueue[ToChild | None]
    threads: tuple[threading.Thread, ...] = ()
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    ready: bool = False
    said: str = "starting"
    heard: float = field(default_factory=time.monotonic)
    expected: float = 0.0  # seconds that it said its next sign may take


class ChildWorker:
    """The Worker for the machine the bot runs on; jobs share the denoiser's calls in the child."""

    def __init__(self, settings: EngineSettings, *, first_backoff: float = FIRST_BACKOFF) -> None:
        self._settings = settings
        self._first_backoff = first_backoff
        self._paintings: dict[int, _Painting] = {}
        self._numbers = itertools.count()
        self._child: _Child | None = None
        self._status: WorkerStatus | None = None
        self._fault = ""  # why the model cannot be loaded; empty while there is hope
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def capacity(self) -> int:
        """What the engine measured it can make use of; one until then."""
        return self._status.together if self._status is not None else 1

    @property
    def status(self) -> WorkerStatus | None:
        """None until the model is loaded, and while the child is being replaced."""
        return self._status

    @property
    def fault(self) -> str:
        """The sentence why the model could not be loaded at the last attempt; empty when it was or still may be."""
        return self._fault

    @property
    def pid(self) -> int | None:
        """Process id of the child, while there is one."""
        return self._child.process.pid if self._child is not None else None

    async def start(self) -> None:
        """Start the child; returns at once, loading goes on in the background."""
        if self._task is None:
            self._task = asyncio.create_task(self._keep_alive(), name="child-worker")

    async def paint(self, job: Job, on_progress: Callable[[Progress], None]) -> Result:
        """Paint `job` once the model is loaded; see Worker."""
        if self._closed:
            raise WorkerLost
        if self._fault:
            raise ModelUnavailable(self._fault)
        painting = _Painting(next(self._numbers), job, on_progress, asyncio.get_running_loop().create_future())
        self._paintings[painting.number] = painting
        self._send_waiting()
        try:
            return await painting.done
        except asyncio.CancelledError:
            self._cancel(painting)
            raise
        finally:
            self._paintings.pop(painting.number, None)

    def cancel(self, job_id: str) -> None:
        """Stop a job at its next step; one that was not sent yet ends here."""
        for painting in self._paintings.values():
            if painting.job.id == job_id:
                self._cancel(painting)

    def _cancel(self, painting: _Painting) -> None:
        if painting.sent and self._child is not None:
            self._child.outbox.put(Cancel(painting.number))
        else:
            _fail(painting, Cancelled())

    async def close(self) -> None:
        """Kill the child and wait for it; jobs still painting end in WorkerLost."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._lose_all()

    async def _keep_alive(self) -> None:
        backoff, deaths = self._first_backoff, 0
        while True:
            child = await self._spawned()
            self._child = child
            try:
                await self._watch(child)
            finally:
                self._child, self._status = None, None
                await asyncio.shield(asyncio.to_thread(_end, child))
            code = child.process.returncode
            deaths = 0 if child.ready else deaths + 1
            if child.ready:
                log.error("The painting process ended with code %s", code)
                backoff = self._first_backoff
            elif not self._fault and deaths >= LOAD_ATTEMPTS:
                self._give_up("The painting process stopped while it loaded the model; the log has the cause.")
            self._lose_all()
            log.info("The painting process is started again in %.0f s", backoff)
            await asyncio.sleep(backoff)
            backoff = min(LAST_BACKOFF, backoff * 2)

    async def _spawned(self) -> _Child:
        """A new child; when this worker is closed in the meantime, the child is ended first."""
        spawning = asyncio.ensure_future(
            asyncio.to_thread(_spawn, self._settings, asyncio.get_running_loop(), self._hear)
        )
        try:
            return await asyncio.shield(spawning)
        except asyncio.CancelledError:
            await asyncio.to_thread(_end, await spawning)
            raise

    async def _watch(self, child: _Child) -> None:
        """Return when the child is gone; kill it when it says nothing for too long."""
        while not child.gone.is_set():
            # not wait_for: in Python 3.11 it swallows a cancellation that arrives together with the event
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(1.0, self._settings.step_timeout / 4)):
                    await child.gone.wait()
            silent = time.monotonic() - child.heard
            if silent > self._patience(child):
                log.error("The painting process said nothing for %.0f s (%s); it is replaced", silent, child.said)
                child.process.send_signal(signal.SIGUSR1)  # its threads' stacks go to standard error
                await asyncio.sleep(0.2)
                child.process.kill()
                await child.gone.wait()

    def _patience(self, child: _Child) -> float:
        """Seconds of silence that are still believable."""
        if not child.ready:
            return max(LOAD_TIMEOUT, self._settings.step_timeout)
        sent = [painting.job.request for painting in self._paintings.values() if painting.sent]
        if not sent:
            return float("inf")
        pace = self._status.seconds_per_megapixel_step if self._status is not None else None
        usual = SLOWEST * (pace or 0.0) * sum(map(_megapixels, sent))
        return max(self._settings.step_timeout, usual, SLOWEST * child.expected)

    def _hear(self, child: _Child, message: FromChild | None) -> None:
        """Runs on the event loop for every message; None is the end of the line."""
        child.heard, child.expected = time.monotonic(), 0.0
        match message:
            case None:
                child.gone.set()
            case LogLine(level, name, text):
                logging.getLogger(name).log(level, "%s", text)
            case Alive(doing, seconds):
                child.said, child.expected = doing, seconds
            case Ready(status):
                child.ready, child.said = True, "ready"
                self._status, self._fault = status, ""
                log.info("Painting with “%s” on %s", status.card.name, status.device)
                self._send_waiting()
            case LoadFailed(sentence):
                self._give_up(sentence)
            case Stepped() | Done() | Failed():
                painting = self._paintings.get(message.painting)
                if painting is not None and not painting.done.done():
                    _tell(child, painting, message)

    def _send_waiting(self) -> None:
        child = self._child
        if child is None or not child.ready:
            return
        for painting in self._paintings.values():
            if not painting.sent and not painting.done.done():
                painting.sent = True
                child.heard = time.monotonic()
                child.outbox.put(Paint(painting.number, painting.job))

    def _give_up(self, sentence: str) -> None:
        self._fault = sentence
        log.error("%s", sentence)
        for painting in self._paintings.values():
            _fail(painting, ModelUnavailable(sentence))

    def _lose_all(self) -> None:
        """End what the dead child was painting; what was never sent waits for the next one, unless there is none."""
        for painting in self._paintings.values():
            if painting.sent or self._closed:
                _fail(painting, WorkerLost())


def _spawn(
    settings: EngineSettings, loop: asyncio.AbstractEventLoop, hear: Callable[[_Child, FromChild | None], None]
) -> _Child:
    ours, theirs = Pipe(duplex=True)
    root = str(Path(generation.__file__).parents[1])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    secret = ("DISCORD_", "ATELIER_")  # the bot's token, the database's password
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(secret)}
    environment = THREADS_SETTINGS | inherited | {"PYTHONPATH": os.pathsep.join(paths)}
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module, nothing from outside
        [sys.executable, "-m", "generation.workers.child_main", str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        env=environment,
        process_group=0,  # Ctrl-C in a terminal goes to the parent alone
    )
    theirs.close()
    child = _Child(process, ours, queue.SimpleQueue())
    child.outbox.put(Start(settings, logging.getLogger().getEffectiveLevel()))
    child.threads = (
        threading.Thread(target=_write, args=(child,), name="to-child", daemon=True),
        threading.Thread(target=_read, args=(child, loop, hear), name="from-child", daemon=True),
    )
    for thread in child.threads:
        thread.start()
    return child


def _write(child: _Child) -> None:
    """Send what the loop put into the outbox: a large upload would block the loop on a full socket."""
    while (message := child.outbox.get()) is not None:
        try:
            child.connection.send(message)
        except (OSError, ValueError):
            return  # the reading thread has noticed as well, and says so


def _read(child: _Child, loop: asyncio.AbstractEventLoop, hear: Callable[[_Child, FromChild | None], None]) -> None:
    message: FromChild | None = None
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to tell
        while True:
            try:
                message = child.connection.recv()
            except (EOFError, OSError):
                break
            loop.call_soon_threadsafe(hear, child, message)
        child.process.wait()
        loop.call_soon_threadsafe(hear, child, None)


def _end(child: _Child) -> None:
    child.process.kill()
    child.process.wait()
    child.outbox.put(None)
    for thread in child.threads:  # the descriptor may only be closed when nobody reads from it any more
        thread.join()
    child.connection.close()


def _tell(child: _Child, painting: _Painting, message: Stepped | Done | Failed) -> None:
    match message:
        case Done():
            painting.done.set_result(message.result)
        case Failed():
            painting.done.set_exception(message.error)
        case Stepped():
            child.said = f"step {message.progress.step} of {message.progress.steps}"
            try:
                painting.on_progress(message.progress)
            except Exception:  # a listener's fault must not end the worker; the picture is painted all the same
                log.exception("job %s: progress could not be told", painting.job.id)


def _fail(painting: _Painting, error: Exception) -> None:
    if not painting.done.done():
        painting.done.set_exception(error)


def _megapixels(request: Request) -> float:
    return request.width * request.height * request.count / 1e6
