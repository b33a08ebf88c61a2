"""What was said is written down once, whoever says it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.store.database import Database
from bot.store.jobs import JobStore
from bot.store.outbox import Forgotten, Outbox
from generation.limits import Allowance
from tests.orders import an_order

CHANNEL, KIND = 78, "result"
WIDE = Allowance(burst=1000, per_hour=1000, daily=10_000, waiting=50)


@pytest.fixture
async def both(tmp_path: Path, database_url: str) -> AsyncIterator[tuple[JobStore, Outbox, Outbox]]:
    """The outbox as two processes see it, with SQLite two tasks of one."""
    async with AsyncExitStack() as stack:
        first = second = await stack.enter_async_context(Database(database_url, tmp_path))
        if not first.is_sqlite:
            second = await stack.enter_async_context(Database(database_url, tmp_path))
        yield JobStore(first), Outbox(first), Outbox(second)


async def test_of_two_that_hold_a_message_for_the_same_one_the_first_keeps_it(
    both: tuple[JobStore, Outbox, Outbox],
) -> None:
    """The second was given up for dead, or thinks so of the first."""
    jobs, first, second = both
    job_id, _ = await jobs.enqueue(an_order(), 1.0, WIDE, 10)
    entry, again = await first.intend(job_id, KIND), await second.intend(job_id, KIND)
    assert (entry.fresh, again.fresh) == (True, False)
    assert await first.hold(entry, CHANNEL, 100)
    assert not await second.hold(again, CHANNEL, 200)
    seen = await second.intend(job_id, KIND)
    assert (seen.message_id, seen.sent) == (100, False)
    assert await second.message_of(job_id, KIND) is None, "it says nothing yet"
    assert await second.knows(100)
    assert not await second.knows(200)


async def test_what_is_held_may_be_replaced_by_whoever_knows_it_and_not_once_it_was_sent(
    both: tuple[JobStore, Outbox, Outbox],
) -> None:
    jobs, first, second = both
    job_id, _ = await jobs.enqueue(an_order(), 1.0, WIDE, 10)
    entry = await first.intend(job_id, KIND)
    assert await first.hold(entry, CHANNEL, 100)
    seen = await second.intend(job_id, KIND)
    assert await second.hold(seen, CHANNEL, 200)
    await second.let_go(seen)  # as it was before: the first one's
    assert not await first.hold(entry, CHANNEL, 300)
    await first.let_go(entry)  # as it was at first: there is none
    assert await first.hold(entry, CHANNEL, 300)
    held = await first.intend(job_id, KIND)
    assert await first.sent(job_id, KIND, CHANNEL, 300)
    assert not await second.hold(held, CHANNEL, 400)
    await second.let_go(held)
    assert await second.message_of(job_id, KIND) == (CHANNEL, 300)


async def test_nothing_is_said_of_a_job_that_is_gone(both: tuple[JobStore, Outbox, Outbox]) -> None:
    _, first, _ = both
    with pytest.raises(Forgotten):
        await first.intend("nothing", KIND)
    assert not await first.sent("nothing", KIND, CHANNEL, 100)
