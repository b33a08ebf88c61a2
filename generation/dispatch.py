"""Carries admitted jobs from the line to free workers and brings the outcomes back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from generation.errors import AtelierError, Blame, Cancelled, PaintingError, Refusal, WorkerLost
from generation.job import Job, Progress, Result
from generation.suspects import Suspects
from generation.workers.worker import Worker

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 3  # a job that took its worker down this often is given up: it would go on for ever
MAX_HANGS = 2  # sooner where the worker hung: each time costs everybody the watch's patience
ALONE = "the painting process stopped meanwhile; waiting to be painted once more, alone"
POLL = 2.0  # seconds after which an idle place looks by itself: another process may have enqueued
STORE_RETRY = 1.0  # seconds to wait when the store cannot be asked


class Ledger(Protocol):
    """The memory of the line; every method commits before it returns."""

    async def claim(self) -> Job | None:
        """The next job in the fair order, now running, its attempt raised; None when nobody waits."""
        ...

    async def rendered(self, job: Job, result: Result) -> None:
        """Keep the pictures; from here on the job only has to be shown."""
        ...

    async def failed(self, job: Job, error: PaintingError) -> None:
        """End the job with the reason and give its cost back."""
        ...

    async def released(self, job: Job) -> None:
        """Put the job back where it was in the line."""
        ...

    async def crashed(self, job: Job) -> None:
        """Put the job back where it was in the line, with one crash more to its name."""
        ...


class Dispatcher:
    """Keeps every worker as busy as the line allows: one task claims for each, and one paints each job."""

    def __init__(
        self,
        ledger: Ledger,
        workers: Sequence[Worker],
        on_progress: Callable[[Job, Progress], None],
        on_trouble: Callable[[], None] = lambda: None,
    ) -> None:
        self._ledger = ledger
        self._workers = tuple(workers)
        self._on_progress = on_progress
        self._on_trouble = on_trouble  # told when a worker's trouble begins, changes or ends
        self._wake = asyncio.Event()
        self._running: dict[str, Worker] = {}
        self._cancelled: set[str] = set()  # running jobs that were asked to stop
        self._culprits: set[str] = set()  # jobs that were alone at work when a worker was lost
        self._stopping = False
        self._claiming: list[asyncio.Task[None]] = []
        self._painting: set[asyncio.Task[None]] = set()

    @property
    def running(self) -> frozenset[str]:
        """Ids of the jobs being painted now."""
        return frozenset(self._running)

    async def start(self) -> None:
        """Start the workers and begin to claim."""
        for worker in self._workers:
            await worker.start()
            self._claiming.append(asyncio.create_task(self._serve(worker), name="claim"))

    def notify(self) -> None:
        """Somebody joined the line."""
        self._wake.set()

    def cancel(self, job_id: str) -> bool:
        """Ask a running job to stop at its next step; False when it is not running."""
        worker = self._running.get(job_id)
        if worker is not None:
            self._cancelled.add(job_id)
            worker.cancel(job_id)
            self._wake.set()  # one that is set aside ends here
        return worker is not None

    def stop(self) -> None:
        """Claim nothing more."""
        self._stopping = True
        self._wake.set()

    async def close(self, *, grace: float) -> None:
        """Claim nothing more; let running jobs finish for `grace` seconds, then put them back and stop the workers."""
        self.stop()
        painting = any(worker.status is not None for worker in self._running.values())  # none does while it loads
        await self._ended(grace if painting else 1.0)
        for worker in self._workers:
            await worker.close()  # whatever still paints ends in WorkerLost and is put back by its own task
        for task in await self._ended(5.0):
            task.cancel()

    async def _ended(self, patience: float) -> set[asyncio.Task[None]]:
        """Wait for all tasks, those too that began in the meantime; returns the late ones."""
        last = time.monotonic() + patience
        late: set[asyncio.Task[None]] = set()
        if self._claiming:
            _, late = await asyncio.wait(self._claiming, timeout=patience)
        if self._painting:
            _, painting = await asyncio.wait(set(self._painting), timeout=max(0.0, last - time.monotonic()))
            late |= painting
        return late

    async def _serve(self, worker: Worker) -> None:
        mine: set[asyncio.Task[None]] = set()
        alone: asyncio.Task[None] | None = None
        suspects, trouble = Suspects(), ""
        while not self._stopping:
            if worker.trouble != trouble:
                trouble = worker.trouble
                self._on_trouble()
            self._wake.clear()  # before asking, so that whoever joins during the question is not missed
            room = 0 if alone in mine else worker.capacity - len(mine)
            try:
                job = await self._next(worker, suspects, room=room, aboard=len(mine))
            except Exception:  # the loop must survive a locked or full database: the line waits, nothing is lost
                log.exception("The line could not be read; trying again")
                await asyncio.sleep(STORE_RETRY)
                continue
            if job is None:
                await self._wait()
                continue
            task = self._begin(worker, job, mine)
            if job.crashes:  # it may be what took the worker down: nobody is to go down with it again
                alone = task
        for job in suspects.empty():
            self._running.pop(job.id, None)
            await self._settle(self._ledger.released, job)

    async def _next(self, worker: Worker, suspects: Suspects, *, room: int, aboard: int) -> Job | None:
        """A job that may begin now; one that may have taken a worker down only where nobody else is aboard."""
        while room > 0 and not suspects.due:
            job = await self._ledger.claim()
            if job is None:
                break
            if self._stopping:  # since the line was asked: nothing begins any more
                await self._settle(self._ledger.released, job)
                return None
            self._running[job.id] = worker  # from here on a cancellation has to reach it
            if not job.crashes:
                return job
            log.info("job %s: set aside, to be painted alone", job.id)
            suspects.hold(job, known=job.crashes > 1 or job.id in self._culprits)
            self._culprits.discard(job.id)  # from now on its count says so
            self._on_progress(job, Progress(step=0, steps=job.request.steps, doing=ALONE))
        stopped = suspects.withdraw(self._cancelled)
        return stopped or (suspects.take() if room > 0 and not aboard else None)

    def _begin(self, worker: Worker, job: Job, mine: set[asyncio.Task[None]]) -> asyncio.Task[None]:
        task = asyncio.create_task(self._paint(worker, job), name=f"paint-{job.id}")
        for group in (mine, self._painting):
            group.add(task)
            task.add_done_callback(group.discard)
        task.add_done_callback(lambda _: self._wake.set())  # a place is free
        return task

    async def _wait(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL):
                await self._wake.wait()

    async def _paint(self, worker: Worker, job: Job) -> None:
        log.info("job %s: painting, attempt %d", job.id, job.attempt)
        try:
            self._heed(job)
            result = await worker.paint(job, lambda progress: self._on_progress(job, progress))
            self._heed(job)
            await self._settle(self._ledger.rendered, job, result)
        except WorkerLost as error:
            await self._lost(job, error)
        except PaintingError as error:
            level = logging.INFO if isinstance(error, Cancelled) else logging.WARNING
            log.log(level, "job %s: %s", job.id, error.sentence, exc_info=error.__cause__)
            await self._settle(self._ledger.failed, job, error)
        except Refusal as error:  # what only the engine can know does not fit: the member is told what
            log.info("job %s: %s", job.id, error.sentence)
            await self._settle(self._ledger.failed, job, PaintingError(error.sentence))
        except Exception as error:  # whatever it was, this job ends with a sentence and the next one is served
            log.exception("job %s: unexpected fault", job.id)
            failure = error if isinstance(error, PaintingError) else PaintingError()
            await self._settle(self._ledger.failed, job, failure)
        finally:
            self._running.pop(job.id, None)
            self._cancelled.discard(job.id)

    def _heed(self, job: Job) -> None:
        """A cancellation may come before the worker knows the job, and when it has done its part."""
        if job.id in self._cancelled:
            raise Cancelled

    async def _lost(self, job: Job, error: WorkerLost) -> None:
        if job.id in self._cancelled:  # a worker that hangs until it is replaced has not heard of it
            await self._settle(self._ledger.failed, job, Cancelled())
        elif self._stopping or error.blame is Blame.NONE:
            log.info("job %s: its worker is lost, back to the line", job.id)
            await self._settle(self._ledger.released, job)
        elif job.crashes + 1 < (MAX_HANGS if error.hung else MAX_ATTEMPTS):
            log.warning("job %s: worker lost while it was worked at, back to the line", job.id)
            if error.blame is Blame.ALONE:
                self._culprits.add(job.id)
            await self._settle(self._ledger.crashed, job)
        else:
            log.error("job %s: took its worker down %d times, given up", job.id, job.crashes + 1)
            await self._settle(self._ledger.failed, job, error)

    async def _settle(self, write: Callable[..., object], *values: object) -> None:
        """Write an outcome until the store takes it: a full disk must not turn a painted picture into a lost one."""
        while True:
            try:
                await write(*values)  # type: ignore[misc]
                return
            except AtelierError:
                raise
            except Exception:
                log.exception("The store did not take an outcome; trying again")
                if self._stopping:
                    return  # the lease runs out and the next start takes the job up again
                await asyncio.sleep(STORE_RETRY)
