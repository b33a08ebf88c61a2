"""A guild's past, written straight into the jobs table: thousands of jobs without painting any."""

from __future__ import annotations

import random
from typing import Any

from sqlalchemy import insert

from bot.store.database import Database
from bot.store.rows import JobIds, job_values
from bot.store.schema import jobs
from generation.job import JobState
from tests.orders import an_order

STATES = (JobState.POSTED,) * 17 + (JobState.BLOCKED, JobState.FAILED, JobState.CANCELLED)


def past_job(new: JobIds, moment: float, **changes: Any) -> dict[str, Any]:
    """The row of one job that was admitted at `moment`; `guild_id` and columns may be given."""
    order = an_order(changes.pop("author_id", 1), guild_id=changes.pop("guild_id", 77))
    values = job_values(order, job_id=new.new(moment), cost=1.0, charged=1.0, start_tag=0.0, now=moment)
    return values | {"state": JobState.POSTED, "claimed_at": moment + 1.0, "ended_at": moment + 3.0} | changes


async def write_past(database: Database, guild_id: int, now: float, *, days: int, per_day: int, seed: int = 1) -> None:
    """So many jobs a day, more at the week's end, a twentieth each blocked, failed and cancelled."""
    dice, new = random.Random(seed), JobIds()
    for day in range(days, 0, -1):
        share = dice.uniform(0.6, 1.1) + 0.5 * (day % 7 < 2)
        moments = sorted(now - day * 86_400 + dice.uniform(0, 86_000) for _ in range(round(per_day * share)))
        rows = []
        for moment in moments:
            wait = dice.expovariate(1 / 20)
            state, claimed = dice.choice(STATES), {"claimed_at": moment + wait, "ended_at": moment + wait + 3}
            rows.append(past_job(new, moment, guild_id=guild_id, state=state, author_id=dice.randint(1, 40), **claimed))
        async with database.write() as connection:
            await connection.execute(insert(jobs), rows)
