"""The fair order as the store keeps it: guilds take turns, and in each guild its members do.

A guild's lane is charged when one of its jobs is claimed, a member when a job is admitted (its `start_tag`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, insert, or_, select, update

from bot.store.schema import WAITING, jobs, lanes, notes
from generation.job import JobState
from generation.queue import share_before, tags

HOUSE_TIME = "house_time"  # note: the virtual time among guilds
DIRECT_MESSAGES = 0  # stands for "no guild" in the tables whose keys cannot be empty

# Statements are put together once: that takes longer than running them.
_IN_LANE = jobs.c.lane == bindparam("lane")
_SUMS = (
    func.count().label("number"),
    func.sum(jobs.c.cost).label("cost"),
    func.sum(jobs.c.work).label("work"),
    func.sum(jobs.c.pictures).label("pictures"),
)
_active = select(jobs.c.lane).where(WAITING).distinct().subquery()
_TURN = (
    select(_active.c.lane, lanes.c.finish_tag, lanes.c.virtual_time, lanes.c.weight)
    .join(lanes, lanes.c.guild_id == _active.c.lane)
    .order_by(lanes.c.finish_tag, lanes.c.guild_id)
    .limit(1)
)
_TURN_OF_OTHERS = _TURN.where(_active.c.lane.not_in(bindparam("resting", expanding=True)))
_NEXT = select(jobs).where(WAITING, _IN_LANE).order_by(jobs.c.start_tag, jobs.c.id).limit(1)
_same_tag = and_(jobs.c.start_tag == bindparam("start_tag"), jobs.c.id < bindparam("job_id"))
_EARLIER = select(*_SUMS).where(WAITING, _IN_LANE, or_(jobs.c.start_tag < bindparam("start_tag"), _same_tag))
_RUNNING = select(*_SUMS).where(jobs.c.state == JobState.RUNNING)
_waiting = select(jobs.c.lane, *_SUMS).where(WAITING).group_by(jobs.c.lane).subquery()
_BY_LANE = select(_waiting, lanes.c.finish_tag, lanes.c.weight).join(lanes, lanes.c.guild_id == _waiting.c.lane)
_GET_HOUSE_TIME = select(notes.c.value).where(notes.c.key == HOUSE_TIME)
_SET_HOUSE_TIME = update(notes).where(notes.c.key == HOUSE_TIME)
_SERVED = update(lanes).where(lanes.c.guild_id == bindparam("lane"))


@dataclass(frozen=True, slots=True)
class Ahead:
    """What comes before a waiting job."""

    jobs: int
    work: float  # megapixel-steps
    pictures: int


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
    place = tags(_house_time(connection), lane.finish_tag, row.cost, lane.weight)
    served = {"finish_tag": place.finish, "virtual_time": max(lane.virtual_time, row.start_tag)}
    connection.execute(_SERVED, {"lane": lane.lane} | served)
    _set_house_time(connection, place.start)
    return row


def put_back(connection: Connection, row: Row[Any]) -> None:
    """The claimed job was not painted after all: its guild's turn is not used up."""
    lane = lanes.c.guild_id == row.lane
    before = lanes.c.finish_tag - row.cost / lanes.c.weight
    connection.execute(update(lanes).where(lane).values(finish_tag=before))


def ahead_of(connection: Connection, row: Row[Any], resting: Collection[int] = ()) -> Ahead:
    """What is painted before a waiting job: exact in its own guild, by shares among guilds."""
    place = {"lane": row.lane, "start_tag": row.start_tag, "job_id": row.id}
    before = connection.execute(_EARLIER, place).one()
    running = connection.execute(_RUNNING).one()
    others = Others.beside(connection, row.lane, resting)
    return others.before(float(before.cost or 0.0), [before, running])


@dataclass(frozen=True, slots=True)
class Others:
    """What waits in the lanes beside one, as far as its place depends on them."""

    lanes: Sequence[Row[Any]]
    start: float  # where the lane's own next job stands among guilds
    weight: float
    house_time: float

    @classmethod
    def beside(cls, connection: Connection, lane: int, resting: Collection[int] = ()) -> Others:
        """Everything that waits outside of `lane` and is not `resting`."""
        rows = connection.execute(_BY_LANE).all()
        own = next((row for row in rows if row.lane == lane), None)
        house_time = _house_time(connection)
        return cls(
            lanes=[row for row in rows if row.lane != lane and row.lane not in resting],
            start=max(house_time, own.finish_tag) if own is not None else house_time,
            weight=own.weight if own is not None else 1.0,
            house_time=house_time,
        )

    def before(self, own_cost: float, certain: Sequence[Row[Any]]) -> Ahead:
        """What goes before a job that has `own_cost` credits of its lane before it, beside what is `certain` to."""
        tag = self.start + own_cost / self.weight
        count = sum(row.number for row in certain)
        work = sum(float(row.work or 0.0) for row in certain)
        pictures = sum(row.pictures or 0 for row in certain)
        for lane in self.lanes:
            share = share_before(tag, max(self.house_time, lane.finish_tag), float(lane.cost), lane.weight)
            count += round(share * lane.number)
            work += share * float(lane.work)
            pictures += round(share * lane.pictures)
        return Ahead(count, work, pictures)


def _house_time(connection: Connection) -> float:
    row = connection.execute(_GET_HOUSE_TIME).first()
    return float(row.value) if row is not None else 0.0


def _set_house_time(connection: Connection, moment: float) -> None:
    if not connection.execute(_SET_HOUSE_TIME, {"value": repr(moment)}).rowcount:
        connection.execute(insert(notes), {"key": HOUSE_TIME, "value": repr(moment)})
