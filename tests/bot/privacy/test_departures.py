"""Servers the bot was removed from: forgotten in time, not a day earlier, and never because of an outage."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from bot.desk import Desk
from bot.moderation.entries import Entry
from bot.moderation.verdict import Decision
from bot.playground.ids import GUILD_ID
from bot.privacy.sweeper import Sweeper
from bot.rulebook import RuleBook
from bot.sections import Privacy
from bot.store.database import Database
from bot.store.departures import Departures
from bot.store.register import REGISTER
from bot.store.schema import departures, filter_rules, jobs, outbox, pictures
from tests.bot.privacy.filling import fill
from tests.bot.town import ADA, Bot, Town, open_bot, open_both, open_town

DAY = 86_400.0


def _database(bot: Bot) -> Database:
    return bot.house.desk.jobs._database


async def _left_at(database: Database, guild_id: int = GUILD_ID) -> float | None:
    async with database.read() as connection:
        here = select(departures.c.left_at).where(departures.c.guild_id == guild_id)
        return (await connection.execute(here)).scalar_one()


async def _known(database: Database, guild_id: int) -> bool:
    async with database.read() as connection:
        return (
            await connection.execute(select(departures).where(departures.c.guild_id == guild_id))
        ).first() is not None


async def _hears(bot: Bot, event: str, data: dict[str, Any]) -> None:
    """An event of the gateway, as discord.py reads it."""
    getattr(bot.client._connection, f"parse_{event}")(data)


async def _rows_of(database: Database, guild_id: int) -> dict[str, int]:
    found = {}
    async with database.read() as connection:
        for kept in REGISTER:
            if kept.guild is not None:
                rows = await connection.execute(
                    select(func.count()).select_from(kept.table).where(kept.guild == guild_id)
                )
                found[kept.table.name] = rows.scalar_one()
    return {name: count for name, count in found.items() if count}


async def test_removed_then_back_then_forgotten(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        database = _database(bot)
        await town.until(lambda: _known(database, GUILD_ID))
        assert await _left_at(database) is None
        await bot.house.desk.rules.put(GUILD_ID, [Entry("word")], ADA)
        await town.invoke(ADA, "dream", prompt="a tree")
        await town.result()
        await town.until(lambda: bot.has(posted=1))

        await _hears(bot, "guild_delete", {"id": str(GUILD_ID), "unavailable": True})
        await _a_moment(town)
        assert await _left_at(database) is None, "an outage is no departure"

        await _hears(bot, "guild_delete", {"id": str(GUILD_ID)})
        await town.until(lambda: _left_at(database))
        sweeper = Sweeper(database, tmp_path / "house", Privacy(), lambda: time.time() + 29 * DAY, pause=0.0)
        await sweeper.sweep()
        assert {"jobs", "filter_rules"} <= set(await _rows_of(database, GUILD_ID)), "not before the time is over"

        await bot.house.desk.departures.here(GUILD_ID)  # invited again, as on_guild_join says it
        later = Sweeper(database, tmp_path / "house", Privacy(), lambda: time.time() + 31 * DAY, pause=0.0)
        await later.sweep()
        assert "filter_rules" in await _rows_of(database, GUILD_ID), "back in time: everything stays"

        await bot.house.desk.departures.left(GUILD_ID)
        await later.sweep()
        assert await _rows_of(database, GUILD_ID) == {}
        async with database.read() as connection:
            for table in (jobs, pictures, outbox, departures):
                assert (await connection.execute(select(table))).first() is None
        assert not [path for path in (tmp_path / "house" / "pictures").rglob("*") if path.is_file()]


async def _a_moment(town: Town) -> None:
    """Until everything that an event has set off is done."""
    await town.invoke(ADA, "help")
    await town.told(ADA, "/dream")


async def test_what_was_missed_is_found_at_the_next_start(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        async with open_bot(town, tmp_path) as bot:
            await town.until(lambda: _known(_database(bot), GUILD_ID))
            await bot.house.desk.departures.here(4242)  # a server from which the bot goes while it is not running
            await bot.house.desk.departures.left(GUILD_ID)  # and one that it comes back to
        async with open_bot(town, tmp_path) as bot:
            database = _database(bot)
            await town.until(lambda: _left_at(database, 4242))
            assert await _left_at(database) is None


async def test_a_server_the_bot_was_never_in_is_not_left(tmp_path: Path) -> None:
    """A person used the bot there for themselves."""
    async with Database(f"sqlite+aiosqlite:///{tmp_path / 'a.sqlite'}", tmp_path) as database:
        store = Departures(database)
        await fill(database, next(kept for kept in REGISTER if kept.table is jobs), time.time(), guild_id=99)
        assert await store.compare({1, 2}) == []
        assert await store.compare({1}) == [2]
        assert await store.compare({1}) == [], "said once"
        assert await store.compare({1, 2}) == []
        assert await _left_at(database, 2) is None
        async with database.read() as connection:
            ids = {row.guild_id for row in await connection.execute(select(departures))}
        assert ids == {1, 2}


async def test_rules_of_a_forgotten_server_hold_no_longer(tmp_path: Path) -> None:
    async with Database(f"sqlite+aiosqlite:///{tmp_path / 'a.sqlite'}", tmp_path) as database:
        book = RuleBook(Desk.over(database, tmp_path))
        await book.open()
        await book.add(1, "word", 5)
        await book.add(2, "word", 5)
        await Departures(database, lambda: 0.0).left(1)
        sweeper = Sweeper(database, tmp_path, Privacy(), pause=0.0)
        sweeper.forgotten.append(book.open)
        await sweeper.sweep()
        assert await book.test(1, "word") == []
        assert [finding.severity for finding in await book.test(2, "word")] == [Decision.BLOCK]
        async with database.read() as connection:
            assert [row.guild_id for row in await connection.execute(select(filter_rules))] == [2]
