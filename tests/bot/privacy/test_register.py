"""No table is forgotten, the migrations make exactly the schema, and TRUST.md says what the settings say."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from bot.privacy.words import show_text, table
from bot.sections import Privacy
from bot.store.migrating import migrate
from bot.store.register import REGISTER, TOLD, Fate, unregistered
from bot.store.schema import metadata

ROOT = Path(__file__).parents[3]
WHAT_TO_DO = """
The tables {names} are in bot/store/schema.py, but nobody has said how long their rows are kept.
Add one line for each to REGISTER in bot/store/register.py:

    Kept(table=…, kind=…, since=<the column with the time>, about=(<columns with ids of people>,), guild=<column>)

kind is one of the Kinds above it (MODERATION, QUOTA, SETTINGS, …; HOUSE when no row is ever about a person). A row that
belongs to a job says job=<its job_id column> instead of since. The sweeper, /privacy and departures do the rest.
"""


def test_every_table_is_in_the_register() -> None:
    assert not unregistered(), WHAT_TO_DO.format(names=", ".join(unregistered()))


def test_what_ends_by_age_has_a_time_and_what_is_about_people_can_be_found() -> None:
    for kept in REGISTER:
        ends = kept.kind.seconds(Privacy()) is not None
        assert not ends or kept.since is not None or kept.job is not None, kept.table.name
        people = {column.name for column in kept.table.c if column.name.endswith(("author_id", "member_id", "_by"))}
        people -= {"checked_by"}
        assert people <= {column.name for column in kept.about}, kept.table.name
        if "guild_id" in kept.table.c and kept.table.name != "departures":
            assert kept.guild is kept.table.c.guild_id, kept.table.name
        if kept.on_request is Fate.PSEUDONYM:
            assert kept.about, kept.table.name


def test_the_migrations_make_the_schema(tmp_path: Path) -> None:
    migrate(f"sqlite+aiosqlite:///{tmp_path / 'a.sqlite'}", tmp_path / "backups")
    engine = create_engine(f"sqlite:///{tmp_path / 'a.sqlite'}")
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()
    assert found == []


def test_trust_md_has_the_table_of_the_default_settings() -> None:
    assert table(Privacy()) in (ROOT / "TRUST.md").read_text(), "put bot.privacy.words.table(Privacy()) into TRUST.md"


def test_members_read_the_owners_settings() -> None:
    said = show_text(Privacy(prompts_days=12, files_days=3, quota_hours=24), {})
    assert "12 days after a button" in said
    assert "3 days after the request ended" in said
    assert len(said) < 2000
    forever = show_text(Privacy(prompts_days=0), dict.fromkeys(TOLD, 123456))
    assert "words and settings of your requests (123,456 now): until you delete them" in forever
    assert len(forever) < 2000
