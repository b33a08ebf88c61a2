"""What dead processes answered for: what they painted waits again, what they had to show is shown by others."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, or_, select, update

from bot.store import accounts, lanes
from bot.store.schema import WAITING, jobs, processes
from generation.errors import Cancelled
from generation.job import JobState

log = logging.getLogger(__name__)

MOST_ATTEMPTS: Final = 10  # times that a job is begun: one that ends whole bots would do so for ever
INTERRUPTED: Final = "It was interrupted too often; please try another one."


@dataclass(frozen=True, slots=True)
class Taken:
    """How much was taken over."""

    returned: int  # jobs that were being painted and wait in the line again
    waiting: int  # jobs that wait, those included: their tickets are followed here from now on


def take_over(connection: Connection, process: str, now: float) -> Taken:
    """Everything whose holder lives no more is `process`'s from now on; what was painted waits again."""
    orphaned = and_(jobs.c.holder.is_not(None), jobs.c.holder.not_in(select(processes.c.id)))
    waiting = connection.execute(update(jobs).where(orphaned, WAITING).values(holder=process)).rowcount
    returned = 0
    begun = or_(jobs.c.claimed_at.is_not(None), jobs.c.ended_at.is_not(None))
    for row in connection.execute(select(jobs).where(orphaned, begun).order_by(jobs.c.id)).all():
        if row.state == JobState.RUNNING:
            returned += _interrupted(connection, row, process, now)
        else:
            _set(connection, row, {"holder": process})  # however long ago: it was promised
    return Taken(returned, waiting + returned)


def give_back_share(connection: Connection, row: Row[Any], share: float) -> None:
    """Give a share (0 to 1) of what a job was charged back to whoever paid it."""
    refunded = row.refunded + accounts.give_back(connection, row, share)
    _set(connection, row, {"refunded": refunded})


def _interrupted(connection: Connection, row: Row[Any], process: str, now: float) -> bool:
    """Whether the job waits in the line again; otherwise it has ended, which `process` is to tell."""
    lanes.put_back(connection, row)  # its guild would pay twice for it otherwise
    if row.cancel_asked_at is not None:
        state, reason = JobState.CANCELLED, Cancelled().sentence
    elif row.attempt >= MOST_ATTEMPTS:
        log.error("job %s: its process ended %d times while it was painted, given up", row.id, row.attempt)
        state, reason = JobState.FAILED, INTERRUPTED
    else:
        _set(connection, row, {"state": JobState.ACCEPTED, "claimed_at": None, "holder": process})
        return True
    _set(connection, row, {"state": state, "reason": reason, "ended_at": now, "holder": process})
    give_back_share(connection, row, 1.0)
    return False


def _set(connection: Connection, row: Row[Any], values: dict[str, Any]) -> None:
    connection.execute(update(jobs).where(jobs.c.id == row.id).values(values))
