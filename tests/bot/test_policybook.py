"""Policies kept, changed and found again."""

from __future__ import annotations

from pathlib import Path

from bot.order import Place
from bot.policybook import PolicyBook
from bot.store.database import Database
from bot.store.policies import Policies
from generation.safety.level import Level


async def test_changes_survive_and_channels_come_before_the_guild(tmp_path: Path) -> None:
    async with Database(f"sqlite+aiosqlite:///{tmp_path / 'a.sqlite'}", tmp_path) as database:
        book = PolicyBook(Policies(database))
        await book.open()
        await book.change(1, {"restricted_level": Level.MEDIUM}, by=9)
        await book.change(1, {"level": Level.LOW}, by=9)
        await book.change(1, {"restricted_level": Level.HIGH}, by=9, channel_id=50)
        await book.change(2, {"level": Level.LOW}, by=9)
        await book.change(2, {"level": None}, by=9)
        again = PolicyBook(Policies(database))
        await again.open()

        for one in (book, again):
            assert one.channels(1) == [50]
            assert one.settings(2) == {}
            guild = one.of(Place(guild_id=1))
            assert (guild.level, guild.restricted_level) == (Level.LOW, Level.MEDIUM)
            thread = one.of(Place(guild_id=1, channel_ids=frozenset({99, 50})))
            assert (thread.level, thread.restricted_level) == (Level.LOW, Level.HIGH)
            assert one.of(Place(guild_id=None)).restricted_level is Level.NEUTRAL
