"""Orders that wait until somebody agrees: the newest few of each person."""

from __future__ import annotations

from pathlib import Path

from bot.store.database import Database
from bot.store.terms import MOST_WAITING, PendingOrders
from tests.orders import a_request, an_order


async def test_of_one_person_the_newest_few_wait(tmp_path: Path) -> None:
    async with Database(f"sqlite+aiosqlite:///{tmp_path}/a.sqlite", tmp_path) as database:
        moments = iter(range(1_800_000_000, 1_800_000_900))
        pending = PendingOrders(database, lambda: float(next(moments)))
        other = await pending.keep(an_order(2), "terms")
        ids = [
            await pending.keep(an_order(1, request=a_request(prompt=f"number {number}")), "terms")
            for number in range(MOST_WAITING + 3)
        ]
        found = [await pending.get(pending_id, 1) for pending_id in ids]
        assert [waiting is not None for waiting in found] == [False] * 3 + [True] * MOST_WAITING
        newest = found[-1]
        assert newest is not None
        assert newest[0].request.prompt == f"number {MOST_WAITING + 2}"
        assert await pending.get(other, 2) is not None
