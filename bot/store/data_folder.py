"""One data folder for all processes of a PostgreSQL database: what one of them painted, another shows from its file.

A file in the folder says which one it is, and the database remembers it. The file goes where the folder goes: one that
was moved, or put back from a backup, is known again. SQLite's database lies in the folder itself.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import tempfile
from pathlib import Path
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.files import sync_folder
from bot.store.schema import UNPAINTED, jobs, pictures
from bot.store.small import note, set_note
from generation.errors import ConfigError
from generation.job import JobState

log = logging.getLogger(__name__)

MARK: Final = "folder.id"  # name of the file
NOTE: Final = "data_folder"
BESIDE: Final = (
    "Another Atelier works on this database with another data folder than {folder}; let data_dir name one folder that"
    " all of them see, or stop the others first (one that was killed counts for half a minute)."
)
WAITED_FOR: Final = (
    "This database belongs to another data folder than {folder}, and {count} pictures there are still waited for; put"
    " that folder back, or say that it is lost with python -m bot adopt-folder."
)


async def share(connection: AsyncConnection, folder: Path, others: int, *, lost: bool = False) -> None:
    """Let this be the folder of the database, inside a transaction that is alone; `others` live beside this process.

    Raises ConfigError where that would part the processes from each other, or, unless the former folder is `lost`,
    from pictures that somebody waits for.
    """
    await refuse_another(connection, folder, others, lost=lost)
    remembered, mark = await note(connection, NOTE), await asyncio.to_thread(_mark, folder)
    if mark is None:
        mark = await asyncio.to_thread(_make, folder)
    if mark == remembered:
        return
    if remembered is not None:
        log.warning("%s is the data folder from now on; pictures in the former one are painted again on demand", folder)
    await set_note(connection, NOTE, mark)  # last: a mark that nobody remembers yet does no harm


async def refuse_another(connection: AsyncConnection, folder: Path, others: int, *, lost: bool = False) -> None:
    """Only the look: raise ConfigError where `folder` cannot be the database's."""
    remembered = await note(connection, NOTE)
    if remembered is None or remembered == await asyncio.to_thread(_mark, folder):
        return
    if others:
        raise ConfigError(BESIDE.format(folder=folder))
    count = 0 if lost else await _waited_for(connection)
    if count:
        raise ConfigError(WAITED_FOR.format(folder=folder, count=count))


async def _waited_for(connection: AsyncConnection) -> int:
    """How many files of the folder nobody could paint again: to be shown, to be judged, to be painted from."""
    rendered = select(func.count()).select_from(jobs).where(jobs.c.state == JobState.RENDERED)
    held = select(func.count()).select_from(pictures).where(pictures.c.held.is_not(None))
    begun_from = jobs.c.request["image"].as_string().is_not(None)
    uploads = select(func.count()).select_from(jobs).where(UNPAINTED, begun_from)
    return sum([int((await connection.execute(query)).scalar_one()) for query in (rendered, held, uploads)])


def _mark(folder: Path) -> str | None:
    try:
        return (folder / MARK).read_text().strip()
    except FileNotFoundError:
        return None


def _make(folder: Path) -> str:
    """Write a new mark; whole or not at all."""
    mark = secrets.token_hex(16)
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=".id-")
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{mark}\n")
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(folder / MARK)
    sync_folder(folder)
    return mark
