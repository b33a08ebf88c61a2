"""When Discord refused this house something, in a file of the data folder: Discord counts per address, not per process.

Without it a bot that is started again and again while requests are refused would begin to count anew each time, and
several processes would each count their own. All of it is written by one thread, in order; the interpreter waits for it
at its end, and nobody else does.
"""

from __future__ import annotations

import fcntl
import logging
import math
import os
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO

log = logging.getLogger(__name__)

NAME = "refused-requests.txt"
SPAN = 600.0  # seconds in which Discord counts
LARGE = 32 * 1024  # bytes from which on old lines are dropped at work, not only at the start
WRITER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="refused-requests")


class Kind(StrEnum):
    """What kind of request was refused."""

    BOT = "bot"  # opened by the bot's own token
    TOKEN = "token"  # noqa: S105 - opened by an interaction's token, whose end is a normal thing
    FREE = "free"  # an answer to an interaction, or one of those that log in


KINDS = {kind.value: kind for kind in Kind}
Refusal = tuple[float, Kind]  # epoch seconds


class RefusedRequests:
    """Lines of epoch seconds, a kind and the process that was refused; several processes may add at once."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = folder / NAME
        self._clock = clock
        self._mark = secrets.token_hex(4)  # of the lines that are this process's own
        self.heard: tuple[Refusal, ...] = ()  # of other processes in the last ten minutes, oldest first

    def begin(self) -> None:
        """Read what former processes and others have noted, and drop what is old."""
        self._read(self._text())
        WRITER.submit(self._tidy)

    def note(self, kind: Kind) -> None:
        """Note one of now, and hear what others have noted; that it cannot be written hinders nothing."""
        WRITER.submit(self._note, kind, self._clock())

    def age(self, at: float) -> float:
        """How many seconds ago that was; one that a clock set back has moved into the future is a new one."""
        return max(0.0, self._clock() - at)

    def _note(self, kind: Kind, at: float) -> None:
        try:
            with self._locked() as file:
                file.write(f"{at:.3f} {kind} {self._mark}\n")
                file.flush()
                text = self._text()
                self._read(text)
                if len(text) > LARGE:
                    self._rewrite(text)
        except OSError as error:
            log.debug("A refusal was not noted", exc_info=error)

    def _tidy(self) -> None:
        try:
            if self._path.exists():
                with self._locked():
                    self._rewrite(self._text())
        except OSError as error:
            log.debug("Old refusals were not dropped", exc_info=error)

    def _rewrite(self, text: str) -> None:
        """Only the last ten minutes, none of them in the future. Whoever is killed meanwhile leaves the file whole."""
        now = self._clock()
        part = self._path.with_suffix(".part")
        part.write_text("".join(f"{min(at, now):.3f} {kind} {mark}\n" for at, kind, mark in self._recent(text)))
        os.replace(part, self._path)

    @contextmanager
    def _locked(self) -> Iterator[IO[str]]:
        """The file, which nobody replaces or adds to meanwhile."""
        while True:
            with self._path.open("a") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if os.fstat(file.fileno()).st_ino == self._path.stat().st_ino:
                    yield file
                    return
                # It was replaced while this process waited for its turn.

    def _text(self) -> str:
        try:
            return self._path.read_text(errors="replace")
        except OSError:
            return ""

    def _read(self, text: str) -> None:
        self.heard = tuple((at, kind) for at, kind, mark in self._recent(text) if mark != self._mark)

    def _recent(self, text: str) -> list[tuple[float, Kind, str]]:
        """Lines of the last ten minutes, oldest first; those that say nothing are passed over."""
        now, found = self._clock(), []
        for line in text.splitlines():
            at, kind, mark, *_ = [*line.split(" "), "", ""]
            try:
                time_of = float(at)
            except ValueError:
                continue
            if -math.inf < now - time_of < SPAN:
                found.append((time_of, KINDS.get(kind, Kind.BOT), mark))
        return sorted(found)
