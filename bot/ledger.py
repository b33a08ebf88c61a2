"""The line's memory as the dispatcher uses it: the store, plus everybody who has to be told."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field, replace

from bot.desk import Desk
from bot.moderation import absolute
from bot.moderation.verdict import Decision
from bot.order import Commission
from bot.policybook import PolicyBook
from bot.review.strikes import ban_sentence
from bot.rulebook import RuleBook
from bot.standstill import Standstill
from bot.store.jobs import LIVE
from bot.store.rows import UnreadableRequest
from generation.dispatch import MAX_ATTEMPTS
from generation.errors import Blocked, Cancelled, NotApproved, PaintingError, Refusal
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
    claimed: list[Listener] = field(default_factory=list)  # this process is about to paint it
    inherited: list[Listener] = field(default_factory=list)  # its outcome is this process's to show; perhaps told again
    waiting: list[Callable[[], Awaitable[None]]] = field(default_factory=list)  # jobs in the line were taken over
    moved: list[Callable[[], None]] = field(default_factory=list)  # another process took from the line; at once
    progress: list[ProgressListener] = field(default_factory=list)  # a step was painted; must return at once
    returned: list[Callable[[str], None]] = field(default_factory=list)  # it waits in the line again; at once
    settled: list[Listener] = field(default_factory=list)  # rendered, failed, cancelled or blocked: show it
    refused: list[Callable[[Refusal], None]] = field(default_factory=list)  # an order was not admitted
    crowded: list[Callable[[], bool]] = field(default_factory=list)  # whether more results than sensible wait already

    def are_crowded(self) -> bool:
        """Whether anybody cannot take more results for now."""
        return any(full() for full in self.crowded)

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
        policies: PolicyBook,
        standstill: Standstill,
        pace: Pace,
        listeners: Listeners,
        work_left: MutableMapping[str, float],  # megapixel-steps of the running jobs that are still to be painted
    ) -> None:
        self._jobs = desk.jobs
        self._pictures = desk.pictures
        self._uploads = desk.uploads
        self._preferences = desk.preferences
        self._strikes = desk.strikes
        self._disk = desk.disk
        self._rules = rules
        self._policies = policies
        self._standstill = standstill
        self._pace = pace
        self._listeners = listeners
        self._work_left = work_left

    async def claim(self) -> Job | None:
        """The next job; whatever the filter forbids by now ends here instead of being painted.

        Nothing is painted while the house pauses, or while nobody can be shown what was painted: it would only go out
        of date on the disk.
        """
        if self._standstill.house is not None or self._listeners.are_crowded():
            return None
        while (job := await self._disk.insist(self._claimed)) is not None:
            try:
                ready = await self._prepared(job)
            except Exception:
                await self.released(job)  # otherwise it would count as running while nobody paints it
                raise
            if ready is not None:
                return ready
        return None

    async def _claimed(self) -> Job | None:
        """The next job; those of a version that allowed what this one does not end here, and the line goes on."""
        while True:
            try:
                return await self._jobs.claim(self._standstill.resting())
            except UnreadableRequest as error:
                log.error("job %s: its request cannot be read", error.job_id, exc_info=error.__cause__)
                await self.end(error.job_id, JobState.FAILED, error.sentence, give_back=True)

    async def _prepared(self, job: Job) -> Job | None:
        """The claimed job with all it needs; None when it has ended here instead."""
        commission = await self._jobs.get(job.id)
        if commission is None or commission.state is not JobState.RUNNING:
            return None  # ended or deleted by another process since it was claimed
        await self._listeners.tell(self._listeners.claimed, commission)
        if commission.stopping:  # it was asked for while a process painted that is gone
            await self.end(job.id, JobState.CANCELLED, Cancelled().sentence, give_back=True, claim=job)
            return None
        ban = await self._strikes.ban_of(commission.address.guild_id, commission.author_id)
        if ban is not None:  # since it was asked
            await self.end(job.id, JobState.CANCELLED, ban_sentence(ban), give_back=True, claim=job)
            return None
        place = commission.place
        finding = await self._rules.examine(place, job.request)  # rules may have changed since it was asked
        if finding.blocks:
            self._rules.note(place, commission.author_id, finding)
            await self.end(job.id, JobState.BLOCKED, finding.sentence, give_back=True, claim=job)
            return None
        job = replace(
            job,
            clearance=self._policies.of(place).clearance(place),
            strict=absolute.hints_at_minors(job.request),
            review=finding.severity is Decision.REVIEW,
            embed_prompt=await self._preferences.embeds_prompt(commission.author_id),
        )
        if job.request.image is None:
            return job
        image = await self._upload_of(job, job.request.image)
        if image is not None:
            return replace(job, image=image)
        await self.end(job.id, JobState.FAILED, UPLOAD_GONE, give_back=True, claim=job)
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
        # While the disk is full a finished picture waits here; keeping the same bytes again costs nothing.
        await self._disk.insist(lambda: self._pictures.keep_bytes(result))
        if await self._disk.insist(lambda: self._jobs.rendered(job, result, withheld=reason)):
            self._pace.observe(job.request, result.seconds)
            await self._settled(job.id)

    async def failed(self, job: Job, error: PaintingError) -> None:
        """End the job with the error's sentence; only what the member stopped counts as cancelled, and is charged."""
        await self._disk.insist(lambda: self._fail(job, error))

    async def _fail(self, job: Job, error: PaintingError) -> None:
        if isinstance(error, NotApproved) and error.flagged:  # nothing failed: it was painted, seen and withheld
            await self.end(job.id, JobState.BLOCKED, error.sentence, claim=job)
            return
        if isinstance(error, Cancelled):
            unpainted = self._work_left.get(job.id, job.request.megapixel_steps) / job.request.megapixel_steps
            await self.end(job.id, JobState.CANCELLED, error.sentence, give_back=unpainted, claim=job)
        else:
            await self.end(job.id, JobState.FAILED, error.sentence, give_back=1.0, claim=job)

    async def released(self, job: Job) -> None:
        """Back to its place in the line; it will be painted from the beginning."""
        await self._put_back(job, crashed=False)

    async def crashed(self, job: Job) -> None:
        """As `released`, with one crash more to its name."""
        await self._put_back(job, crashed=True)

    async def _put_back(self, job: Job, *, crashed: bool) -> None:
        self._work_left.pop(job.id, None)
        await self._disk.insist(lambda: self._jobs.release(job, crashed=crashed))
        for listener in self._listeners.returned:
            listener(job.id)

    async def end(
        self,
        job_id: str,
        state: JobState,
        reason: str,
        *,
        give_back: float = 0.0,
        claim: Job | None = None,
        only_from: tuple[JobState, ...] = LIVE,
    ) -> bool:
        """End a live job, give back that share of its cost and have the outcome shown.

        False when it had ended, or when `claim` was overtaken: then it is another process's to end.
        """
        ended = await self._jobs.end(job_id, state, reason, only_from=only_from, give_back=give_back, claim=claim)
        if ended:
            await self._settled(job_id)
        return ended

    async def _settled(self, job_id: str) -> None:
        commission = await self._jobs.get(job_id)
        if commission is not None:
            await self._listeners.tell(self._listeners.settled, commission)
