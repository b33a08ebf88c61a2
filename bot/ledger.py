"""The line's memory as the dispatcher uses it: the store, plus everybody who has to be told."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from bot.desk import Desk
from bot.order import Commission
from bot.rulebook import RuleBook
from bot.store.jobs import LIVE
from generation.dispatch import MAX_ATTEMPTS
from generation.errors import Blocked, Cancelled, NotApproved, PaintingError
from generation.job import Job, JobState, Progress, Result
from generation.pace import Pace

log = logging.getLogger(__name__)

UPLOAD_GONE = "The picture to start from is no longer kept; please upload it again."

LOOKED_AT = "A moderator will look at it; you need not do anything."

Listener = Callable[[Commission], Awaitable[None]]
ProgressListener = Callable[[str, Progress], None]


@dataclass(slots=True)
class Listeners:
    """Who is told what; filled by the Discord edge at start."""

    accepted: list[Listener] = field(default_factory=list)  # a job was admitted
    progress: list[ProgressListener] = field(default_factory=list)  # a step was painted; must return at once
    settled: list[Listener] = field(default_factory=list)  # rendered, failed, cancelled or blocked: show it

    async def tell(self, listeners: list[Listener], commission: Commission) -> None:
        """Call every listener; one that fails must not keep the others, or the line, from going on."""
        for listener in listeners:
            try:
                await listener(commission)
            except Exception:  # the job's state is already committed; delivery takes it up again at the next start
                log.exception("job %s: a listener failed", commission.id)


class LineLedger:
    """Implements generation.dispatch.Ledger over the store."""

    def __init__(
        self,
        desk: Desk,
        rules: RuleBook,
        pace: Pace,
        listeners: Listeners,
    ) -> None:
        self._jobs = desk.jobs
        self._pictures = desk.pictures
        self._uploads = desk.uploads
        self._rules = rules
        self._pace = pace
        self._listeners = listeners

    async def claim(self) -> Job | None:
        """The next job; whatever the filter forbids by now ends here instead of being painted."""
        while (job := await self._jobs.claim()) is not None:
            try:
                ready = await self._prepared(job)
            except Exception:
                await self._jobs.release(job)  # otherwise it would count as running while nobody paints it
                raise
            if ready is not None:
                return ready
        return None

    async def _prepared(self, job: Job) -> Job | None:
        """The claimed job with all it needs; None when it has ended here instead."""
        commission = await self._jobs.get(job.id)
        assert commission is not None, "a claimed job exists"
        sentence = self._rules.check(commission.address.guild_id, job.request)
        if sentence is not None:
            await self.end(job.id, JobState.BLOCKED, sentence, give_back=True)
            return None
        if job.request.image is None:
            return job
        image = await self._upload_of(job, job.request.image)
        if image is not None:
            return replace(job, image=image)
        await self.end(job.id, JobState.FAILED, UPLOAD_GONE, give_back=True)
        return None

    async def _upload_of(self, job: Job, sha256: str) -> bytes | None:
        try:
            return await self._uploads.get(sha256)
        except OSError:
            if job.attempt < MAX_ATTEMPTS:
                raise
            log.exception("job %s: its upload cannot be read", job.id)  # one bad file must not stop the whole line
            return None

    async def rendered(self, job: Job, result: Result) -> None:
        """Keep the pictures and have them shown; a result without one approved picture ends the job.

        What the gate kept back is stored all the same: moderators may still let it through.
        """
        reason = None
        if all(picture.approved is None for picture in result.pictures):
            withheld = next((picture.withheld for picture in result.pictures if picture.withheld), "")
            reason = withheld or Blocked().sentence
            if any(picture.held is not None for picture in result.pictures):
                reason = f"{reason} {LOOKED_AT}"
        await self._pictures.keep_bytes(result)
        if await self._jobs.rendered(job, result, withheld=reason):
            self._pace.observe(job.request, result.seconds)
            await self._settled(job.id)

    async def failed(self, job: Job, error: PaintingError) -> None:
        """End the job with the error's sentence; only what the member stopped counts as cancelled."""
        if isinstance(error, NotApproved) and error.flagged:  # nothing failed: it was painted, seen and withheld
            await self.end(job.id, JobState.BLOCKED, error.sentence)
            return
        state = JobState.CANCELLED if isinstance(error, Cancelled) else JobState.FAILED
        await self.end(job.id, state, error.sentence, give_back=True)

    async def released(self, job: Job) -> None:
        """Back to its place in the line."""
        await self._jobs.release(job)

    async def end(self, job_id: str, state: JobState, reason: str, *, give_back: bool = False) -> bool:
        """End a live job and have the outcome shown; False when it had ended already."""
        ended = await self._jobs.end(job_id, state, reason, only_from=LIVE, give_back=give_back)
        if ended:
            await self._settled(job_id)
        return ended

    async def _settled(self, job_id: str) -> None:
        commission = await self._jobs.get(job_id)
        if commission is not None:
            await self._listeners.tell(self._listeners.settled, commission)
