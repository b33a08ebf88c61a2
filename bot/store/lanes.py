"""The fair order as the store keeps it: guilds take turns, and in each guild its members do.

A guild's lane is charged when one of its jobs is claimed, a member when a job is admitted (its `start_tag`).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Float, Row, bindparam, cast, func, insert, select, update

from bot.store.schema import WAITING, jobs, lanes, notes
from generation.queue import tags

HOUSE_TIME = "house_time"  # note: the virtual time among guilds
DIRECT_MESSAGES = 0  # stands for "no guild" in the tables whose keys cannot be empty

# Statements are put together once: that takes longer than running them.
_IN_LANE = jobs.c.lane == bindparam("lane")
# The lanes with somebody in them, each found by one step in the index instead of by reading all who wait.
_first = select(func.min(jobs.c.lane).label("lane")).where(WAITING)
_active = _first.cte("active", recursive=True)
_beyond = select(func.min(jobs.c.lane)).where(WAITING, jobs.c.lane > _active.c.lane).scalar_subquery()
_active = _active.union_all(select(_beyond).where(_active.c.lane.is_not(None)))
_GET_HOUSE_TIME = select(notes.c.value).where(notes.c.key == HOUSE_TIME)
_TURN = (
    select(
        _active.c.lane,
        lanes.c.finish_tag,
        lanes.c.virtual_time,
        lanes.c.weight,
        func.coalesce(_GET_HOUSE_TIME.scalar_subquery(), "0.0").label("house_time"),
    )
    .join(lanes, lanes.c.guild_id == _active.c.lane)
    .order_by(lanes.c.finish_tag, lanes.c.guild_id)
    .limit(1)
    .with_for_update(of=lanes, skip_locked=True)  # SQLite has but one writer and knows no locked rows
)
_ANYBODY = select(jobs.c.id).where(WAITING).limit(1)
_NEXT = (
    select(jobs)
    .where(WAITING, _IN_LANE)
    .order_by(jobs.c.start_tag, jobs.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_TURN_OF_OTHERS = _TURN.where(_active.c.lane.not_in(bindparam("resting", expanding=True)))
_ANYBODY_ELSE = _ANYBODY.where(jobs.c.lane.not_in(bindparam("resting", expanding=True)))
_SET_HOUSE_TIME = update(notes).where(notes.c.key == HOUSE_TIME, cast(notes.c.value, Float) < bindparam("moment"))
_SERVED = update(lanes).where(lanes.c.guild_id == bindparam("lane"))


def lane_of(guild_id: int | None) -> int:
    """The key of a guild's lane."""
    return guild_id or DIRECT_MESSAGES


def open_lane(connection: Connection, guild_id: int | None, weight: float) -> None:
    """A guild's first job makes its lane."""
    values = {"guild_id": lane_of(guild_id), "finish_tag": 0.0, "virtual_time": 0.0, "weight": weight}
    connection.execute(insert(lanes).values(values))


def weigh_lane(connection: Connection, guild_id: int | None, weight: float) -> None:
    """The owner has changed a guild's share."""
    connection.execute(update(lanes).where(lanes.c.guild_id == lane_of(guild_id)).values(weight=weight))


class Contended(Exception):
    """What is next in the fair order is held by another process for a moment."""


def take_next(connection: Connection, resting: Collection[int] = ()) -> Row[Any] | None:
    """The next job in the fair order, its lane charged for it; None when nobody waits outside of `resting` lanes.

    With PostgreSQL its lane and the job are locked, so whoever claims at the same time gets the next lane's. Raises
    Contended when all that waits is locked.
    """
    asked = {"resting": [*resting]} if resting else {}
    lane = connection.execute(_TURN_OF_OTHERS if resting else _TURN, asked).first()
    if lane is None:
        if connection.execute(_ANYBODY_ELSE if resting else _ANYBODY, asked).first() is not None:
            raise Contended
        return None
    row = connection.execute(_NEXT, {"lane": lane.lane}).first()
    if row is None:
        raise Contended
    place = tags(float(lane.house_time), lane.finish_tag, row.cost, lane.weight)
    served = {"finish_tag": place.finish, "virtual_time": max(lane.virtual_time, row.start_tag)}
    connection.execute(_SERVED, {"lane": lane.lane} | served)
    _set_house_time(connection, place.start)
    return row


def put_back(connection: Connection, row: Row[Any]) -> None:
    """The claimed job was not painted after all: its guild's turn is not used up."""
    lane = lanes.c.guild_id == row.lane
    before = lanes.c.finish_tag - row.cost / lanes.c.weight
    connection.execute(update(lanes).where(lane).values(finish_tag=before))


def house_time(connection: Connection) -> float:
    """The virtual time among guilds: where the one that was served last began."""
    row = connection.execute(_GET_HOUSE_TIME).first()
    return float(row.value) if row is not None else 0.0


def _set_house_time(connection: Connection, moment: float) -> None:
    # Last in a claim: others wait for this row until the commit. Of two at the same time the later moment stays.
    connection.execute(_SET_HOUSE_TIME, {"value": repr(moment), "moment": moment})
