"""The disk that takes no writes: members hear one kind sentence, what was painted waits, and all goes on by itself.

Full, over its quota, read-only, broken or another user's is the same here. The owner reads the cause once; everything
that has to be written is held back until a trial of both the folder and the database has succeeded.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from bot.store.database import Database
from bot.store.small import set_note
from bot.troubles import Trouble, Troubles
from generation.errors import NotNow

log = logging.getLogger(__name__)

T = TypeVar("T")

EVERY = 2.0  # seconds between two trials
TRIAL = 2 * 2**20  # bytes: about a picture, so that what waits finds room
TRIAL_NAME, TRIAL_NOTE = ".trial", "disk_trial"
SENTENCE = "That is not possible right now, and nothing was charged; please try again in a few minutes."
OF_THE_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO})
OF_A_FILE = frozenset({errno.EACCES, errno.EPERM})  # of the disk only where a file is named: a network has them too
OF_SQLITE = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN})
PRIMARY = 0xFF  # the part of SQLite's error codes that says what it is; the rest says where
POSTGRES_FULL = "53100"


class Disk:
    """The data folder and the database beside it, as far as they can be written."""

    def __init__(self, database: Database, folder: Path, troubles: Troubles, *, every: float = EVERY) -> None:
        self._database = database
        self._folder = folder
        self._troubles = troubles
        self._every = every
        self._where = folder  # the trial is made where it failed
        self.working = asyncio.Event()
        self.working.set()
        self._closed = False
        self._watch: asyncio.Task[None] | None = None

    def check(self) -> None:
        """Raise NotNow while nothing can be written."""
        if not self.working.is_set():
            raise NotNow(SENTENCE)

    def failed(self, error: BaseException) -> bool:
        """Whether the disk is to blame for `error`; if so it is watched from now on."""
        cause = cause_of(error)
        if cause is None:
            return False
        if self.working.is_set() and not self._closed:
            self.working.clear()
            self._where = where(error, self._folder)
            self._troubles.begin(
                Trouble.DISK,
                f"The disk of {self._where} takes no writes ({cause}): requests are refused and finished pictures wait"
                " until it does again.",
            )
            self._watch = asyncio.create_task(self._until_it_works(), name="disk")
        return True

    async def insist(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do `work`, which must be safe to repeat, as often as the disk refuses it."""
        while True:
            try:
                return await work()
            except Exception as error:
                if not self.failed(error):
                    raise
            await self.working.wait()

    async def close(self) -> None:
        """Watch no longer."""
        self._closed = True
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch

    async def _until_it_works(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            try:
                await asyncio.to_thread(_try, self._where / TRIAL_NAME)
                async with self._database.write() as connection:
                    await set_note(connection, TRIAL_NOTE, os.urandom(8).hex())
            except Exception as error:  # whatever it is this time, it is not over
                log.debug("The disk still takes no writes", exc_info=error)
            else:
                self._troubles.end(Trouble.DISK, "The disk takes writes again; what waited goes on.")
                self.working.set()
                return


def cause_of(error: BaseException) -> str | None:
    """What the disk has to do with `error`, in few words; None when it has nothing to do with it."""
    for each in _chain(error):
        if isinstance(each, OSError) and (each.errno in OF_THE_DISK or (each.errno in OF_A_FILE and each.filename)):
            return each.strerror or str(each)
        if isinstance(each, sqlite3.Error) and getattr(each, "sqlite_errorcode", 0) & PRIMARY in OF_SQLITE:
            return str(each)
        if getattr(each, "sqlstate", None) == POSTGRES_FULL:
            return "PostgreSQL's disk is full"
    return None


def where(error: BaseException, folder: Path) -> Path:
    """The folder within `folder` in which a file could not be made; `folder` itself where nobody says so."""
    for each in _chain(error):
        if isinstance(each, OSError) and isinstance(each.filename, str):
            place = Path(each.filename).parent
            if place.is_relative_to(folder) and os.path.isdir(place):  # Path.is_dir may raise
                return place
    return folder


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        inner = getattr(error, "orig", None)
        error = inner if isinstance(inner, BaseException) else error.__cause__


def _try(path: Path) -> None:
    try:
        with path.open("wb") as file:
            file.write(bytes(TRIAL))
            file.flush()
            os.fsync(file.fileno())
    finally:
        path.unlink(missing_ok=True)
