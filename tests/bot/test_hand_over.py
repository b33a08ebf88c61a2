"""Processes on one PostgreSQL database die at chosen moments: another one ends what each of them owed, exactly once.

The stores, the line and the deliveries are the real ones; a process that dies does nothing any more, in the middle of
whatever it did, and is missed by its heartbeat. `tests/e2e/test_two_bots.py` kills real processes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.config import Config
from bot.courier import Parcel, Unavailable
from bot.delivery import Delivery
from bot.desk import Desk
from bot.order import Commission, Member
from bot.packing import Packing
from bot.policybook import PolicyBook
from bot.rulebook import RuleBook
from bot.store.database import Database, DatabaseClosed
from bot.store.processes import DEAD
from bot.studio import Studio
from bot.ticket import Tickets
from generation.errors import PaintingError
from generation.job import JobState
from generation.safety.recoding import Recoder
from tests.bot.board import Board, BoardCourier, outcomes_of
from tests.bot.test_line_machine import HandPainter
from tests.databases import on_server
from tests.orders import CHANNEL, GUILD, an_order
from tests.painter import CARD

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
BEAT = 0.2  # seconds
SILENCE = 4.0  # seconds after which a process is dead, where a test waits for it
SLACK = 3.0  # seconds, as below
PATIENCE = 15.0  # seconds, on a busy machine
WIDE = {"member": {"waiting": 50, "daily": 1e6}}
WAYS = ("to_channel", "to_person", "direct_channel", "follow_up", "rewrite", "remove", "withdraw", "find", "exists")


class Mortal(Database):
    """Nothing of it comes back once it is dead."""

    dead = False

    def __init__(self, url: str, folder: Path) -> None:
        super().__init__(url, folder)
        self.buried = asyncio.Event()  # the test is over

    async def _alive(self) -> None:
        if self.dead:
            await self.buried.wait()
            raise DatabaseClosed

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Any]:
        await self._alive()
        async with super().write() as connection:
            yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Any]:
        await self._alive()
        async with super().read() as connection:
            yield connection

    async def beside(self, work: Callable[[Any], Any]) -> Any:
        await self._alive()
        return await super().beside(work)


class Process:
    """A bot with its own connections and its own painter; the board is the Discord of all of them."""

    def __init__(self, folder: Path, url: str, board: Board) -> None:
        self.board = board
        self.painter = HandPainter()
        self.database = Mortal(url, folder)
        self.desk = Desk.over(self.database, folder)
        self.inherited: set[str] = set()  # outcomes that it was told to show
        self.cut_off = False  # from Discord
        self.last_words = ""  # what is on the board when it dies
        self._config = Config(data_dir=folder, database_url=url, limits=WIDE)

    async def open(self, stack: AsyncExitStack) -> None:
        await stack.enter_async_context(self.database)
        stack.push_async_callback(self._close)
        await self.desk.processes.join(self._config.data_dir)
        rules, policies = RuleBook(self.desk, self._config.filter), PolicyBook(self.desk.policies)
        await rules.open()
        stack.push_async_callback(rules.close)
        await policies.open()
        await self.desk.strikes.open()
        self.studio = Studio(
            self._config,
            desk=self.desk,
            rules=rules,
            policies=policies,
            workers=(self.painter,),
            card=CARD,
            alone=True,
        )
        self.studio.sharing._beat = BEAT
        courier: Any = self._courier()
        tickets = self._tickets = Tickets(self.studio, self.desk.jobs, courier)
        packing = Packing(self.desk, Recoder(None))
        delivery = self._delivery = Delivery(self.studio, self.desk, courier, tickets, packing, lambda _: None)
        listeners = self.studio.listeners
        listeners.accepted.append(tickets.open)
        listeners.claimed.append(tickets.adopt)
        listeners.waiting.append(tickets.resume)
        listeners.settled.append(delivery.settled)
        listeners.inherited += [self._inherit, delivery.settled]
        await self.studio.start()
        delivery.begin()

    async def _close(self) -> None:
        self.database.buried.set()
        self.paints()
        await self.studio.close(grace=0.0)
        await self._delivery.close()
        await self._tickets.close()

    def dies(self) -> None:
        """At once, as by `kill -9`."""
        self.database.dead = True

    async def is_dead(self) -> bool:
        return self.database.dead

    async def asks(self, member: int) -> str:
        """Somebody's request, admitted by this process."""
        order = an_order(member)
        ticket_id = self.board.ticket(order.address.interaction_id, CHANNEL)
        order = replace(order, address=replace(order.address, ticket_id=ticket_id))
        return (await self.studio.submit(order)).job_id

    async def easels(self, number: int) -> None:
        """Until it paints so many jobs."""
        async with asyncio.timeout(PATIENCE):
            while len(self.painter.easels) != number:
                await asyncio.sleep(0.01)

    def paints(self) -> None:
        """Whatever stands on its easels is finished."""
        for job_id in list(self.painter.easels):
            self.painter.end(job_id, None)

    async def _nothing_more(self) -> None:
        await self.database.buried.wait()
        raise Unavailable

    async def _inherit(self, commission: Commission) -> None:
        self.inherited.add(commission.id)

    def _courier(self) -> BoardCourier:
        courier = BoardCourier(self.board)
        for name in WAYS:
            setattr(courier, name, self._reaching(getattr(courier, name)))
        return courier

    def _reaching(self, way: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def reach(*arguments: Any, **named: Any) -> Any:
            if self.database.dead or self.cut_off:
                await self._nothing_more()
            answer = await way(*arguments, **named)
            said = next((each.text for each in arguments if isinstance(each, Parcel)), "")
            if self.last_words and self.last_words in said:
                self.dies()
                await self._nothing_more()
            return answer

        return reach


class Houses:
    """Processes over one database and one folder."""

    def __init__(self, folder: Path, url: str, stack: AsyncExitStack) -> None:
        self.board = Board()
        self.url = url
        self._folder = folder
        self._stack = stack

    async def start(self) -> Process:
        process = Process(self._folder, self.url, self.board)
        await process.open(self._stack)
        return process

    async def misses(self, process: Process) -> None:
        """Nothing was heard of it for too long; the others find that out at their next heartbeat."""
        old = f"UPDATE processes SET seen_at = seen_at - {DEAD + 1} WHERE id = '{process.database.process}'"
        await on_server(old, self.url)

    async def until(self, look: Callable[[], Awaitable[Any]]) -> Any:
        async with asyncio.timeout(PATIENCE):
            while not (found := await look()):
                await asyncio.sleep(0.02)
            return found

    async def reaches(self, job_id: str, state: JobState) -> None:
        """Until the job is in that state."""

        async def look() -> bool:
            return (await on_server(f"SELECT state FROM jobs WHERE id = '{job_id}'", self.url))[0][0] == state

        await self.until(look)

    async def let_go(self, process: Process) -> bool:
        """Whether others answer for all that was this process's."""
        return process.database.process not in (await self.holders()).values()

    async def tries(self, job_id: str) -> Any:
        """How often it was begun."""
        return (await on_server(f"SELECT attempt FROM jobs WHERE id = '{job_id}'", self.url))[0][0]

    async def holders(self) -> dict[str, str | None]:
        """Which process answers for each job."""
        return dict(await on_server("SELECT id, holder FROM jobs", self.url))  # type: ignore[arg-type]

    async def ended(self, *processes: Process) -> dict[str, Commission]:
        """All jobs, once nobody answers for any of them; each must have been shown in exactly one message."""

        async def all_over() -> bool:
            for each in processes:
                each.paints()
            return not any((await self.holders()).values())

        await self.until(all_over)
        await asyncio.sleep(2 * BEAT)  # a second message would come now
        found = {}
        for job_id in await self.holders():
            each = found[job_id] = await processes[0].studio.get(job_id)
            [shown] = outcomes_of(self.board, each)
            assert shown.is_sure
            assert bool(shown.parcel.enclosures) == (each.state is JobState.POSTED)
        return found


@pytest.fixture
async def houses(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Houses]:
    monkeypatch.setattr("generation.dispatch.POLL", 0.1)
    async with AsyncExitStack() as stack:
        yield Houses(tmp_path / "data", database_url, stack)


async def test_what_waited_and_what_was_being_painted(houses: Houses) -> None:
    first = await houses.start()
    jobs = {await first.asks(member) for member in (1, 2)}
    await first.easels(2)
    second = await houses.start()
    jobs |= {await first.asks(member) for member in (3, 4)}
    await second.easels(2)
    jobs |= {await first.asks(member) for member in (5, 6)}  # all easels are taken
    first.dies()
    await houses.misses(first)
    await houses.until(lambda: houses.let_go(first))  # their tickets are followed before they are painted
    ended = await houses.ended(second)
    assert {job_id for job_id, each in ended.items() if each.state is JobState.POSTED} == jobs
    assert sorted(job.id for job in second.painter.painted) == sorted(jobs), "each once, what the other had begun too"
    assert not first.painter.painted


async def test_a_picture_that_was_painted_and_not_shown_is_shown_from_its_file(houses: Houses) -> None:
    first = await houses.start()
    first.cut_off = True
    job_id = await first.asks(1)
    await first.easels(1)
    first.paints()
    await houses.reaches(job_id, JobState.RENDERED)
    second = await houses.start()
    first.dies()
    await houses.misses(first)
    ended = await houses.ended(second)
    assert ended[job_id].state is JobState.POSTED
    assert not second.painter.painted
    assert second.inherited == {job_id}


async def test_a_wish_to_stop_that_the_dead_one_never_heard(houses: Houses) -> None:
    first = await houses.start()
    stopped, other = await first.asks(1), await first.asks(2)
    await first.easels(2)
    second = await houses.start()
    first.dies()
    await second.studio.cancel(stopped, Member(id=1, guild_id=GUILD))
    assert JobState.RUNNING is (await second.studio.get(stopped)).state, "for all that is known it is being painted"
    await houses.misses(first)
    ended = await houses.ended(second)
    assert ended[stopped].state is JobState.CANCELLED
    assert await houses.tries(stopped) == 1, "nobody began it again"
    assert ended[stopped].refunded == ended[stopped].cost
    assert ended[other].state is JobState.POSTED
    assert [job.id for job in second.painter.painted] == [other]


@pytest.mark.parametrize(
    ("last_words", "nonces_are_forgotten"),
    [("AI-generated", False), ("AI-generated", True), ("The brush broke.", False)],
)
async def test_an_outcome_that_was_told_and_not_written_down(
    houses: Houses, last_words: str, nonces_are_forgotten: bool
) -> None:
    first = await houses.start()
    first.last_words = last_words
    if last_words != "AI-generated":
        first.painter.faults.append(PaintingError(last_words))
    job_id = await first.asks(1)
    await first.easels(1)
    first.paints()
    await houses.until(first.is_dead)
    if nonces_are_forgotten:
        houses.board.nonces = {f"{nonce} forgotten": sent for nonce, sent in houses.board.nonces.items()}
    second = await houses.start()
    before = dict(houses.board.messages)
    await houses.misses(first)
    ended = await houses.ended(second)
    assert ended[job_id].state is (JobState.POSTED if last_words == "AI-generated" else JobState.FAILED)
    assert houses.board.messages.keys() <= before.keys(), "nothing was said a second time"
    assert not second.painter.painted


async def test_of_several_that_miss_it_one_takes_over_each_job(houses: Houses, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody tells them: the dead one is missed by its silence, within its age and one heartbeat."""
    monkeypatch.setattr("bot.store.processes.DEAD", SILENCE)
    first = await houses.start()
    first.cut_off = True
    rendered = await first.asks(1)
    await first.easels(1)
    first.paints()
    await houses.reaches(rendered, JobState.RENDERED)
    running = {await first.asks(member) for member in (2, 3)}
    await first.easels(2)
    waiting = {await first.asks(member) for member in range(4, 8)}
    others = [await houses.start() for _ in range(3)]
    await asyncio.sleep(3 * BEAT)
    held = [job_id for job_id, holder in (await houses.holders()).items() if holder == first.database.process]
    assert {rendered, *running} <= {*held}, "nobody takes from one that lives"
    began = asyncio.get_running_loop().time()
    first.dies()
    await houses.until(lambda: houses.let_go(first))
    assert asyncio.get_running_loop().time() - began <= SILENCE + BEAT + SLACK
    ended = await houses.ended(*others)
    assert ended.keys() == {rendered} | running | waiting
    assert {each.state for each in ended.values()} == {JobState.POSTED}
    painted = [job.id for other in others for job in other.painter.painted]
    assert sorted(painted) == sorted(running | waiting)
    assert sum(rendered in other.inherited for other in others) == 1
