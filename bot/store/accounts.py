"""Members' accounts: charged in the transaction that admits a job, given back when we fail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.schema import members
from generation.errors import OutOfCredits
from generation.limits import Allowance, available, charge
from generation.queue import tags

DIRECT_MESSAGES = 0  # stands for "no guild" in the members table


@dataclass(frozen=True, slots=True)
class Bill:
    """What an admission came to."""

    start_tag: float  # the job's place in the fair order
    charged: float  # seconds of allowance


async def account(connection: AsyncConnection, guild_id: int | None, member_id: int) -> Row[Any] | None:
    """The member's row, or None for a newcomer."""
    return (await connection.execute(select(members).where(_key(guild_id, member_id)))).first()


async def spend(
    connection: AsyncConnection,
    *,
    guild_id: int | None,
    member_id: int,
    cost: float,
    allowance: Allowance,
    binding: bool,
    virtual_time: float,
    now: float,
) -> Bill:
    """Charge `cost` credits and give the job its place; raises OutOfCredits with nothing changed.

    `binding` False lets a member go below zero down to an empty allowance: an idle machine serves whoever asks.
    """
    row = await account(connection, guild_id, member_id)
    tat, spent = (row.tat, spent_today(row, now)) if row is not None else (0.0, 0.0)
    if spent + cost > allowance.daily:
        raise OutOfCredits("You have reached today's limit.", retry_at=_midnight(now))
    asked = charge(tat, cost, now, allowance)
    if not asked.affordable and binding:
        if asked.retry_at is None:
            raise OutOfCredits("That is more than you can ask for at once; choose fewer steps or fewer pictures.")
        raise OutOfCredits("You have used up your pictures for now.", retry_at=asked.retry_at)
    place = tags(virtual_time, row.finish_tag if row is not None else 0.0, cost, allowance.weight)
    values = {"finish_tag": place.finish, "tat": asked.tat, "day": _day(now), "spent": spent + cost}
    if row is None:
        key = {"guild_id": guild_id or DIRECT_MESSAGES, "member_id": member_id}
        await connection.execute(insert(members).values(**key, **values))
    else:
        await connection.execute(update(members).where(_key(guild_id, member_id)).values(values))
    return Bill(place.start, asked.seconds)


async def give_back(connection: AsyncConnection, job: Row[Any]) -> None:
    """Undo what `job` was charged; its place in the fair order stays, since its time was taken."""
    row = await account(connection, job.guild_id, job.author_id)
    if row is None:
        return
    spent = max(0.0, row.spent - job.cost) if row.day == _day(job.accepted_at) else row.spent
    values = {"tat": row.tat - job.charged, "spent": spent}
    await connection.execute(update(members).where(_key(job.guild_id, job.author_id)).values(values))


def spent_today(row: Row[Any] | None, now: float) -> float:
    """Credits spent since midnight UTC."""
    return float(row.spent) if row is not None and row.day == _day(now) else 0.0


def credits_left(row: Row[Any] | None, now: float, allowance: Allowance) -> tuple[float, float]:
    """Credits that can be spent now, and the moment (epoch seconds) at which the allowance is full again."""
    tat = float(row.tat) if row is not None else 0.0
    return available(tat, now, allowance), max(tat, now)


def _key(guild_id: int | None, member_id: int) -> Any:
    return and_(members.c.guild_id == (guild_id or DIRECT_MESSAGES), members.c.member_id == member_id)


def _day(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).date().isoformat()


def _midnight(now: float) -> float:
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return (today + timedelta(days=1)).timestamp()
