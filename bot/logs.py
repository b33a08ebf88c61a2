"""Logging: one line per event on stderr, without secrets."""

from __future__ import annotations

import logging
import re

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


def set_up(level: int) -> None:
    """Send our own lines at `level`, and other libraries' from WARNING on, to stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S"))
    handler.addFilter(SecretFilter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.WARNING) if level > logging.DEBUG else logging.INFO)
    for name in ("bot", "cogs", "generation"):
        logging.getLogger(name).setLevel(level)
