"""When Discord refused this house something, in a file of the data folder: Discord counts per address, not per process.

Without it a bot that is started again and again while requests are refused would begin to count anew each time.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable
from pathlib import Path

log = logging.getLogger(__name__)

NAME = "refused-requests.txt"
SPAN = 600.0  # seconds in which Discord counts
LARGE = 32 * 1024  # bytes from which on old lines are dropped at work, not only at the start


class RefusedRequests:
    """Lines of epoch seconds and what opened the request, `bot` or `token`; several processes may add at once."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = folder / NAME
        self._clock = clock

    def recent(self) -> list[tuple[float, bool]]:
        """How many seconds ago each of the last ten minutes was, oldest first, and whether a token was to open it.

        One that a clock set back has moved into the future counts as new. Lines that say nothing are passed over, and
        a file that cannot be read is an empty one.
        """
        now, found = self._clock(), []
        for line in self._lines():
            at, _, kind = line.partition(" ")
            try:
                age = now - float(at)
            except ValueError:
                continue
            if -math.inf < age < SPAN:
                found.append((max(0.0, age), kind == "token"))
        return sorted(found, reverse=True)

    def tidy(self) -> None:
        """Drop what is older than ten minutes."""
        now = self._clock()
        kept = "".join(_line(now - age, by_token) for age, by_token in self.recent())
        try:
            if self._path.exists():
                self._path.write_text(kept)
        except OSError as error:
            log.debug("Old refusals were not dropped", exc_info=error)

    async def add(self, *, by_token: bool) -> None:
        """Note one of now; that it cannot be written hinders nothing, since the process counts it too."""
        await asyncio.to_thread(self._add, by_token)

    def _add(self, by_token: bool) -> None:
        try:
            with self._path.open("a") as file:
                file.write(_line(self._clock(), by_token))
                size = file.tell()
        except OSError as error:
            log.debug("A refusal was not noted", exc_info=error)
            return
        if size > LARGE:
            self.tidy()

    def _lines(self) -> list[str]:
        try:
            return self._path.read_text(errors="replace").splitlines()
        except OSError:
            return []


def _line(at: float, by_token: bool) -> str:
    return f"{at:.3f} {'token' if by_token else 'bot'}\n"
