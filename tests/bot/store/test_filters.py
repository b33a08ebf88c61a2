"""What an older database holds is still in force, and the migrations make the tables that the code expects."""

from __future__ import annotations

import asyncio
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext

from bot.moderation.entries import Entry
from bot.moderation.verdict import Decision
from bot.store.database import Database
from bot.store.filters import Rules
from bot.store.migrating import MIGRATIONS, migrate
from bot.store.schema import metadata


def _settings(url: str) -> AlembicConfig:
    settings = AlembicConfig()
    settings.set_main_option("script_location", str(MIGRATIONS))
    settings.attributes["url"] = url
    return settings


async def test_rules_of_an_older_schema_keep_their_meaning(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'atelier.sqlite'}"
    await asyncio.to_thread(command.upgrade, _settings(url), "0002")
    plain = sa.create_engine(f"sqlite:///{tmp_path / 'atelier.sqlite'}")
    with plain.begin() as connection:
        for number, rule in enumerate(["walnut*", "review:pelican", "allow:Blue tit", "re:a:b", "pelican"]):
            values = {"guild_id": 7, "rule": rule, "added_by": 9, "added_at": float(number)}
            columns = "(guild_id, rule, added_by, added_at) VALUES (:guild_id, :rule, :added_by, :added_at)"
            connection.execute(sa.text(f"INSERT INTO rules {columns}"), values)
    plain.dispose()
    async with Database(url, tmp_path) as database:
        entries = await Rules(database).everything()
    assert entries == {
        7: [
            Entry("walnut*"),
            Entry("pelican", Decision.REVIEW),
            Entry("Blue tit", Decision.ALLOW),
            Entry("re:a:b"),
        ]
    }


async def test_migrations_make_the_tables_of_the_filter(tmp_path: Path) -> None:
    await asyncio.to_thread(migrate, f"sqlite+aiosqlite:///{tmp_path / 'atelier.sqlite'}", tmp_path / "backups")
    plain = sa.create_engine(f"sqlite:///{tmp_path / 'atelier.sqlite'}")
    with plain.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    plain.dispose()
    assert not [each for each in differences if "filter_" in str(each) or "artist" in str(each)], differences
