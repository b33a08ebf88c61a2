"""The rules in force: nothing that was added goes missing, however many moderators add at once."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from bot.moderation.filter import Filter
from bot.rulebook import RuleBook
from bot.store.database import Database
from bot.store.small import Rules
from tests.orders import GUILD, a_request

MODERATOR = 99


async def _opened(database: Database) -> RuleBook:
    book = RuleBook(Rules(database))
    await book.open()
    return book


async def test_a_slow_change_does_not_undo_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow_when_small(rules: Any) -> Filter:
        each = [*rules]
        time.sleep(0.3 if len(each) == 1 else 0.0)
        return Filter(each)

    async with Database(f"sqlite+aiosqlite:///{tmp_path / 'atelier.sqlite'}", tmp_path) as database:
        book = await _opened(database)
        monkeypatch.setattr("bot.rulebook.Filter", slow_when_small)
        first = asyncio.create_task(book.add(GUILD, "turnip", MODERATOR))
        await asyncio.sleep(0.1)
        await book.add(GUILD, "radish", MODERATOR)
        await first

        assert book.list(GUILD) == ["turnip", "radish"]
        assert book.check(GUILD, a_request(prompt="a turnip")) is not None
        assert book.check(GUILD, a_request(prompt="a radish")) is not None
