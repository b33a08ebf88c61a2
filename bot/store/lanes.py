"""The fair order as the store keeps it: guilds take turns, and in each guild its members do.

A guild's lane is charged when one of its jobs is claimed, a member when a job is admitted (its `start_tag`).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from bot.store.schema import WAITING, jobs, lanes, notes
from generation.queue import tags

HOUSE_TIME = "house_time"  # note: the virtual time among guilds
DIRECT_MESSAGES = 0  # stands for "no guild" in the tables whose keys cannot be empty

# Statements are put together once: that takes longer than running them.
_IN_LANE = jobs.c.lane == bindparam("lane")
_active = select(jobs.c.lane).where(WAITING).distinct().subquery()
_TURN = (
    select(_active.c.lane, lanes.c.finish_tag, lanes.c.virtual_time, lanes.c.weight)
    .join(lanes, lanes.c.guild_id == _active.c.lane)
    .order_by(lanes.c.finish_tag, lanes.c.guild_id)
    .limit(1)
)
_TURN_OF_OTHERS = _TURN.where(_active.c.lane.not_in(bindparam("resting", expanding=True)))
_NEXT = select(jobs).where(WAITING, _IN_LANE).order_by(jobs.c.start_tag, jobs.c.id).limit(1)
_GET_HOUSE_TIME = select(notes.c.value).where(notes.c.key == HOUSE_TIME)
_SET_HOUSE_TIME = update(notes).where(notes.c.key == HOUSE_TIME)
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


def take_next(connection: Connection, resting: Collection[int] = ()) -> Row[Any] | None:
    """The next job in the fair order, its lane charged for it; None when nobody waits outside of `resting` lanes."""
    turn = connection.execute(_TURN_OF_OTHERS, {"resting": [*resting]}) if resting else connection.execute(_TURN)
    lane = turn.first()
    if lane is None:
        return None
    row = connection.execute(_NEXT, {"lane": lane.lane}).one()
    place = tags(house_time(connection), lane.finish_tag, row.cost, lane.weight)
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
    if not connection.execute(_SET_HOUSE_TIME, {"value": repr(moment)}).rowcount:
        connection.execute(insert(notes), {"key": HOUSE_TIME, "value": repr(moment)})
