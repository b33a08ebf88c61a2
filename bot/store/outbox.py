"""What was meant to be said and what has been said: the memory that keeps messages from being posted twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import insert, select, update

from bot.store.database import Database
from bot.store.schema import jobs, outbox
from generation.errors import Refusal
from generation.job import JobState

NOTICE = "notice"  # the message that tells why there is no picture
WITHOUT_PICTURE = (JobState.FAILED, JobState.CANCELLED, JobState.BLOCKED)


class Forgotten(Refusal):
    """This picture was deleted at the wish of the person who had asked for it."""


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """One message of a job; `message_id` is None until Discord confirmed it."""

    job_id: str
    kind: str
    message_id: int | None  # with `sent` False: a message that is there and does not say anything yet
    channel_id: int | None  # with `sent` False: where it was begun, if not in the channel that it is for
    intended_at: float  # epoch seconds of the first intention
    fresh: bool  # False: an earlier attempt may already have reached Discord
    sent: bool = False


class Outbox:
    """The outbox table."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def intend(self, job_id: str, kind: str) -> OutboxEntry:
        """Write down that a message is about to be sent, or find out that it already was.

        Raises Forgotten when there is no such job any more.
        """
        now = self._clock()
        here = (outbox.c.job_id == job_id) & (outbox.c.kind == kind)
        async with self._database.write() as connection:
            row = (await connection.execute(select(outbox).where(here))).first()
            if row is not None:
                sent = row.sent_at is not None
                return OutboxEntry(
                    job_id, kind, row.message_id, row.channel_id, row.intended_at, fresh=False, sent=sent
                )
            if (await connection.execute(select(jobs.c.id).where(jobs.c.id == job_id))).first() is None:
                raise Forgotten
            await connection.execute(insert(outbox).values(job_id=job_id, kind=kind, intended_at=now))
        return OutboxEntry(job_id, kind, None, None, now, fresh=True)

    async def hold(self, entry: OutboxEntry, channel_id: int, message_id: int | None) -> bool:
        """Discord has a message that will be this one and says nothing yet; None: a new one is begun in that channel.

        False when it is not as it was in `entry` any more: a process that was given up for dead may still be at it.
        """
        here = (outbox.c.job_id == entry.job_id) & (outbox.c.kind == entry.kind) & outbox.c.sent_at.is_(None)
        unchanged = outbox.c.message_id.is_not_distinct_from(entry.message_id)
        unchanged &= outbox.c.channel_id.is_not_distinct_from(entry.channel_id)
        values = {"channel_id": channel_id, "message_id": message_id}
        async with self._database.write() as connection:
            held = await connection.execute(update(outbox).where(here, unchanged).values(values))
        return bool(held.rowcount)

    async def let_go(self, entry: OutboxEntry) -> None:
        """What `hold` wrote down does not say this one, and will not: all is as it was in `entry`."""
        here = (outbox.c.job_id == entry.job_id) & (outbox.c.kind == entry.kind) & outbox.c.sent_at.is_(None)
        values = {"channel_id": entry.channel_id, "message_id": entry.message_id}
        async with self._database.write() as connection:
            await connection.execute(update(outbox).where(here).values(values))

    async def sent(self, job_id: str, kind: str, channel_id: int, message_id: int) -> bool:
        """Discord has the message; False when its job was deleted while it was on its way."""
        here = (outbox.c.job_id == job_id) & (outbox.c.kind == kind)
        values = {"channel_id": channel_id, "message_id": message_id, "sent_at": self._clock()}
        async with self._database.write() as connection:
            changed = await connection.execute(update(outbox).where(here).values(values))
            if kind == NOTICE:  # it was the job's outcome: nobody has to answer for it any more
                ended = jobs.c.state.in_(WITHOUT_PICTURE)
                await connection.execute(update(jobs).where(jobs.c.id == job_id, ended).values(holder=None))
        return bool(changed.rowcount)

    async def message_of(self, job_id: str, kind: str) -> tuple[int, int] | None:
        """Channel and message id of what was sent, or None."""
        here = (outbox.c.job_id == job_id) & (outbox.c.kind == kind)
        async with self._database.read() as connection:
            row = (await connection.execute(select(outbox).where(here))).first()
        return (row.channel_id, row.message_id) if row is not None and row.sent_at is not None else None

    async def knows(self, message_id: int) -> bool:
        """Whether a message is written down here, whatever it says."""
        query = select(outbox.c.message_id).where(outbox.c.message_id == message_id).limit(1)
        async with self._database.read() as connection:
            return (await connection.execute(query)).first() is not None

    async def messages_of(self, job_id: str) -> dict[str, tuple[int, int]]:
        """Channel and message id of everything that was sent of a job, by kind."""
        query = select(outbox).where(outbox.c.job_id == job_id, outbox.c.sent_at.is_not(None))
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(outbox.c.intended_at))).all()
        return {row.kind: (row.channel_id, row.message_id) for row in rows}
