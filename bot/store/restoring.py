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
from bot.store.integrity import damage_in
from bot.store.migrating import refuse_newer, sqlite_file
from generation.errors import ConfigError

LOCK = "atelier.lock"  # in the data folder; a running bot holds it
BESIDE = ("-wal", "-shm")  # what SQLite keeps beside a file that is in use


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
            replaced = _kept_aside(database, folder)
            fresh.replace(database)
            to_disk(database.parent)
        except OSError as error:
            raise ConfigError(f"The backup could not be put back ({error.strerror}); nothing was changed.") from error
        finally:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)
    return Restored(backup, replaced)


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
    damage = damage_in(chosen.path, full=True, alone=True)
    if damage is not None:
        raise ConfigError(f"The backup {chosen.path} is damaged ({damage}); choose another one.")
    refuse_newer(_revision_in(chosen.path), f"The backup {chosen.path}")
    return chosen


def _revision_in(path: Path) -> str:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.DatabaseError as error:
            raise ConfigError(f"The file {path} is no backup of Atelier.") from error
    return str(row[0]) if row is not None else ""


def _copied(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    descriptor = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as new, source.open("rb") as old:
        shutil.copyfileobj(old, new, 2**20)
        new.flush()
        os.fsync(new.fileno())


def _kept_aside(database: Path, folder: Path) -> Path | None:
    """Give the present file a second name with what belongs to it; it keeps its own until the backup takes that."""
    if not database.exists():
        return None
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = folder / name_at(time.time(), REPLACED)
    try:
        aside.hardlink_to(database)
    except OSError:  # another file system, or one that knows no second names
        shutil.copy2(database, aside)
    for ending in BESIDE:
        beside = Path(f"{database}{ending}")
        if beside.exists():  # the backup must not get the journal of another file
            shutil.move(beside, f"{aside}{ending}")
    os.utime(aside)  # its 30 days begin now
    return aside


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    """While nobody else works in the data folder."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (data_dir / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigError(f"An Atelier is running on {data_dir}; stop it, then put the backup back.") from error
        yield
