"""What PostgreSQL needs beside SQLAlchemy: one writer among all processes, bounded waits, its own clock."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Float, cast, extract, func, text

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


def connect_args(url: str) -> dict[str, Any]:
    """How connections to `url` are opened."""
    if not url.startswith("postgresql+asyncpg"):
        return {}
    return {"timeout": CONNECTING, "command_timeout": ANSWERING, "server_settings": _SETTINGS}
