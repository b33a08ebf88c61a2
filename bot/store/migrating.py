"""Brings a database to the newest schema."""

from __future__ import annotations

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from generation.errors import ConfigError

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(url: str) -> None:
    """Bring the database at `url` to the newest schema; raises ConfigError when it cannot be opened. Blocking."""
    settings = AlembicConfig()
    settings.set_main_option("script_location", str(MIGRATIONS))
    settings.attributes["url"] = url
    try:
        command.upgrade(settings, "head")
    except (SQLAlchemyError, DBAPIError, OSError, ImportError) as error:  # ImportError: a driver that is not installed
        shown = make_url(url).render_as_string(hide_password=True)
        log.debug("Migration failed", exc_info=error)
        cause = str(getattr(error, "orig", None) or error).partition("\n")[0]
        raise ConfigError(f"The database {shown} cannot be used ({cause}); check database_url.") from error
