"""Copies of a database at work: whole, private, in time gone; and the way back."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.config import Config
from bot.store.backups import OLDEST, SPARE, NoBackup, backups_in, make, name_at, newest_good, prune
from bot.store.database import Database
from bot.store.integrity import damage_in
from bot.store.jobs import JobStore
from bot.store.restoring import restore
from bot.store.small import Notes
from generation.errors import ConfigError
from generation.limits import Allowance
from tests.orders import an_order
from tests.small_disk import a_small_disk

ALLOWANCE = Allowance(burst=2000, per_hour=120, daily=9000, waiting=3000)


def _url(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder / 'atelier.sqlite'}"


async def _with_note(folder: Path, value: str) -> None:
    async with Database(_url(folder), folder) as database:
        await Notes(database).set("mark", value)


def _note_in(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("SELECT value FROM notes WHERE key = 'mark'").fetchone()[0])


def _damage(path: Path, *, at: int = 8192, bytes_: int = 4096) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(os.urandom(bytes_))


async def test_a_copy_made_under_load_is_one_moment_of_the_database(tmp_path: Path) -> None:
    async with Database(_url(tmp_path), tmp_path) as database:
        async with database.write() as connection:
            await connection.execute(text("CREATE TABLE ballast (id INTEGER PRIMARY KEY, data BLOB)"))
            await connection.execute(text("CREATE TABLE pair (left_ INTEGER, right_ INTEGER)"))
            await connection.execute(text("INSERT INTO pair VALUES (0, 0)"))
            for _ in range(10):
                await connection.execute(text("INSERT INTO ballast (data) VALUES (randomblob(1500000))"))
        copying = asyncio.create_task(
            asyncio.to_thread(make, tmp_path / "atelier.sqlite", tmp_path / "backups", "hourly-a.db", full=True)
        )
        waits, number = [], 0
        while not copying.done():
            began, number = time.perf_counter(), number + 1
            async with database.write() as connection:
                await connection.execute(text("UPDATE pair SET left_ = :number"), {"number": number})
                await connection.execute(text("UPDATE pair SET right_ = :number"), {"number": number})
            waits.append(time.perf_counter() - began)
        copy = await copying
    with closing(sqlite3.connect(copy)) as there:
        left, right = there.execute("SELECT left_, right_ FROM pair").fetchone()
        assert left == right < number
        assert there.execute("SELECT count(*) FROM ballast").fetchone()[0] == 10
    assert len(waits) > 3
    assert sorted(waits)[len(waits) // 2] < 0.5  # seconds; a copy that holds the writers up takes far more
    assert copy.stat().st_mode & 0o777 == 0o600
    assert copy.parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in copy.parent.iterdir()] == ["hourly-a.db"]  # nothing unfinished, no journal


async def test_a_copy_that_fails_leaves_nothing_and_says_why(tmp_path: Path) -> None:
    await _with_note(tmp_path, "one")
    database = tmp_path / "atelier.sqlite"
    with pytest.raises(NoBackup, match="stopping"):
        make(database, tmp_path / "backups", "hourly-a.db", stop=lambda: True)
    assert list((tmp_path / "backups").iterdir()) == []
    _damage(database, at=3 * 4096)
    with pytest.raises(NoBackup) as failed:
        make(database, tmp_path / "backups", "hourly-b.db", full=True)
    assert failed.value.damaged
    assert list((tmp_path / "backups").iterdir()) == []


def test_the_newest_stay_and_nothing_stays_longer_than_promised(tmp_path: Path) -> None:
    now = time.time()
    for hours in range(6):
        _old(tmp_path / name_at(now - hours * 3600), now - hours * 3600)
    _old(tmp_path / "before-0009-x.db", now - OLDEST + 60)
    _old(tmp_path / "before-0008-x.db", now - OLDEST - 60)
    _old(tmp_path / "replaced-x.db", now - OLDEST - 60)
    _old(tmp_path / "replaced-x.db-wal", now - OLDEST - 60)
    assert len(prune(tmp_path, 4, None)) == 2  # on a clock that nobody believes nothing goes for its age
    assert len(prune(tmp_path, 4, now)) == 3
    kept = [each.path.name for each in backups_in(tmp_path)]
    assert kept == [*(name_at(now - hours * 3600) for hours in range(4)), "before-0009-x.db"]


def test_backups_from_the_future_push_out_none_that_are_made_now(tmp_path: Path) -> None:
    now = time.time()
    for hours in range(3):
        _old(tmp_path / name_at(now + 1e7 + hours * 3600), now + 1e7 + hours * 3600)
    _old(tmp_path / name_at(now), now)
    prune(tmp_path, 2, now)
    assert [each.made_at <= now for each in backups_in(tmp_path)] == [True, False]
    (tmp_path / "lost+found").mkdir()
    os.utime(tmp_path / "lost+found", (1.0, 1.0))
    _old(tmp_path / "zzz.db", now - OLDEST - 60)
    assert [path.name for path in prune(tmp_path, 2, now)] == ["zzz.db"]


async def test_a_copy_does_not_take_the_last_room_of_the_disk(tmp_path: Path) -> None:
    with a_small_disk(tmp_path / "house", 40) as disk:
        async with Database(_url(disk.folder), disk.folder) as database:
            async with database.write() as connection:
                await connection.execute(text("CREATE TABLE ballast (id INTEGER PRIMARY KEY, data BLOB)"))
                for _ in range(12):
                    await connection.execute(text("INSERT INTO ballast (data) VALUES (randomblob(1000000))"))
            await database.tidy()
            left: list[int] = []

            def look() -> bool:
                left.append(shutil.disk_usage(disk.folder).free)
                return False

            with pytest.raises(NoBackup, match=r"it may take 12 MiB, and only \d+ MiB are free"):
                for number in range(3):
                    make(disk.folder / "atelier.sqlite", disk.folder / "backups", f"hourly-{number}.db", stop=look)
            assert min(left) >= SPARE
            assert len(backups_in(disk.folder / "backups")) == 1


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("full", r"cannot be written \(No space left on device\)"),
        ("locked", r"cannot be opened \(database is locked\)"),
        ("of another user", r"atelier\.sqlite cannot be written; check its owner"),
        ("its lock of another user", r"atelier\.lock cannot be locked \(Permission denied\)"),
    ],
)
async def test_what_is_only_out_of_reach_is_not_called_damaged(tmp_path: Path, trouble: str, words: str) -> None:
    with a_small_disk(tmp_path / "house", 8) as disk:
        folder = disk.folder
        await _with_note(folder, "kept")
        with ExitStack() as stack:
            if trouble == "full":
                disk.fill()
                stack.callback(disk.empty)
            elif trouble == "locked":
                other = stack.enter_context(closing(sqlite3.connect(folder / "atelier.sqlite", isolation_level=None)))
                other.execute("PRAGMA locking_mode=EXCLUSIVE")
                other.execute("BEGIN EXCLUSIVE")
            else:
                folder.chmod(0o777)
                (folder / "atelier.lock").chmod(0o666 if trouble == "of another user" else 0o644)
                for above in (tmp_path, *tmp_path.parents[:3]):
                    above.chmod(0o755)
                stack.enter_context(_as_nobody())
            with pytest.raises(ConfigError, match=words):
                async with Database(_url(folder), folder):
                    pass
        async with Database(_url(folder), folder) as database:
            assert await Notes(database).get("mark") == "kept"


@contextmanager
def _as_nobody() -> Iterator[None]:
    if os.geteuid():
        pytest.skip("only root can become somebody else")
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def _old(path: Path, moment: float) -> None:
    path.write_bytes(b"")
    os.utime(path, (moment, moment))


async def test_a_damaged_database_is_refused_with_the_way_back_and_that_way_works(tmp_path: Path) -> None:
    config = Config(data_dir=tmp_path)
    await _with_note(tmp_path, "kept")
    good = make(tmp_path / "atelier.sqlite", tmp_path / "backups", "hourly-1.db")
    newer = make(tmp_path / "atelier.sqlite", tmp_path / "backups", "hourly-2.db")
    os.utime(newer, (time.time() + 5, time.time() + 5))
    _damage(newer)
    _damage(tmp_path / "atelier.sqlite", at=4096, bytes_=60_000)
    before = (tmp_path / "atelier.sqlite").read_bytes()
    with pytest.raises(
        ConfigError, match=r"is damaged .* python -m bot restore hourly-1\.db puts it back\.$"
    ) as refused:
        async with Database(_url(tmp_path), tmp_path):
            pass
    assert "\n" not in refused.value.sentence
    assert str(good) in refused.value.sentence
    assert (tmp_path / "atelier.sqlite").read_bytes() == before

    restored = await asyncio.to_thread(restore, config, None)
    assert restored.backup.path == good
    assert restored.replaced is not None
    assert restored.replaced.read_bytes() == before
    assert _note_in(tmp_path / "atelier.sqlite") == "kept"
    async with Database(_url(tmp_path), tmp_path) as database:
        assert await Notes(database).get("mark") == "kept"
    assert (tmp_path / "atelier.sqlite").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("shape", ["no database", "cut off", "empty"])
async def test_every_kind_of_damage_is_noticed(tmp_path: Path, shape: str) -> None:
    await _with_note(tmp_path, "kept")
    database = tmp_path / "atelier.sqlite"
    make(database, tmp_path / "backups", "hourly-1.db")
    if shape == "no database":
        database.write_bytes(b"nonsense" * 2000)
    else:
        os.truncate(database, 0 if shape == "empty" else 20 * 4096)
    with pytest.raises(ConfigError, match=r"is damaged .* hourly-1\.db"):
        async with Database(_url(tmp_path), tmp_path):
            pass


async def test_damage_without_a_backup_says_so(tmp_path: Path) -> None:
    (tmp_path / "atelier.sqlite").write_bytes(b"nonsense" * 2000)
    with pytest.raises(ConfigError, match="there is no good backup"):
        async with Database(_url(tmp_path), tmp_path):
            pass


async def test_nothing_is_put_back_while_a_bot_runs_or_when_it_is_of_no_use(tmp_path: Path) -> None:
    config = Config(data_dir=tmp_path)
    await _with_note(tmp_path, "first")
    good = make(tmp_path / "atelier.sqlite", tmp_path / "backups", "hourly-1.db")
    await _with_note(tmp_path, "second")
    async with Database(_url(tmp_path), tmp_path):
        with pytest.raises(ConfigError, match="is running"):
            await asyncio.to_thread(restore, config, "hourly-1.db")
    with sqlite3.connect(good) as newer:
        newer.execute("UPDATE alembic_version SET version_num = '0042'")
    newer.close()
    with pytest.raises(ConfigError, match=r"newer Atelier \(0042"):
        restore(config, "hourly-1.db")
    _damage(good)
    with pytest.raises(ConfigError, match="is damaged"):
        restore(config, "hourly-1.db")
    with pytest.raises(ConfigError, match="There is no backup nothing"):
        restore(config, "nothing.db")
    with pytest.raises(ConfigError, match="There is no good backup"):
        restore(config, None)
    with pytest.raises(ConfigError, match="pg_dump"):
        restore(Config(data_dir=tmp_path, database_url="postgresql+asyncpg://nobody@127.0.0.1/nothing"), None)
    assert _note_in(tmp_path / "atelier.sqlite") == "second"


async def test_the_journal_of_the_former_file_is_not_read_into_the_one_put_back(tmp_path: Path) -> None:
    async with Database(_url(tmp_path), tmp_path) as database:
        store = JobStore(database)
        await store.enqueue(an_order(1), 1.0, ALLOWANCE, 100)
        make(tmp_path / "atelier.sqlite", tmp_path / "backups", "hourly-1.db")
        for member in (2, 3):
            await store.enqueue(an_order(member), 1.0, ALLOWANCE, 100)
        crashed = tmp_path / "crashed"
        crashed.mkdir()
        for name in ("atelier.sqlite", "atelier.sqlite-wal"):  # as a crash leaves it: much is in the journal alone
            (crashed / name).write_bytes((tmp_path / name).read_bytes())
    (tmp_path / "backups").rename(crashed / "backups")
    restored = await asyncio.to_thread(restore, Config(data_dir=crashed), "hourly-1.db")
    async with Database(_url(crashed), crashed) as database:
        assert sum((await JobStore(database).counts()).values()) == 1
    assert restored.replaced is not None
    with closing(sqlite3.connect(restored.replaced)) as former:
        assert former.execute("SELECT count(*) FROM jobs").fetchone()[0] == 3


async def test_a_former_file_that_is_put_back_has_what_stood_in_its_journal(tmp_path: Path) -> None:
    crashed = await _crashed(tmp_path)
    config = Config(data_dir=crashed)
    former = (await asyncio.to_thread(restore, config, "hourly-1.db")).replaced
    assert former is not None
    again = (await asyncio.to_thread(restore, config, former.name)).replaced  # in the same second
    assert again not in (None, former)
    async with Database(_url(crashed), crashed) as database:
        assert sum((await JobStore(database).counts()).values()) == 3
    for path, jobs in ((former, 3), (again, 1)):
        with closing(sqlite3.connect(path)) as kept:
            assert kept.execute("SELECT count(*) FROM jobs").fetchone()[0] == jobs


async def _crashed(folder: Path) -> Path:
    """A data folder as a crash leaves it: two of three jobs are in the journal alone, and a backup has the first."""
    async with Database(_url(folder), folder) as database:
        store = JobStore(database)
        await store.enqueue(an_order(1), 1.0, ALLOWANCE, 100)
        make(folder / "atelier.sqlite", folder / "backups", "hourly-1.db")
        for member in (2, 3):
            await store.enqueue(an_order(member), 1.0, ALLOWANCE, 100)
        crashed = folder / "crashed"
        crashed.mkdir()
        for name in ("atelier.sqlite", "atelier.sqlite-wal"):
            (crashed / name).write_bytes((folder / name).read_bytes())
    (folder / "backups").rename(crashed / "backups")
    return crashed


async def test_a_backup_that_cannot_be_put_in_place_leaves_the_journal_where_it_was(tmp_path: Path) -> None:
    crashed = await _crashed(tmp_path)
    index = crashed / "atelier.sqlite-shm"
    index.write_bytes(b"")
    before = sorted(path.name for path in crashed.rglob("*"))
    immovable = subprocess.run(["chattr", "+i", str(index)], capture_output=True, check=False)
    if immovable.returncode:
        pytest.skip("this file system knows no files that stay")
    try:
        with pytest.raises(ConfigError, match="nothing was changed"):
            await asyncio.to_thread(restore, Config(data_dir=crashed), "hourly-1.db")
    finally:
        subprocess.run(["chattr", "-i", str(index)], check=True)
    assert sorted(path.name for path in crashed.rglob("*") if path.name != "atelier.lock") == before
    async with Database(_url(crashed), crashed) as database:
        assert sum((await JobStore(database).counts()).values()) == 3


async def test_a_journal_whose_file_was_moved_away_is_not_read_into_the_backup(tmp_path: Path) -> None:
    crashed = await _crashed(tmp_path)
    (crashed / "atelier.sqlite").rename(tmp_path / "moved.sqlite")
    restored = await asyncio.to_thread(restore, Config(data_dir=crashed), "hourly-1.db")
    assert restored.replaced is None
    async with Database(_url(crashed), crashed) as database:
        assert sum((await JobStore(database).counts()).values()) == 1


async def test_the_commands_say_what_there_is_and_put_it_back(tmp_path: Path) -> None:
    await _with_note(tmp_path, "kept")
    make(tmp_path / "atelier.sqlite", tmp_path / "backups", "hourly-1.db")
    await _with_note(tmp_path, "later")
    (tmp_path / "config.yaml").write_text(f"data_dir: {tmp_path}\n")

    def bot(*arguments: str) -> str:
        command = [sys.executable, "-m", "bot", "restore", *arguments, "--config", str(tmp_path / "config.yaml")]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("ATELIER")}
        return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=True).stdout

    assert "hourly-1.db" in await asyncio.to_thread(bot, "--list")
    assert "is the database now" in await asyncio.to_thread(bot)
    assert _note_in(tmp_path / "atelier.sqlite") == "kept"
    assert newest_good(tmp_path / "backups") is not None


def test_a_check_of_a_large_file_ends_in_time(tmp_path: Path) -> None:
    path = tmp_path / "large.sqlite"
    with closing(sqlite3.connect(path)) as large:
        large.execute("CREATE TABLE t (a TEXT)")
        large.execute("CREATE INDEX i ON t (a)")
        numbers = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 60000)"
        large.execute(f"INSERT INTO t {numbers} SELECT hex(randomblob(20)) FROM n")
        large.commit()
    began = time.perf_counter()
    assert damage_in(path, full=True, seconds=0.0) is None
    short = time.perf_counter() - began
    began = time.perf_counter()
    assert damage_in(path, full=True) is None
    assert short < (time.perf_counter() - began) / 2
