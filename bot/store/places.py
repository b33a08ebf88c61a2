"""Who is painted before whom: exact for the line as it stands, whoever joins or leaves it later.

The next job is always that of the guild whose finish tag is the smallest (`lanes.take_next`). So each waiting job has a
turn, which only depends on its own guild: the guild's finish tag for the first, and for those behind it where the guild
will stand once everything before them is painted. The line is painted in the order of turns.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Connection, Float, Row, and_, bindparam, case, func, or_, select

from bot.store.lanes import house_time, lane_of
from bot.store.schema import WAITING, jobs, lanes
from generation.job import JobState

_SUMS = (
    func.count().label("number"),
    func.sum(jobs.c.cost).label("cost"),
    func.sum(jobs.c.work).label("work"),
    func.sum(jobs.c.pictures).label("pictures"),
)
_lane = bindparam("lane", type_=BigInteger)
_house = bindparam("house", type_=Float)
_turn = bindparam("turn", type_=Float)
_RUNNING = select(*_SUMS).where(jobs.c.state == JobState.RUNNING)
_same_tag = and_(jobs.c.start_tag == bindparam("start_tag"), jobs.c.id < bindparam("job_id"))
_EARLIER = select(*_SUMS).where(
    WAITING, jobs.c.lane == _lane, or_(jobs.c.start_tag < bindparam("start_tag"), _same_tag)
)
_OWN_LANE = select(lanes.c.finish_tag, lanes.c.weight).where(lanes.c.guild_id == _lane)

_before = func.sum(jobs.c.cost).over(
    partition_by=jobs.c.lane, order_by=(jobs.c.start_tag, jobs.c.id), rows=(None, -1)
)  # credits of its own lane before a job; NULL for the first
_costs = select(jobs.c.id, jobs.c.lane, jobs.c.work, jobs.c.pictures, _before.label("before")).where(WAITING).subquery()
_start = case((lanes.c.finish_tag > _house, lanes.c.finish_tag), else_=_house)
_turns = func.coalesce(_start + _costs.c.before / lanes.c.weight, lanes.c.finish_tag)
_goes_first = or_(_turns < _turn, and_(_turns == _turn, _costs.c.lane < _lane))
_OTHERS = (
    select(
        func.count().label("number"),
        func.sum(_costs.c.work).label("work"),
        func.sum(_costs.c.pictures).label("pictures"),
    )
    .select_from(_costs.join(lanes, lanes.c.guild_id == _costs.c.lane))
    .where(_costs.c.lane != _lane, _costs.c.lane.not_in(bindparam("resting", expanding=True)), _goes_first)
)
_all_turns = (
    select(
        _costs.c.id,
        _costs.c.lane,
        func.row_number().over(order_by=(_turns, _costs.c.lane, _costs.c.before)).label("place"),
    )
    .select_from(_costs.join(lanes, lanes.c.guild_id == _costs.c.lane))
    .where(or_(_costs.c.lane == _lane, _costs.c.lane.not_in(bindparam("resting", expanding=True))))
    .subquery()
)
_PLACES = select(_all_turns.c.id, _all_turns.c.place).where(_all_turns.c.lane == _lane)


@dataclass(frozen=True, slots=True)
class Ahead:
    """What comes before a waiting job."""

    jobs: int
    work: float  # megapixel-steps
    pictures: int


def ahead_of(connection: Connection, row: Row[Any], resting: Collection[int] = ()) -> Ahead:
    """What is painted before a waiting job; of lanes that are `resting` nothing is, but for its own."""
    own = {"lane": row.lane, "start_tag": row.start_tag, "job_id": row.id}
    before = connection.execute(_EARLIER, own).one()
    running = connection.execute(_RUNNING).one()
    lane, house = connection.execute(_OWN_LANE, {"lane": row.lane}).one(), house_time(connection)
    turn = max(house, lane.finish_tag) + before.cost / lane.weight if before.number else lane.finish_tag
    there = {"lane": row.lane, "turn": turn, "house": house, "resting": [*resting]}
    parts = (before, running, connection.execute(_OTHERS, there).one())
    return Ahead(
        sum(part.number for part in parts),
        sum(float(part.work or 0.0) for part in parts),
        sum(part.pictures or 0 for part in parts),
    )


def places_in(connection: Connection, guild_id: int | None, resting: Collection[int] = ()) -> dict[str, int]:
    """How many waiting jobs are painted before each of a guild's own."""
    there = {"lane": lane_of(guild_id), "house": house_time(connection), "resting": [*resting]}
    return {row.id: row.place - 1 for row in connection.execute(_PLACES, there)}
