"""Databases of every former version: brought up to date whole or not at all, kept before, and never taken backwards."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from bot.desk import Desk
from bot.store.backups import backups_in
from bot.store.database import Database
from bot.store.migrating import migrate, newest_revision
from generation.errors import ConfigError
from generation.job import JobState
from tests.bot.store.old_houses import STATES, Rows, a_database, build, fill, read, revisions

GONE = {"0003": {"rules"}}  # tables that a migration made into others
KILLED = """
import os, signal, sys
from alembic import op
make, made = op.create_index, []
def counted(*values, **more):
    made.append(values)
    if len(made) == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return make(*values, **more)
op.create_index = counted
from pathlib import Path
from bot.store.migrating import migrate
migrate(sys.argv[1], Path(sys.argv[2]))
"""


def _file(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder / 'atelier.sqlite'}"


async def _old(folder: Path, revision: str) -> Rows:
    """A filled file of a former version; returns what is in it."""
    await asyncio.to_thread(build, _file(folder), revision)
    await fill(_file(folder))
    return await read(_file(folder))


def _shared(before: Rows, after: Rows) -> Rows:
    """What is there now, with the tables and columns that were there before."""
    return {
        name: [
            {key: value for key, value in row.items() if key in rows[0]} for row in after[name] if _old_row(name, row)
        ]
        for name, rows in before.items()
        if name in after
    }


def _old_row(table: str, row: dict[str, Any]) -> bool:
    """Whether a row may have been there before: the house's own notes are written by migrations too."""
    return table != "notes" or row["key"].startswith("key")


def _former() -> list[Any]:
    """Every version on both databases; of the server's, which take seconds, a third is enough for every day."""
    found = [pytest.param("sqlite", revision) for revision in revisions()]
    for number, revision in enumerate(revisions()):
        found.append(pytest.param("postgresql", revision, marks=() if number % 3 == 0 else pytest.mark.slow))
    return found


@pytest.mark.parametrize(("kind", "revision"), _former())
async def test_every_former_version_keeps_its_rows(tmp_path: Path, kind: str, revision: str) -> None:
    async with a_database(kind, tmp_path, f"safekeeping_{revision}") as url:
        await asyncio.to_thread(build, url, revision)
        await fill(url)
        before = await read(url)
        await asyncio.to_thread(migrate, url, tmp_path / "backups")
        after = await read(url)

        gone = set().union(*(tables for at, tables in GONE.items() if revision < at))
        assert set(before) - set(after) == gone
        kept = {name: [row for row in rows if _old_row(name, row)] for name, rows in before.items() if name not in gone}
        assert all(len(rows) == len(STATES) for rows in kept.values())
        assert _shared(kept, after) == kept
        if gone:
            assert {row["rule"] for row in after["filter_rules"]} >= {"word", "walnut*", "nut shell", "re:^a{3}"}
        assert {row["lane"] for row in after["jobs"]} == {row["guild_id"] or 0 for row in after["jobs"]}

        async with Database(url, tmp_path) as database:  # and this version can work with them
            desk = Desk.over(database, tmp_path)
            assert await desk.jobs.counts() == {JobState(state): 1 for state in STATES}
            for row in before["jobs"]:
                commission = await desk.jobs.get(row["id"])
                assert commission is not None
                assert json.loads(json.dumps(commission.request.to_json())) == row["request"]


async def test_the_file_as_it_was_is_kept_before_it_is_changed(tmp_path: Path) -> None:
    before = await _old(tmp_path, "0004")
    await asyncio.to_thread(migrate, _file(tmp_path), tmp_path / "backups")
    [kept] = backups_in(tmp_path / "backups")
    assert kept.path.name.startswith(f"before-{newest_revision()}-")
    assert await read(f"sqlite+aiosqlite:///{kept.path}") == before
    assert kept.path.stat().st_mode & 0o777 == 0o600


async def test_a_new_database_and_one_that_is_up_to_date_need_no_backup(tmp_path: Path) -> None:
    for _ in range(2):
        async with Database(_file(tmp_path), tmp_path):
            pass
    assert backups_in(tmp_path / "backups") == []


async def test_a_migration_that_fails_at_its_end_has_changed_nothing(tmp_path: Path) -> None:
    await _old(tmp_path, "0001")
    with sqlite3.connect(tmp_path / "atelier.sqlite") as trouble:  # the newest migrations come to this name last
        trouble.execute("CREATE TABLE processes (id INTEGER)")
    before = await read(_file(tmp_path))
    for _ in range(3):  # as an owner's system does that starts it again
        with pytest.raises(ConfigError, match="processes already exists"):
            await asyncio.to_thread(migrate, _file(tmp_path), tmp_path / "backups")
    assert await read(_file(tmp_path)) == before
    assert _revision(tmp_path) == "0001"
    assert len(backups_in(tmp_path / "backups")) == 1  # and the disk does not fill with copies


async def test_a_kill_in_the_middle_of_a_migration_has_changed_nothing(tmp_path: Path) -> None:
    before = await _old(tmp_path, "0001")
    command = [sys.executable, "-c", KILLED, _file(tmp_path), str(tmp_path / "backups")]
    done = await asyncio.to_thread(subprocess.run, command, timeout=60, env=os.environ | {"PYTHONPATH": os.getcwd()})
    assert done.returncode == -signal.SIGKILL
    assert _revision(tmp_path) == "0001"
    assert await read(_file(tmp_path)) == before
    await asyncio.to_thread(migrate, _file(tmp_path), tmp_path / "backups")
    assert _revision(tmp_path) == newest_revision()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_newer_version_s_database_is_refused_in_one_sentence(tmp_path: Path, kind: str) -> None:
    async with a_database(kind, tmp_path, "safekeeping_newer") as url:
        await asyncio.to_thread(build, url, "head")
        await _set_revision(url, "0042")
        before = await read(url)
        with pytest.raises(ConfigError, match=r"made by a newer Atelier \(0042; this one knows") as refused:
            async with Database(url, tmp_path):
                pass
        assert "\n" not in refused.value.sentence
        assert await read(url) == before
        assert backups_in(tmp_path / "backups") == []


async def test_without_room_for_the_backup_nothing_is_changed(tmp_path: Path) -> None:
    before = await _old(tmp_path, "0003")
    (tmp_path / "backups").write_text("no folder")  # as a folder that cannot be written
    with pytest.raises(ConfigError, match=r"backup before that could not be made .* make room"):
        await asyncio.to_thread(migrate, _file(tmp_path), tmp_path / "backups")
    assert await read(_file(tmp_path)) == before
    assert _revision(tmp_path) == "0003"


def _revision(folder: Path) -> str:
    with sqlite3.connect(folder / "atelier.sqlite") as there:
        return str(there.execute("SELECT version_num FROM alembic_version").fetchone()[0])


async def _set_revision(url: str, revision: str) -> None:
    async with create_async_engine(url, poolclass=NullPool).begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


async def test_a_server_that_takes_the_call_and_says_nothing_is_given_up_soon(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql+asyncpg://atelier:secret@127.0.0.1:{silent.getsockname()[1]}/atelier"
        async with asyncio.timeout(20):
            with pytest.raises(ConfigError, match="it does not answer") as refused:
                async with Database(url, tmp_path):
                    pass
    assert "secret" not in refused.value.sentence
