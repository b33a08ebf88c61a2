"""What is looked at before a database is used: where it lies, whether it is whole, which version made it."""

from __future__ import annotations

import logging
import os
import sqlite3
from pathlib import Path

from bot.store.backups import FOLDER, newest_good
from bot.store.integrity import BESIDE, damage_in
from bot.store.migrating import migrate, sqlite_file
from bot.store.mounts import refuse_network
from generation.errors import ConfigError

log = logging.getLogger(__name__)

PATIENCE = 2.0  # seconds for the check; a file too large for that is checked whole beside its first backup


def make_ready(url: str, data_dir: Path) -> None:
    """Bring the database at `url` to the newest schema; raises ConfigError, and changes nothing, when it must not be.

    `data_dir` is where the backups are. Blocking.
    """
    path = sqlite_file(url)
    if path is not None:
        refuse_network(path.parent)
        refuse_unusable(path, data_dir / FOLDER)
    migrate(url, data_dir / FOLDER)


def refuse_unusable(path: Path, backups: Path) -> None:
    """Raise ConfigError when the SQLite file at `path` cannot be made or, if it is there, not be worked with."""
    try:
        if not os.access(path.parent, os.W_OK | os.X_OK, effective_ids=True):
            raise ConfigError(f"The database's folder {path.parent} is not there or cannot be written.")
        for each in (path, *(Path(f"{path}{ending}") for ending in BESIDE)):
            if each.exists() and not os.access(each, os.R_OK | os.W_OK, effective_ids=True):
                raise ConfigError(f"The database's file {each} cannot be written; check its owner and its permissions.")
        if path.exists():
            refuse_damaged(path, backups)
    except (sqlite3.Error, OSError) as error:
        log.debug("%s cannot be looked at", path, exc_info=error)
        cause = getattr(error, "strerror", None) or str(error)
        raise ConfigError(
            f"The database {path} cannot be opened ({cause}); it may be in use elsewhere, or its disk takes no writes."
        ) from error


def refuse_damaged(path: Path, backups: Path) -> None:
    """Raise ConfigError when the SQLite file at `path` is damaged, with the way back."""
    if path.stat().st_size == 0 and newest_good(backups) is None:
        return  # made by hand, or by a start that was cut off; there is nothing to lose
    damage = damage_in(path, seconds=PATIENCE)
    if damage is None:
        return
    log.debug("%s: %s", path, damage)
    backup = newest_good(backups)
    if backup is None:
        raise ConfigError(
            f"The database {path} is damaged ({damage}) and there is no good backup in {backups}; put one of yours in"
            " its place, or move the file away to begin anew."
        )
    raise ConfigError(
        f"The database {path} is damaged ({damage}); the newest good backup is {backup.path} of {backup.date}, and"
        f" python -m bot restore {backup.path.name} puts it back."
    )
