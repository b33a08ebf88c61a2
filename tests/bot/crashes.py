"""Deliveries that are torn off at a chosen moment and taken up by a new process, over one database and one Discord."""

from __future__ import annotations

import asyncio
import time
import types
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import discord

from bot.courier import Courier
from bot.delivery import Delivery
from bot.order import Commission
from bot.packing import Packing
from bot.playground.ids import DM_IDS
from bot.sections import Tier
from bot.ticket import Tickets
from bot.whisper import COMING
from generation.errors import Cancelled, PaintingError
from generation.safety.recoding import Recoder
from tests.bot.town import ADA, ART, LOADING, Bot, Json, Town

BUCKETS = 6.0  # seconds after which Discord has forgotten what was asked before
FORGOTTEN = 400.0  # seconds after which Discord has forgotten a nonce, and a token still lives
POST = f"/channels/{ART}/messages"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of outcome: how it comes about, and what is in the way of it."""

    name: str
    words: str  # of the message that tells it
    options: Json = field(default_factory=dict)
    fault: Callable[[], PaintingError] | None = None
    withheld: bool = False
    token_ends: bool = False
    ticket_goes: bool = False
    channel_closed: bool = False
    guest: bool = False  # the bot has no place in the channel


WIDE = {"member": Tier(burst=1e6, per_hour=1e6, daily=1e6, waiting=1000)}
RESULT, BROKE = "AI-generated", "The brush broke."
KINDS = (
    Kind(name="result", words=RESULT),
    Kind(name="set", words=RESULT, options={"count": 3}),
    Kind(name="result, token ended", words=RESULT, token_ends=True),
    Kind(name="result, ticket deleted", words=RESULT, ticket_goes=True),
    Kind(name="result, channel closed", words=RESULT, channel_closed=True),
    Kind(name="result, direct", words=RESULT, channel_closed=True, token_ends=True),
    Kind(name="result, guest", words=RESULT, guest=True),
    Kind(name="result, guest, ticket deleted", words=RESULT, guest=True, ticket_goes=True),
    Kind(name="private", words=RESULT, options={"private": True}),
    Kind(name="private, ticket deleted", words=RESULT, options={"private": True}, ticket_goes=True),
    Kind(name="private, token ended", words=RESULT, options={"private": True}, token_ends=True),
    Kind(name="failed", words=BROKE, fault=lambda: PaintingError(BROKE)),
    Kind(name="failed, token ended", words=BROKE, fault=lambda: PaintingError(BROKE), token_ends=True),
    Kind(name="cancelled", words="Cancelled.", fault=Cancelled),
    Kind(name="cancelled, token ended", words="Cancelled.", fault=Cancelled, token_ends=True),
    Kind(name="blocked", words="kept this picture back", withheld=True),
    Kind(name="blocked, token ended", words="kept this picture back", withheld=True, token_ends=True),
)


@dataclass
class Seen:
    """What one crash has led to."""

    outcomes: int
    leftovers: int  # tickets that still say something
    empty: int  # lines without words that a whisper left behind
    torn: bool  # False: the delivery had ended before that moment


@asynccontextmanager
async def a_process(town: Town, bot: Bot, clock: Callable[[], float] = time.time) -> AsyncIterator[Delivery]:
    """A delivery as a new process has it: no memory of its own, and not yet connected to the gateway."""
    studio, desk = bot.house.studio, bot.house.desk
    studio.clock = clock
    async with discord.Client(intents=discord.Intents.none()) as client:
        await client.login(town.token)
        courier = Courier(client, clock)
        tickets = Tickets(studio, desk.jobs, courier)
        delivery = Delivery(studio, desk, courier, tickets, Packing(desk, Recoder(None)), lambda _: None)
        delivery.begin()
        try:
            yield delivery
        finally:
            await delivery.close()
            await tickets.close()


@types.coroutine
def torn(work: Coroutine[Any, Any, Any], pauses: int) -> Generator[Any, Any, bool]:
    """Run `work` and cancel it at the end of its pause number `pauses`; whether it was cut off."""
    for _ in range(pauses):
        try:
            waiting = work.send(None)
        except StopIteration:
            return False
        yield waiting
    try:
        waiting = work.throw(asyncio.CancelledError())
        while True:  # what it cleans up a power cut would not, but nothing of that reaches Discord
            yield waiting
            waiting = work.send(None)
    except (StopIteration, asyncio.CancelledError):
        return True


async def crash(town: Town, bot: Bot, kind: Kind, pauses: int, *, forgotten: bool) -> Seen:
    """Let one outcome of `kind` be shown by a process that dies after so many pauses, and by the next one."""
    await town.passes(BUCKETS)
    before = {message["id"] for message in await _everything(town)}
    commission = await settled(town, bot, kind)
    if kind.token_ends:
        await town.breaks("expire_tokens", interaction_id=str(commission.address.interaction_id))
    if kind.ticket_goes:
        ticket_id = str(commission.address.ticket_id)
        await town.breaks("delete_message", channel_id=str(ART), message_id=ticket_id)
    if kind.channel_closed:
        await town.breaks("status", method="POST", path=POST, status=403)
    async with a_process(town, bot) as delivery:
        cut = await torn(delivery._until_delivered(commission), pauses)  # type: ignore[misc]
    await town.passes(FORGOTTEN if forgotten else BUCKETS)
    async with a_process(town, bot) as delivery:
        await delivery.recover()
        await delivery.drain(30.0)
    if kind.channel_closed:
        await town.mends()
    fresh = [message for message in await _everything(town) if message["id"] not in before]
    return Seen(
        outcomes=sum(kind.words in message["content"] for message in fresh),
        leftovers=sum(bool(message["flags"] & LOADING) for message in fresh),
        empty=sum(message["content"] == COMING for message in fresh),
        torn=cut,
    )


def quieten(bot: Bot) -> None:
    """From now on nothing is shown by the connected client itself."""
    listeners = bot.house.studio.listeners
    listeners.accepted.remove(bot.client.tickets.open)
    listeners.claimed.remove(bot.client.tickets.adopt)  # it would write over an outcome that it knows nothing of
    listeners.settled.remove(bot.client.delivery.settled)
    listeners.inherited.remove(bot.client.delivery.settled)


async def settled(town: Town, bot: Bot, kind: Kind) -> Commission:
    """A job of that kind that only has to be shown."""
    painter, ended_jobs = bot.house.painter, bot.house.settled
    if kind.fault is not None:
        painter.faults.append(kind.fault())
    painter.kept_back = {0} if kind.withheld else set()
    ended_jobs.clear()
    await town.invoke(ADA, "dream", prompt="crash", **kind.options)

    async def ended() -> bool:
        return bool(ended_jobs)

    await town.until(ended)
    if kind.guest:
        await _make_guest(bot, ended_jobs[0].id)
        return replace(ended_jobs[0], address=replace(ended_jobs[0].address, channel_reachable=False))
    return ended_jobs[0]


async def _make_guest(bot: Bot, job_id: str) -> None:
    from sqlalchemy import update

    from bot.store.schema import jobs

    async with bot.house.desk.jobs._database.write() as connection:
        await connection.execute(update(jobs).where(jobs.c.id == job_id).values(channel_reachable=False))


async def _everything(town: Town) -> list[Json]:
    return [*await town.messages(ADA), *await town.messages(ADA, DM_IDS[ADA])]
