"""Brings a database to the newest schema: in one transaction, after a backup, and never backwards."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, make_url, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from bot.store.backups import BEFORE, NoBackup, make, name_at
from bot.store.postgres import connect_args
from generation.errors import ConfigError

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(url: str, backups: Path) -> None:
    """Bring the database at `url` to the newest schema; raises ConfigError when that cannot be done. Blocking.

    A SQLite database with an older schema is copied to the folder `backups` first. Nothing is changed when it fails.
    """
    try:
        _upgrade(url, backups)
    except (SQLAlchemyError, DBAPIError, OSError, ImportError) as error:  # ImportError: a driver that is not installed
        shown = make_url(url).render_as_string(hide_password=True)
        log.debug("Migration failed", exc_info=error)
        cause = str(getattr(error, "orig", None) or error).partition("\n")[0] or "it does not answer"
        raise ConfigError(f"The database {shown} cannot be used ({cause}); check database_url.") from error


def sqlite_file(url: str) -> Path | None:
    """The file behind a SQLAlchemy URL; None for another database, or one in memory."""
    there = make_url(url)
    if there.get_backend_name() != "sqlite" or not there.database or there.database == ":memory:":
        return None
    return Path(there.database)


def newest_revision() -> str:
    """The schema that this version of Atelier works with."""
    head = _scripts(_settings("")).get_current_head()
    assert head is not None, "there are migrations"
    return head


def refuse_newer(revision: str | None, what: str) -> None:
    """Raise ConfigError when `what` has a schema that this version does not know."""
    known = {script.revision for script in _scripts(_settings("")).walk_revisions()}
    if revision is not None and revision not in known:
        raise ConfigError(
            f"{what} was made by a newer Atelier ({revision}; this one knows {newest_revision()}); install that version"
            " or put back a backup from before it, see python -m bot restore --list."
        )


def _upgrade(url: str, backups: Path) -> None:
    settings = _settings(url)
    path = sqlite_file(url)
    there = path is None or path.exists()  # looking into a file would make it
    revision = asyncio.run(_revision_of(url)) if there else None
    refuse_newer(revision, "The database")
    newest = newest_revision()
    if revision == newest:
        return
    if revision is not None and path is not None:
        _back_up(path, backups, newest)
    command.upgrade(settings, "head")


def _back_up(path: Path, backups: Path, newest: str) -> None:
    """Keep the database as it was; an earlier copy from before the same migration was for an attempt that failed."""
    kind = f"{BEFORE}{newest}-"
    try:
        made = make(path, backups, name_at(time.time(), kind))
    except NoBackup as error:
        size = path.stat().st_size / 2**20
        raise ConfigError(
            f"The database has to be changed for this version, and the backup before that could not be made"
            f" ({error.sentence}); make room for {size:,.0f} MiB in {backups} and start again."
        ) from error
    for earlier in backups.glob(f"{kind}*"):
        if earlier != made:
            earlier.unlink(missing_ok=True)
    log.info("The database as it was is kept in %s", made)


async def _revision_of(url: str) -> str | None:
    """The schema of the database at `url`; None for a new one."""
    engine = create_async_engine(url, poolclass=NullPool, connect_args=connect_args(url))
    async with engine.connect() as connection:
        if not await connection.run_sync(lambda there: inspect(there).has_table("alembic_version")):
            return None
        row = (await connection.execute(text("SELECT version_num FROM alembic_version"))).first()
    return str(row.version_num) if row is not None else None


def _settings(url: str) -> AlembicConfig:
    settings = AlembicConfig()
    settings.set_main_option("script_location", str(MIGRATIONS))
    settings.attributes["url"] = url
    return settings


def _scripts(settings: AlembicConfig) -> ScriptDirectory:
    return ScriptDirectory.from_config(settings)
