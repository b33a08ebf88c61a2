"""Whether a SQLite file is whole."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

BESIDE = ("-wal", "-shm")  # what SQLite keeps beside a file that is in use
DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
UNREADABLE = frozenset({sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS})
STRIDE = 20_000  # instructions of SQLite between two looks at the clock, about a millisecond


def damage_in(path: Path, *, full: bool = False, seconds: float = float("inf"), alone: bool = False) -> str | None:
    """What is wrong with the SQLite file at `path`, in the words of SQLite; None when nothing was found. Blocking.

    `full` also compares every index with its table. A check ends after `seconds` with what it has seen by then. `alone`
    promises that nobody writes meanwhile: nothing is then created beside the file. Raises sqlite3.Error or OSError when
    the file cannot be looked at: locked, not to be opened, no room for what SQLite keeps beside it.
    """
    if path.stat().st_size == 0:
        return "the file is empty"
    try:
        with closing(sqlite3.connect(_address(path, alone=alone), uri=True, isolation_level=None)) as connection:
            return _checked(connection, "integrity_check(1)" if full else "quick_check(1)", seconds)
    except sqlite3.DatabaseError as error:
        if means_damage(error):
            return str(error)
        raise


def means_damage(error: BaseException) -> bool:
    """Whether `error` is about what stands in the file; a full disk or another's lock says nothing of that."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in DAMAGE or code in UNREADABLE


def _checked(connection: sqlite3.Connection, check: str, seconds: float) -> str | None:
    last = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > last, STRIDE)
    try:
        (verdict,) = connection.execute(f"PRAGMA {check}").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            return None
        raise
    return None if verdict == "ok" else str(verdict).partition("\n")[0]


def _address(path: Path, *, alone: bool) -> str:
    return f"file:{quote(str(path.absolute()))}?" + ("mode=ro&immutable=1" if alone else "mode=rw")
