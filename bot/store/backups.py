"""Backups of a SQLite database: copied by SQLite while the bot works, checked, and only then called backups.

A copy is made from one snapshot, in small steps, so that neither writers nor the copy wait for each other. It is made
under another name, looked at, brought to the disk and then renamed: whatever bears a backup's name is whole.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from bot.store.integrity import BESIDE, damage_in, means_damage
from generation.errors import AtelierError

FOLDER = "backups"  # in the data folder
SUFFIX = ".db"
HOURLY, BEFORE, REPLACED = "hourly-", "before-", "replaced-"  # how the names begin
UNFINISHED = ".new-"
PAGES = 512  # of a step: two megabytes
SPARE = 16 * 2**20  # bytes that a copy leaves free: what people ask for goes on meanwhile
PAUSE = 0.005  # seconds between two steps, in which others may use the disk
SOON = 60.0  # seconds ahead of the clock that a file may be without being from the future
OLDEST = 30 * 86_400.0  # seconds; TRUST.md promises that what was deleted is in no backup after that


class NoBackup(AtelierError):
    """The backup could not be made."""

    def __init__(self, sentence: str, *, damaged: bool = False) -> None:
        super().__init__(sentence)
        self.damaged = damaged  # the copy, and so perhaps the database


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy of the database that was whole when it was made."""

    path: Path
    made_at: float  # epoch seconds
    size: int  # bytes

    @property
    def date(self) -> str:
        """For people, in UTC."""
        return datetime.fromtimestamp(self.made_at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def backups_in(folder: Path, now: float | None = None) -> list[Backup]:
    """Everything in `folder` that can be put back, newest first. Blocking.

    Those from the future come last: a clock that was wrong made them, and how old they are nobody knows.
    """
    now = time.time() if now is None else now
    found = []
    for path in folder.glob(f"*{SUFFIX}") if folder.is_dir() else ():
        with suppress(FileNotFoundError):  # pruned meanwhile
            status = path.stat()
            if not path.name.startswith((UNFINISHED, REPLACED)):
                found.append(Backup(path, status.st_mtime, status.st_size))
    return sorted(found, key=lambda each: (each.made_at <= now + SOON, each.made_at, each.path.name), reverse=True)


def newest_good(folder: Path) -> Backup | None:
    """The newest backup that is still whole. Blocking."""
    return next((each for each in backups_in(folder) if _is_good(each.path)), None)


def _is_good(path: Path) -> bool:
    try:
        return damage_in(path, alone=True) is None
    except (sqlite3.Error, OSError):
        return False


def make(
    source: Path, folder: Path, name: str, *, full: bool = False, stop: Callable[[], bool] = lambda: False
) -> Path:
    """Copy the database at `source` to `folder`/`name`; returns the new path. Blocking, beside running writers.

    `full` compares every index of the copy with its table. Raises NoBackup with the reason, and leaves nothing behind;
    so it does when `stop` says so.
    """
    unfinished = folder / f"{UNFINISHED}{name}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished.unlink(missing_ok=True)
        _refuse_to_fill(folder, source)
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        _copy(source, unfinished, stop)
        damage = damage_in(unfinished, full=full, alone=True)
        if damage is not None:
            raise NoBackup(f"its copy is: {damage}", damaged=True)
        to_disk(unfinished)
        unfinished.replace(folder / name)
        to_disk(folder)
    except (sqlite3.Error, OSError) as error:
        raise NoBackup(getattr(error, "strerror", None) or str(error), damaged=means_damage(error)) from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return folder / name


def prune(folder: Path, keep: int, now: float | None) -> list[Path]:
    """Delete all but the newest `keep` hourly backups, and everything that is too old at `now`; returns what went.

    Without `now`, when nobody knows what time it is, nothing goes because of its age. Blocking.
    """
    hourly = [each.path for each in backups_in(folder, now) if each.path.name.startswith(HOURLY)]
    going = hourly[keep:]
    if now is not None and folder.is_dir():
        files = [path for path in folder.iterdir() if path.is_file()]  # not lost+found
        going += [path for path in files if path not in going and path.stat().st_mtime < now - OLDEST]
    for path in going:
        path.unlink(missing_ok=True)
    return going


def name_at(moment: float, kind: str = HOURLY) -> str:
    """The name of a backup made at `moment` (epoch seconds)."""
    return f"{kind}{datetime.fromtimestamp(moment, UTC):%Y%m%d-%H%M%S}{SUFFIX}"


def _refuse_to_fill(folder: Path, source: Path) -> None:
    """Raise NoBackup where a copy would take the last room that the bot itself needs."""
    files = [source, *(Path(f"{source}{ending}") for ending in BESIDE)]
    needed = sum(each.stat().st_size for each in files if each.exists())
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE:
        raise NoBackup(f"it may take {needed / 2**20:,.0f} MiB, and only {free / 2**20:,.0f} MiB are free")


def _copy(source: Path, target: Path, stop: Callable[[], bool]) -> None:
    address = f"file:{quote(str(source.absolute()))}?mode=rw"  # a reader of a journal has to write beside it

    def step(*_: int) -> None:
        if stop():
            raise NoBackup("the bot is stopping")
        time.sleep(PAUSE)

    with (
        closing(sqlite3.connect(address, uri=True, isolation_level=None)) as old,
        closing(sqlite3.connect(target, isolation_level=None)) as new,
    ):
        old.execute("BEGIN")
        old.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on it sees one snapshot
        new.execute("PRAGMA journal_mode=OFF")
        new.execute("PRAGMA synchronous=OFF")  # it is brought to the disk as a whole, and is no backup before
        old.backup(new, pages=PAGES, progress=step)


def to_disk(path: Path) -> None:
    """What was written to a file, or named in a folder, survives a power cut when this returns."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
