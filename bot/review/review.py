"""Review as the client knows it: opens cases, answers their buttons, does their errands, takes reports."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.answer import Interaction
from bot.courier import Courier, Parcel
from bot.delivery import Delivery
from bot.desk import Desk
from bot.order import Commission, Order
from bot.policybook import PolicyBook
from bot.press import CasePress
from bot.review.case import Case, Ruling
from bot.review.deciding import Deciding
from bot.review.evidence import Evidence, Seat
from bot.review.guild_rules import GuildRules
from bot.review.presses import CasePresses
from bot.review.reporting import Reporting
from bot.review.runner import Runner
from bot.review.showing import Showing
from bot.review.standing import Standing
from bot.review.strikes import ban_sentence
from bot.review.words import HIDDEN
from bot.review.work import CaseWork
from bot.sections import Moderation
from bot.store.strikes import StrikeStore
from generation.errors import BadRequest, NotAllowed
from generation.safety.approved import Approved


class Review:
    """One for the whole house."""

    def __init__(
        self,
        desk: Desk,
        courier: Courier,
        delivery: Delivery,
        policies: PolicyBook,
        settings: Callable[[], Moderation],
        clock: Callable[[], float],
    ) -> None:
        self._desk = desk
        self._settings = settings
        self.rules = GuildRules(policies, settings)
        self._evidence = Evidence(desk, courier, self.rules)
        self._showing = Showing(desk, courier, delivery, policies)
        self._work = CaseWork(desk, courier, self._showing, self.rules, clock)
        self.runner = Runner(desk.errands, self._work.do)
        self.reporting = Reporting(desk, self.rules, self.runner, settings)
        self.deciding = Deciding(desk, self.rules, self.runner)
        self.standing = Standing(desk.strikes, self.rules, courier)
        self._presses = CasePresses(desk, self._work, self.deciding, self.rules, self.runner)

    @property
    def owner_channel(self) -> int:
        """Where cases from outside of servers are shown; 0: nowhere."""
        return self._settings().owner_channel

    async def settled(self, commission: Commission) -> None:
        """A job has an outcome: open a case for each picture that was kept back."""
        for case_id in await self._desk.cases.open_held(commission.id):
            self.runner.wake(case_id)

    async def recover(self) -> None:
        """After a restart: open what a former process could not, and go on with what it left."""
        await self._desk.cases.open_held()
        if self.owner_channel:
            await self._desk.cases.requeue(None)
        await self.runner.recover()

    async def show_waiting(self, guild_id: int) -> int:
        """Have open cases that nobody could see so far put into the queue; returns how many those are."""
        waiting = await self._desk.cases.requeue(guild_id)
        for case_id in waiting:
            self.runner.wake(case_id)
        return len(waiting)

    async def parcel(self, case: Case, seat: Seat) -> Parcel:
        """A case as moderators see it from there; raises BadRequest when its job is forgotten."""
        commission = await self._desk.jobs.get(case.job_id)
        if commission is None:
            raise BadRequest("What this case was about is not kept any more.")
        return await self._work.parcel(case, commission, seat)

    async def evidence(self, case: Case) -> list[Approved]:
        """What moderators look at while a case is open; every one of it has passed the gate."""
        commission = await self._desk.jobs.get(case.job_id)
        if not case.open or commission is None:
            return []
        return [*(await self._evidence.of(case, commission, Seat(alone=True))).pictures]

    async def covered(self, job_id: str) -> bool:
        """Whether a picture taken out of this job goes behind a spoiler; raises BadRequest while it is hidden."""
        cases = await self._desk.cases.of_job(job_id)
        if any(case.hidden and case.open for case in cases):
            raise BadRequest(HIDDEN)
        return any(case.ruling is Ruling.SPOILER for case in cases)

    async def pressed(self, interaction: Interaction, press: CasePress) -> None:
        """Answer a button of a case."""
        await self._presses.pressed(interaction, press)

    async def submitted(self, interaction: Interaction, press: CasePress) -> None:
        """Answer a form of a case."""
        await self._presses.submitted(interaction, press)

    async def close(self) -> None:
        """Begin nothing more; what is left is taken up at the next start."""
        await self.runner.close()


def unless_banned(strikes: StrikeStore) -> Callable[[Order], Awaitable[None]]:
    """The condition that members may paint where they ask; raises NotAllowed with how long and how to appeal."""

    async def check(order: Order) -> None:
        ban = await strikes.ban_of(order.member.guild_id, order.member.id)
        if ban is not None:
            raise NotAllowed(ban_sentence(ban))

    return check
