"""Logging: one line per event on stderr, without secrets, and nobody waits for whoever reads it.

A thread of its own writes, so that a reader that stands still does not stop the event loop. So many lines are kept for
it; those beyond are dropped, and later it is said how many.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import queue
import re
import sys
import threading
from contextlib import suppress
from logging.handlers import QueueHandler, QueueListener

KEPT = 5_000  # lines that nobody has read yet
PATIENCE = 3.0  # seconds for the last of them at the end
SECRETS = re.compile(
    r"[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{20,}"  # bot tokens
    r"|(?<=/webhooks/)(\d+)/[A-Za-z0-9_.-]{20,}"  # interaction tokens in addresses
    r"|(?<=/interactions/)(\d+)/[A-Za-z0-9_.-]{20,}"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"  # passwords in database addresses
)


class SecretFilter(logging.Filter):
    """Blackens tokens and passwords in every message and traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place; never drops it."""
        message = record.getMessage()
        cleaned = SECRETS.sub("[secret]", message)
        if cleaned != message:
            record.msg, record.args = cleaned, ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = SECRETS.sub("[secret]", record.exc_text)
        return True


class Lines(QueueHandler):
    """Hands finished lines to the thread that writes them."""

    def __init__(self) -> None:
        self.waiting: queue.Queue[logging.LogRecord] = queue.Queue(KEPT)
        super().__init__(self.waiting)
        self._dropped = 0

    def enqueue(self, record: logging.LogRecord) -> None:
        """Keep the line, if there is room."""
        if self._dropped and self.waiting.qsize() <= KEPT // 2:  # not one by one, where the reader is only slow
            self._tell()
        try:
            self.waiting.put_nowait(record)
        except queue.Full:
            self._dropped += 1

    def handle(self, record: logging.LogRecord) -> bool:
        """As others do; what ends the process is on stderr before anything else is said there."""
        handled = super().handle(record)
        if record.levelno >= logging.ERROR and not _is_looping():
            self.finish()
        return bool(handled)

    def finish(self) -> None:
        """Wait until everything is written, for a little while at most."""
        if self._is_written() and self._dropped:
            self._tell()
            self._is_written()

    def _is_written(self) -> bool:
        with self.waiting.all_tasks_done:
            return self.waiting.all_tasks_done.wait_for(lambda: not self.waiting.unfinished_tasks, PATIENCE)

    def _tell(self) -> None:
        words = "%d lines were dropped here, since nobody read the log"
        lost = logging.LogRecord(__name__, logging.WARNING, __file__, 0, words, (self._dropped,), None)
        try:
            self.waiting.put_nowait(self.prepare(lost))
        except queue.Full:
            return
        self._dropped = 0


class Writer(QueueListener):
    """Writes to stderr; not by a handler, nor through Python's own buffers: at the end both wait for their locks."""

    def __init__(self, lines: Lines) -> None:
        super().__init__(lines.waiting)
        self._formatter = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")
        # Where there is no stderr, its number may belong to some other file by now.
        self._file = sys.stderr.fileno() if sys.stderr is not None else None

    def handle(self, record: logging.LogRecord) -> None:
        """Write one line; one that cannot be written hurts nobody."""
        rest = f"{self._formatter.format(record)}\n".encode(errors="backslashreplace")
        with suppress(OSError):
            while self._file is not None and rest:
                rest = rest[os.write(self._file, rest) :]


def set_up(level: int) -> None:
    """Send our own lines at `level`, and other libraries' from WARNING on, to stderr."""
    lines = Lines()
    lines.addFilter(SecretFilter())
    root = logging.getLogger()
    root.handlers[:] = [lines]
    root.setLevel(max(level, logging.WARNING) if level > logging.DEBUG else logging.INFO)
    for name in ("bot", "cogs", "generation"):
        logging.getLogger(name).setLevel(level)
    Writer(lines).start()
    atexit.register(lines.finish)


def _is_looping() -> bool:
    """Whether others wait for this thread: it runs an event loop, or works for one."""
    if threading.current_thread() is not threading.main_thread():
        return True
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
