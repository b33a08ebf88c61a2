"""Stamps from the future: what was written down while the clock was wrong is brought back into the present.

A pause that a moderator gave for a day, on a clock a year ahead, would last for a year and a day. Whatever was given
later than now was given on a wrong clock: it counts from now on, and for as long as it was given.
"""

from __future__ import annotations

from sqlalchemy import update

from bot.store.database import Database
from bot.store.schema import bans, probing, strikes
from generation.limits import SKEW

# What was given or happened, with the moments that follow from it; a moment that is NULL stays so.
STAMPED = (
    (bans.c.given_at, (bans.c.until,)),
    (strikes.c.given_at, (strikes.c.expires_at,)),
    (probing.c.refused_at, (probing.c.until, probing.c.tat)),
)


async def bring_back(database: Database, now: float) -> int:
    """Let bans, warnings and pauses given later than `now` (epoch seconds) begin now; returns how many those were."""
    changed = 0
    async with database.write() as connection:
        for given, moments in STAMPED:
            values = {moment.name: moment - given + now for moment in moments} | {given.name: now}
            late = update(given.table).where(given > now + SKEW).values(values)
            changed += (await connection.execute(late)).rowcount
    return changed
