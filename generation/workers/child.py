"""A worker in a process of its own: a device fault, a hang or an OOM kill takes down the child, never the bot.

A child that is gone is replaced; what it was working at is told so, and everything else it had aboard that it is not to
blame. Where children keep dying, painting pauses (see `breaker`).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from generation.errors import Blame, Cancelled, ModelUnavailable, WorkerLost
from generation.job import Job, Progress, Result
from generation.request import Request
from generation.workers.breaker import Backoff, Breaker, Position
from generation.workers.process import Child, end, spawn
from generation.workers.wire import (
    Alive,
    Cancel,
    Done,
    Failed,
    FromChild,
    Hand,
    Leaving,
    LoadFailed,
    LogLine,
    Paint,
    Ready,
    Stepped,
)
from generation.workers.worker import EngineSettings, WorkerStatus

log = logging.getLogger(__name__)

LOAD_TIMEOUT = 1800.0  # seconds without a sign of life while loading: a hub download of gigabytes says nothing
SLOWEST = 10.0  # times the measured pace of one step that a step may take before it counts as hanging
PAUSES = "Painting pauses for a while, because the painting process keeps stopping."


@dataclass(slots=True)
class _Painting:
    """A job in `paint`, until its future is done."""

    number: int
    job: Job
    on_progress: Callable[[Progress], None]
    done: asyncio.Future[Result]
    sent: bool = False


class ChildWorker:
    """The Worker for the machine the bot runs on; jobs share the denoiser's calls in the child."""

    def __init__(
        self, settings: EngineSettings, *, backoff: Backoff | None = None, breaker: Breaker | None = None
    ) -> None:
        self._settings = settings
        self._backoff = backoff or Backoff()
        self._breaker = breaker or Breaker()
        self._paintings: dict[int, _Painting] = {}
        self._numbers = itertools.count()
        self._child: Child | None = None
        self._status: WorkerStatus | None = None
        self._fault = ""  # why the model cannot be loaded; empty while there is hope
        self._delay = ""  # why it cannot be loaded just now
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def capacity(self) -> int:
        """What the engine measured it can make use of; one until then, and none while painting pauses."""
        if self._breaker.position is not Position.CLOSED:
            return int(self._status is not None)  # the try is made with one job alone
        if self._status is None:
            return int(not self._delay)
        return self._status.together

    @property
    def status(self) -> WorkerStatus | None:
        """None until the model is loaded, and while the child is being replaced."""
        return self._status

    @property
    def fault(self) -> str:
        """The sentence why the model could not be loaded at the last attempt; empty when it was or still may be."""
        return self._fault

    @property
    def trouble(self) -> str:
        """Why painting pauses, in a sentence for members; empty when it does not.

        A model that can never be loaded is no pause: each job ends with that sentence.
        """
        if self._delay:
            return self._delay
        return PAUSES if self._breaker.position is not Position.CLOSED and self._status is None else ""

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
        self._lose_all(None)

    async def _keep_alive(self) -> None:
        while True:
            self._breaker.attempt()
            useful = await self._live()
            wait = max(self._backoff.after(useful), self._breaker.wait)
            log.info("The painting process is started again in %.0f s", wait)
            await asyncio.sleep(wait)

    async def _live(self) -> float:
        """One child from its start to its end; returns for how many seconds it was of use."""
        try:
            child = await self._spawned()
        except (OSError, RuntimeError, MemoryError) as error:  # no descriptor, no thread, no memory, no interpreter
            log.error("The painting process could not be started: %s", error)
            self._mourn()
            return 0.0
        self._child = child
        try:
            await self._watch(child)
        finally:
            self._child, self._status = None, None
            await asyncio.shield(asyncio.to_thread(end, child))
        if not child.explained:
            log.error("The painting process ended with code %s (%s)", child.process.returncode, child.said)
            self._mourn()
        self._lose_all(child)
        return time.monotonic() - child.ready_at if child.ready else 0.0

    def _mourn(self) -> None:
        """It ended without a word: too many of these, and painting pauses."""
        self._breaker.died()
        if self._breaker.position is Position.OPEN:
            log.critical("Painting pauses for %.0f s: the painting process keeps stopping", self._breaker.wait)
            self._send_back(PAUSES)

    async def _spawned(self) -> Child:
        """A new child; when this worker is closed in the meantime, the child is ended first."""
        spawning = asyncio.ensure_future(
            asyncio.to_thread(spawn, self._settings, asyncio.get_running_loop(), self._hear)
        )
        try:
            return await asyncio.shield(spawning)
        except asyncio.CancelledError:
            await asyncio.to_thread(end, await spawning)
            raise

    async def _watch(self, child: Child) -> None:
        """Return when the child is gone; kill it when it says nothing for too long."""
        while not child.gone.is_set():
            # not wait_for: in Python 3.11 it swallows a cancellation that arrives together with the event
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(1.0, self._settings.step_timeout / 4)):
                    await child.gone.wait()
            silent = time.monotonic() - child.heard
            if silent > self._patience(child):
                log.error("The painting process said nothing for %.0f s (%s); it is replaced", silent, child.said)
                child.hung = child.ready
                child.process.send_signal(signal.SIGUSR1)  # its threads' stacks go to standard error
                await asyncio.sleep(0.2)
                child.process.kill()
                await child.gone.wait()

    def _patience(self, child: Child) -> float:
        """Seconds of silence that are still believable."""
        if not child.ready:
            return max(LOAD_TIMEOUT, self._settings.step_timeout)
        sent = [painting.job.request for painting in self._paintings.values() if painting.sent]
        if not sent:
            return float("inf")
        pace = self._status.seconds_per_megapixel_step if self._status is not None else None
        usual = SLOWEST * (pace or 0.0) * sum(map(_megapixels, sent))
        return max(self._settings.step_timeout, usual, SLOWEST * child.expected)

    def _hear(self, child: Child, message: FromChild | None) -> None:
        """Runs on the event loop for every message; None is the end of the line."""
        child.heard, child.expected = time.monotonic(), 0.0
        match message:
            case None:
                child.gone.set()
            case LogLine(level, name, text):
                logging.getLogger(name).log(level, "%s", text)
            case Alive(doing, seconds):
                child.said, child.expected = doing, seconds
            case Hand(paintings):
                child.hand = paintings
            case Leaving():
                child.leaves = True
            case Ready(status):
                child.ready_at, child.said = time.monotonic(), "ready"
                self._status, self._fault, self._delay = status, "", ""
                log.info("Painting with “%s” on %s", status.card.name, status.device)
                self._send_waiting()
            case LoadFailed(sentence, may_pass):
                child.explained = True
                self._give_up(sentence, may_pass=may_pass)
            case Stepped() | Done() | Failed():
                if isinstance(message, Done | Failed):
                    self._breaker.proven()
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

    def _give_up(self, sentence: str, *, may_pass: bool) -> None:
        self._fault, self._delay = ("", sentence) if may_pass else (sentence, "")
        log.error("%s", sentence)
        if may_pass:
            self._send_back(sentence)
        else:
            for painting in self._paintings.values():
                _fail(painting, ModelUnavailable(sentence))

    def _send_back(self, sentence: str) -> None:
        """What no child has seen yet goes back to the line: another worker may paint it meanwhile."""
        for painting in self._paintings.values():
            if not painting.sent:
                _fail(painting, WorkerLost(sentence, blame=Blame.NONE))

    def _lose_all(self, child: Child | None) -> None:
        """End what the dead child was painting; what was never sent waits for the next one, unless there is none."""
        sent = [painting for painting in self._paintings.values() if painting.sent or self._closed]
        suspects = [painting for painting in sent if child is not None and painting.number in child.hand] or sent
        blame = Blame.ALONE if len(suspects) == 1 else Blame.SHARED
        for painting in sent:
            guilty = child is not None and not child.leaves and painting in suspects
            hung = child is not None and child.hung
            _fail(painting, WorkerLost(blame=blame if guilty else Blame.NONE, hung=hung))


def _tell(child: Child, painting: _Painting, message: Stepped | Done | Failed) -> None:
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
