"""The rules in force: nothing that was added goes missing, however many moderators add at once."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from bot.desk import Desk
from bot.moderation.filter import Filter
from bot.order import Place
from bot.rulebook import RuleBook
from bot.store.database import Database
from tests.orders import GUILD, a_request

MODERATOR = 99


async def _opened(database: Database, folder: Path) -> RuleBook:
    book = RuleBook(Desk.over(database, folder))
    await book.open()
    return book


async def test_a_slow_change_does_not_undo_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow_when_small(rules: Any) -> Filter:
        each = [*rules]
        time.sleep(0.3 if len(each) == 1 else 0.0)
        return Filter(each)

    async with Database(f"sqlite+aiosqlite:///{tmp_path / 'atelier.sqlite'}", tmp_path) as database:
        book = await _opened(database, tmp_path)
        monkeypatch.setattr("bot.rulebook.Filter", slow_when_small)
        first = asyncio.create_task(book.add(GUILD, "turnip", MODERATOR))
        await asyncio.sleep(0.1)
        await book.add(GUILD, "radish", MODERATOR)
        await first

        assert [entry.line for entry in book.entries(GUILD)] == ["turnip", "radish"]
        assert book.check(Place(guild_id=GUILD), a_request(prompt="a turnip")).blocks
        assert book.check(Place(guild_id=GUILD), a_request(prompt="a radish")).blocks
