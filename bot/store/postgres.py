"""What PostgreSQL needs beside SQLAlchemy: time to start, one writer among all processes, bounded waits, its clock."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any, Final

from sqlalchemy import URL, Float, cast, extract, func, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

log = logging.getLogger(__name__)

DRIVER: Final = "postgresql+asyncpg"
_KEY: Final = 0x6174656C  # of Atelier's advisory lock
# Held until the transaction ends. Everything that reads before it writes relies on being alone, as with SQLite.
ALONE: Final = text(f"SELECT pg_advisory_xact_lock({_KEY})")
NOW: Final = cast(extract("epoch", func.clock_timestamp()), Float)  # the one clock that all processes share

CONNECTING: Final = 5.0  # seconds until a server that does not answer counts as away
ANSWERING: Final = 20.0  # seconds for one statement
_SETTINGS: Final = {
    "application_name": "atelier",
    "lock_timeout": "10000",  # milliseconds; a writer that waits longer says so instead of holding up its process
    "idle_in_transaction_session_timeout": "20000",  # a process that was stopped must not keep all others waiting
}
LOOK_AGAIN: Final = 1.0  # seconds between two looks whether a server has come up
# PostgreSQL's words for "not yet": it starts, it ends, it begins anew after a crash, it has no connection left; and the
# driver's for a connection that was cut while it was being opened, as somebody between does whose server is away.
STARTING: Final = ("57P03", "57P01", "57P02", "53300", "08001", "08003", "08006")


def connect_args(url: str) -> dict[str, Any]:
    """How connections to `url` are opened."""
    if not url.startswith(DRIVER):
        return {}
    return {"timeout": CONNECTING, "command_timeout": ANSWERING, "server_settings": _SETTINGS}


async def come_up(url: URL, seconds: float) -> None:
    """Wait up to so long for a server that does not answer yet, as after a start of the whole machine.

    Returns where anything else is wrong, too: whoever uses the database first says what it is.
    """
    if url.drivername != DRIVER:
        return
    engine = create_async_engine(url, poolclass=NullPool, connect_args=connect_args(str(url)))
    until, told = time.monotonic() + seconds, False
    while time.monotonic() < until:
        try:
            async with engine.connect():
                return
        except Exception as error:
            cause = getattr(error, "orig", None) or error
            if not isinstance(cause, OSError | TimeoutError) and getattr(cause, "sqlstate", None) not in STARTING:
                return
            if not told:
                log.warning("%s does not answer yet (%s); it has %.0f s to come up", url, cause, seconds)
                told = True
        await asyncio.sleep(LOOK_AGAIN)
