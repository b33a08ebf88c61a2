"""The file a local Discord is kept in: one SQLite database, used by one server at a time."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bot.playground.documents import Json
from generation.errors import ConfigError

log = logging.getLogger(__name__)

VERSION = 1
_TABLES = """
    CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY, record TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS attachments (
        id INTEGER PRIMARY KEY, message_id INTEGER NOT NULL, record TEXT NOT NULL, content BLOB NOT NULL
    );
    CREATE INDEX IF NOT EXISTS attachments_by_message ON attachments (message_id);
    CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, record TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as it is written: its record, the ids of its files, and those files that are new."""

    id: int
    record: Json
    attachment_ids: list[int]
    new_files: list[tuple[int, Json, bytes]]


@dataclass(slots=True)
class Changes:
    """What has happened since the last time anything was written."""

    messages: list[StoredMessage] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    emptied: list[int] = field(default_factory=list)  # files whose bytes are no longer kept
    facts: dict[str, list[Json]] = field(default_factory=dict)


class Shelf:
    """Blocking; belongs to one thread."""

    def __init__(self, path: Path) -> None:
        """Raises `ConfigError` when another server uses the file; a file that cannot be read is put aside."""
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._database = _open(path)
        except sqlite3.DatabaseError as error:
            if "locked" in str(error):
                raise ConfigError(f"Another local Discord already uses {path.parent}; stop it first.") from error
            aside = path.with_suffix(".unreadable")
            log.warning("%s cannot be read (%s); it is kept as %s and a new one begun", path, error, aside.name)
            path.replace(aside)
            forget(path)
            self._database = _open(path)

    def write(self, changes: Changes) -> None:
        """All of it, or nothing."""
        with self._database as database:
            for message in changes.messages:
                row = (message.id, json.dumps(message.record))
                database.execute("INSERT OR REPLACE INTO messages VALUES (?, ?)", row)
                _write_files(database, message)
            for message_id in changes.gone:
                database.execute("DELETE FROM messages WHERE id = ?", (message_id,))
                database.execute("DELETE FROM attachments WHERE message_id = ?", (message_id,))
            empty = [(key,) for key in changes.emptied]
            database.executemany("UPDATE attachments SET content = x'' WHERE id = ?", empty)
            for name, records in changes.facts.items():
                database.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, json.dumps(records)))

    def messages(self) -> Iterator[Json]:
        """Every message, oldest first."""
        for (record,) in self._database.execute("SELECT record FROM messages ORDER BY id"):
            yield json.loads(record)

    def attachments(self) -> Iterator[tuple[Json, bytes]]:
        """Every file with its bytes, oldest first."""
        for record, content in self._database.execute("SELECT record, content FROM attachments ORDER BY id"):
            yield json.loads(record), content

    def fact(self, name: str) -> list[Json]:
        """What was kept under a name."""
        row = self._database.execute("SELECT record FROM facts WHERE name = ?", (name,)).fetchone()
        records: list[Json] = json.loads(row[0]) if row else []
        return records

    def close(self) -> None:
        """Gives the file back."""
        self._database.close()


def forget(path: Path) -> None:
    """Removes the file and what SQLite keeps beside it."""
    for ending in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=1.0, check_same_thread=False)
    try:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, VERSION):
            raise sqlite3.DatabaseError(f"written by another version, {version}")
        database.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {VERSION}; COMMIT;")
    except BaseException:
        database.close()
        raise
    return database


def _write_files(database: sqlite3.Connection, message: StoredMessage) -> None:
    kept: Iterable[int] = message.attachment_ids
    there = database.execute("SELECT id FROM attachments WHERE message_id = ?", (message.id,)).fetchall()
    gone = {row[0] for row in there} - set(kept)
    database.executemany("DELETE FROM attachments WHERE id = ?", [(key,) for key in gone])
    rows = [(key, message.id, json.dumps(record), content) for key, record, content in message.new_files]
    database.executemany("INSERT OR REPLACE INTO attachments VALUES (?, ?, ?, ?)", rows)
