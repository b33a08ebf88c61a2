"""Puts a backup back in the place of the database: checked before, while nobody works with it, and nothing is lost."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bot.config import Config
from bot.store.backups import FOLDER, REPLACED, UNFINISHED, Backup, name_at, newest_good, to_disk
from bot.store.integrity import BESIDE, damage_in
from bot.store.migrating import refuse_newer, sqlite_file
from generation.errors import ConfigError

LOCK = "atelier.lock"  # in the data folder; a running bot holds it


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back, and where the former file is; None when there was none."""

    backup: Backup
    replaced: Path | None


def folder_of(config: Config) -> Path:
    """Where the backups are; raises ConfigError for a database that Atelier makes none of."""
    if sqlite_file(config.database) is None:
        raise ConfigError("Atelier makes no backups of PostgreSQL; use pg_dump and pg_restore.")
    return config.data_dir / FOLDER


def restore(config: Config, name: str | None) -> Restored:
    """Put a backup back, by its name or as a file; without one the newest good. Blocking.

    Raises ConfigError, with nothing changed, while a bot runs or when the backup is of no use.
    """
    folder, database = folder_of(config), sqlite_file(config.database)
    assert database is not None, "folder_of looked"
    with _alone(config.data_dir):
        backup = _chosen(folder, name)
        fresh = database.with_name(f"{UNFINISHED}{database.name}")
        try:
            _copied(backup.path, fresh)
            _refuse_useless(fresh, backup.path)
            to_disk(fresh)
            aside = _free_name(folder)
            _put_in_place(fresh, database, aside)
        except (OSError, sqlite3.Error) as error:
            cause = getattr(error, "strerror", None) or str(error)
            raise ConfigError(f"The backup could not be put back ({cause}); nothing was changed.") from error
        finally:
            for each in _with_journal(fresh):
                with suppress(OSError):
                    each.unlink(missing_ok=True)
    return Restored(backup, aside if aside.exists() else None)


def _chosen(folder: Path, name: str | None) -> Backup:
    if name is None:
        newest = newest_good(folder)
        if newest is None:
            raise ConfigError(f"There is no good backup in {folder}.")
        chosen = newest
    else:
        path = folder / name if (folder / name).is_file() else Path(name)
        if not path.is_file():
            raise ConfigError(f"There is no backup {name}; python -m bot restore --list says which there are.")
        status = path.stat()
        chosen = Backup(path, status.st_mtime, status.st_size)
    return chosen


def _copied(source: Path, target: Path) -> None:
    """Copy a database with what stands in its journal alone, as in that of a former file that was put aside."""
    for old, new in zip(_with_journal(source), _with_journal(target), strict=True):
        new.unlink(missing_ok=True)
        if old == source or (old.name.endswith("-wal") and old.exists()):
            descriptor = os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "wb") as into, old.open("rb") as out_of:
                shutil.copyfileobj(out_of, into, 2**20)
    with closing(sqlite3.connect(target, isolation_level=None)) as connection, suppress(sqlite3.DatabaseError):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()  # whether that went well, the check says


def _refuse_useless(path: Path, backup: Path) -> None:
    damage = damage_in(path, full=True)
    if damage is not None:
        raise ConfigError(f"The backup {backup} is damaged ({damage}); choose another one.")
    with closing(sqlite3.connect(path)) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.DatabaseError as error:
            raise ConfigError(f"The file {backup} is no backup of Atelier.") from error
    refuse_newer(str(row[0]) if row is not None else "", f"The backup {backup}")


def _with_journal(path: Path) -> list[Path]:
    return [path, *(Path(f"{path}{ending}") for ending in BESIDE)]


def _free_name(folder: Path) -> Path:
    """What the present file is to be called from now on."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    moment = time.time()
    while (aside := folder / name_at(moment, REPLACED)).exists():  # another one was put aside in this second
        moment += 1.0
    return aside


def _named_twice(database: Path, aside: Path) -> None:
    """Give the present file a second name; it keeps its own until the backup takes that."""
    try:
        aside.hardlink_to(database)
    except OSError:  # another file system, or one that knows no second names
        _copied_whole(database, aside)
    os.utime(aside)  # its 30 days begin now


def _copied_whole(source: Path, target: Path) -> None:
    try:
        shutil.copyfile(source, target)
        target.chmod(0o600)
        to_disk(target)
    except OSError:
        target.unlink(missing_ok=True)
        raise


def _put_in_place(fresh: Path, database: Path, aside: Path) -> None:
    """The present file and its journal are put aside, or stay what they were when that fails.

    A journal may lie there alone, its file moved away by hand; the backup must not get that of another either.
    """
    journal = list(zip(_with_journal(database), _with_journal(aside), strict=True))[1:]
    try:
        if database.exists():
            _named_twice(database, aside)
        for beside, its in journal:
            if beside.exists():
                shutil.move(beside, its)
                os.utime(its)
        to_disk(aside.parent)
        fresh.replace(database)
    except OSError:
        for beside, its in journal:
            if its.exists() and not beside.exists():
                shutil.move(its, beside)
            its.unlink(missing_ok=True)
        aside.unlink(missing_ok=True)
        raise
    to_disk(database.parent)


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    """While nobody else works in the data folder."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (data_dir / LOCK).open("w")
    except OSError as error:
        raise ConfigError(f"The data folder {data_dir} cannot be written ({error.strerror}).") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigError(f"An Atelier is running on {data_dir}; stop it, then put the backup back.") from error
        yield
