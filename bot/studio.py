"""The front desk: orders are checked, admitted, followed and cancelled here; it knows nothing of discord.py."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace

from bot.composer import Composer
from bot.config import Config
from bot.desk import Desk
from bot.ledger import UPLOAD_GONE, LineLedger, Listeners
from bot.moderation.finding import Finding
from bot.order import Admission, Commission, LineEntry, Member, Order, Quota, Standing
from bot.policybook import PolicyBook
from bot.prices import Prices
from bot.probing import Probing
from bot.rulebook import RuleBook
from bot.sharing import Sharing
from bot.standstill import CROWDED, Standstill, paused_text
from bot.store.accounts import Purses
from bot.store.audit import Act, Entry
from bot.store.jobs import LIVE
from bot.terms import Terms
from bot.uploads import Uploads
from generation.dispatch import Dispatcher
from generation.errors import BadRequest, Blocked, Cancelled, NotAllowed, Refusal, UploadsRefused
from generation.intake import clean
from generation.job import ENDED, Job, JobState, Progress
from generation.models import ModelCard
from generation.pace import Pace
from generation.queue import estimate
from generation.request import Request
from generation.workers.worker import Worker, WorkerStatus

log = logging.getLogger(__name__)

REMOVED = "The bot was removed from that server, so this was not painted any more."

Condition = Callable[[Order], Awaitable[None]]  # looks at an order before it is admitted; raises a Refusal


class Studio:
    """Admits orders and answers questions about them."""

    def __init__(
        self,
        config: Config,
        *,
        desk: Desk,
        rules: RuleBook,
        policies: PolicyBook,
        workers: Sequence[Worker],
        card: ModelCard,
        alone: bool,
        others: Mapping[str, ModelCard] | None = None,
        conditions: Sequence[Condition] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.config = config  # replaced when the file is read again; whoever asks at use has the newest
        self.rules = rules
        self.policies = policies
        self.listeners = Listeners()
        self.alone = alone  # nobody but this machine's user can be reached: the local Discord
        self.clock = clock
        self._card = card
        self.composer = Composer(lambda: self.config, lambda: self.card, others or {})
        self._jobs = desk.jobs
        self._uploads = desk.uploads
        self._keeping = Uploads(desk.uploads, desk.shelves, lambda: self.config.privacy, clock)
        self.terms = Terms(config, card, others or {}, desk)
        self._archive = desk.archive
        self._disk = desk.disk
        self._audit = desk.audit
        self._conditions = (*conditions, self._upload_is_kept, self.terms.condition)
        self._workers = tuple(workers)
        self._pace = Pace()
        self._prices = Prices(config.costs)
        self.probing = Probing(lambda: self.config.probing, desk.probing, clock)
        self._work_left: dict[str, float] = {}  # megapixel-steps of the running jobs that are still to be painted
        self.listeners.settled.append(self._forget_progress)
        self.standstill = Standstill(desk.house_words, policies, clock)
        self.standstill.reasons += [self._engine_pauses, self._is_crowded]
        self._following: asyncio.Task[None] | None = None
        self._ledger = LineLedger(desk, rules, policies, self.standstill, self._pace, self.listeners, self._work_left)
        self._dispatcher = Dispatcher(self._ledger, self._workers, self._on_progress, self.standstill.look_again)
        self.standstill.changed.append(self._dispatcher.notify)
        self.sharing = Sharing(desk, rules, policies, self._dispatcher, self.listeners)

    async def start(self) -> None:
        """Take up what a former process left, then begin to paint."""
        await self.probing.open()
        await self.standstill.open()
        self._following = asyncio.create_task(self.standstill.follow(), name="standstill")
        await self.sharing.start()
        await self._dispatcher.start()

    async def close(self, *, grace: float) -> None:
        """Stop claiming; running jobs may finish for `grace` seconds, then they go back to the line.

        Orders are still admitted, and painted after the next start.
        """
        self._dispatcher.stop()
        self.standstill.close()
        if self._following is not None:
            await self._following
        await self._dispatcher.close(grace=grace)
        await self.sharing.close()
        await self.probing.close()
        await self._disk.close()

    # -- what is there -----------------------------------------------------------------------------------------------

    @property
    def status(self) -> WorkerStatus | None:
        """What the engine says of itself; None while it loads."""
        return next((worker.status for worker in self._workers if worker.status is not None), None)

    @property
    def engine_trouble(self) -> str:
        """Why painting pauses, in a sentence for members; empty when it does not."""
        troubles = [worker.trouble for worker in self._workers]
        return troubles[0] if troubles and all(troubles) else ""

    @property
    def card(self) -> ModelCard:
        """The model in service; before it is loaded, what its files say."""
        return self.status.card if self.status is not None else self._card

    def _engine_pauses(self, _: int | None) -> str:
        return paused_text(self.engine_trouble) if self.engine_trouble else ""

    def _is_crowded(self, _: int | None) -> str:
        return f"-# {CROWDED}" if self.listeners.are_crowded() else ""

    @property
    def accepts_uploads(self) -> bool:
        """Whether a checker could judge pictures painted from uploads; counts as yes while the engine loads."""
        return self.status is None or self.status.accepts_uploads

    # -- admission ---------------------------------------------------------------------------------------------------

    def check(self, order: Order) -> None:
        """Refuse what needs no look into the store: pauses, words, uploads nobody could judge. Never waits."""
        with self._refusals_told():
            self._disk.check()
            self.probing.check(order.member)
            self._refuse(order, self.rules.check(order.place, order.request, patterns=False))

    async def submit(self, order: Order) -> Admission:
        """Admit `order`: checked, charged and committed when this returns. Raises a Refusal with nothing charged."""
        with self._refusals_told():
            self._disk.check()
            self.probing.check(order.member)
            finding = await self.rules.examine(order.place, order.request)
            self._refuse(order, finding)
            for condition in self._conditions:
                await condition(order)
            await self._archive.take_up(order.member.id)
            allowance, limit = self.config.tier_of(order.member, self.clock()).allowance, self.config.line.waiting
            cost, purses = self._cost(order.request), self._purses(order.member)
            admitted = await self._jobs.admit(order, cost, allowance, limit, purses)
        if not admitted.repeated:
            self.rules.note(order.place, order.member.id, finding)
            await self.listeners.tell(self.listeners.accepted, admitted.commission)
            self._dispatcher.notify()
        return Admission(job_id=admitted.commission.id, repeated=admitted.repeated)

    def _refuse(self, order: Order, finding: Finding) -> None:
        """Raise Blocked for a finding that blocks, noted behind the answer; refuse uploads nobody could judge."""
        if finding.blocks:
            self.rules.note(order.place, order.member.id, finding)
            if finding.punishable:
                self.probing.note(order.member)
            raise Blocked(finding.sentence, punishable=finding.punishable)
        if order.request.image is not None and not self.accepts_uploads:
            raise UploadsRefused()

    @asynccontextmanager
    async def kept_upload(self, data: bytes) -> AsyncIterator[str]:
        """Make an uploaded picture safe and keep it; yields its SHA-256. Raises a Refusal.

        With a Refusal inside it is forgotten again, so that somebody without credits cannot fill the disk.
        """
        if not self.accepts_uploads:
            raise UploadsRefused()
        async with self._keeping.kept(await clean(data)) as sha256:
            yield sha256

    async def load_upload(self, sha256: str) -> bytes | None:
        """The kept picture, or None when it is gone."""
        return await self._uploads.get(sha256)

    async def _upload_is_kept(self, order: Order) -> None:
        if order.request.image is not None and not await self._uploads.has(order.request.image):
            raise BadRequest(UPLOAD_GONE)

    def _cost(self, request: Request) -> float:
        return self._prices.cost(request, self.card, self.config.dream.steps or self.card.steps)

    def _purses(self, member: Member) -> Purses:
        budgets, weights = self.config.budgets, self.config.line.weights
        return Purses(budgets.server.budget(), budgets.house.budget(), weights.get(member.guild_id or 0, 1.0))

    @contextmanager
    def _refusals_told(self) -> Iterator[None]:
        try:
            yield
        except Refusal as refusal:
            for listener in self.listeners.refused:
                listener(refusal)
            raise

    # -- following ---------------------------------------------------------------------------------------------------

    async def get(self, job_id: str) -> Commission | None:
        """The stored job, or None when there never was one."""
        return await self._jobs.get(job_id)

    async def standing(self, job_id: str) -> Standing:
        """Place and honest estimate of a job; raises BadRequest when it is not known."""
        commission = await self._jobs.get(job_id)
        if commission is None:
            raise BadRequest("That picture is not known here.")
        return await self._standing(commission)

    async def _standing(self, commission: Commission) -> Standing:
        if commission.state is not JobState.ACCEPTED:
            elsewhere = commission.state is JobState.RUNNING and not self._jobs.is_ours(commission)
            seconds = self._seconds_left(commission)
            return Standing(state=commission.state, ahead=0, seconds=seconds, elsewhere=elsewhere)
        ahead, work, pictures = await self._jobs.ahead(commission.id, self.standstill.resting())
        own = self._seconds_alone(commission.request.megapixel_steps, commission.request.count)
        before = self._paced(work, pictures)
        guild_id = commission.address.guild_id
        still = bool(self.standstill.why(guild_id))  # then nobody knows how long it takes
        seconds = None if own is None or before is None or still else estimate(before, own, len(self._workers))
        words = self.standstill.words(guild_id)
        return Standing(state=commission.state, ahead=ahead, seconds=seconds, words=words)

    async def line(self, guild_id: int | None) -> list[LineEntry]:
        """The line of one guild as /queue shows it: what is being painted first, then the fair order."""
        return [
            LineEntry(
                job_id=commission.id,
                author_id=commission.author_id,
                state=commission.state,
                ahead=place,
                prompt=commission.request.prompt,
                channel_id=commission.address.channel_id,
            )
            for commission, place in await self._jobs.line(guild_id, self.standstill.resting())
            if not commission.address.private
        ]

    async def quota(self, member: Member) -> Quota:
        """What the member may still spend."""
        await self._archive.take_up(member.id)
        grade = self.config.tier_of(member, self.clock())
        quota = await self._jobs.quota(member.guild_id, member.id, grade.allowance, self._purses(member))
        return replace(quota, tier=grade.name, newcomer_until=grade.newcomer_until)

    # -- ending ------------------------------------------------------------------------------------------------------

    async def cancel(self, job_id: str, member: Member) -> None:
        """Stop a job at the author's or a moderator's wish; raises NotAllowed or BadRequest."""
        commission = await self._jobs.get(job_id)
        if commission is None or commission.address.guild_id != member.guild_id:
            raise BadRequest("That picture is not known here.")
        if commission.author_id != member.id and not member.moderator:
            raise NotAllowed("Only the person who asked for it, or a moderator, can cancel it.")
        if commission.state in ENDED or commission.state is JobState.RENDERED:
            raise BadRequest("That picture is finished already.")
        await self._stop(job_id, Cancelled().sentence)
        if commission.author_id != member.id:
            guild_id, author_id = member.guild_id, commission.author_id
            await self._audit.add(
                Entry(guild_id=guild_id, actor_id=member.id, action=Act.CANCELLED, member_id=author_id)
            )

    async def cancel_all(self, member: Member) -> int:
        """Cancel everything the member has in the line; returns how many jobs that were."""
        own = await self._jobs.in_state(*LIVE, author_id=member.id)
        for commission in own:
            await self._stop(commission.id, Cancelled().sentence)
        return len(own)

    async def cancel_server(self, guild_id: int) -> None:
        """The bot was removed from a server: what still waits for its channels ends here."""
        for commission in await self._jobs.in_state(*LIVE, guild_id=guild_id):
            if commission.address.channel_reachable:
                await self._stop(commission.id, REMOVED)

    async def _stop(self, job_id: str, reason: str) -> None:
        """End a live job with `reason`; whoever paints it, here or in another process, stops at the next step."""
        if self._dispatcher.cancel(job_id):
            return
        if await self._ledger.end(job_id, JobState.CANCELLED, reason, only_from=(JobState.ACCEPTED,), give_back=1.0):
            return
        if not await self._jobs.ask_to_stop(job_id):
            await self._ledger.end(job_id, JobState.CANCELLED, reason, give_back=1.0)

    async def undeliverable(self, job_id: str, reason: str) -> None:
        """A painted job that can be shown nowhere ends here."""
        await self._jobs.end(job_id, JobState.FAILED, reason, only_from=(JobState.RENDERED,), give_back=True)

    # -- time --------------------------------------------------------------------------------------------------------

    def _on_progress(self, job: Job, progress: Progress) -> None:
        left = 1.0 - progress.step / max(1, progress.steps)
        self._work_left[job.id] = job.request.megapixel_steps * left
        for listener in self.listeners.progress:
            listener(job.id, progress)

    async def _forget_progress(self, commission: Commission) -> None:
        self._work_left.pop(commission.id, None)
        if commission.state is JobState.RENDERED:
            self._prices.observe(commission.request, commission.seconds)

    def _seconds_left(self, commission: Commission) -> float | None:
        """Of a running job: the engine paints all of them together, and those with less work left end before it."""
        if commission.state is not JobState.RUNNING:
            return 0.0
        own = self._work_left.get(commission.id, commission.request.megapixel_steps)
        sooner = sum(left for job_id, left in self._work_left.items() if job_id != commission.id and left <= own)
        alone = self._seconds_alone(own, commission.request.count)
        together = self._paced(own + sooner / max(1, len(self._workers)), commission.request.count)
        return None if alone is None or together is None else max(alone, together)

    def _seconds_alone(self, megapixel_steps: float, pictures: int) -> float | None:
        """Steps of a picture that shares its calls with nobody take longer than its share of a full call."""
        factor = self.status.alone_factor if self.status is not None else 1.0
        return self._paced(megapixel_steps * factor, pictures)

    def _paced(self, megapixel_steps: float, pictures: int) -> float | None:
        if not self._pace.known and self.status is not None and self.status.seconds_per_megapixel_step is not None:
            self._pace.start_from(self.status.seconds_per_megapixel_step)
        return self._pace.seconds(megapixel_steps, pictures)
