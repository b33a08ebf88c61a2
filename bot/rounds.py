"""The hourly round of backups, in a thread beside the bot's work; a fault costs one backup and is said once."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable

from bot.config import Config
from bot.store.backups import FOLDER, HOURLY, NoBackup, backups_in, make, name_at, prune
from bot.store.migrating import sqlite_file
from bot.troubles import Trouble, Troubles

log = logging.getLogger(__name__)

FIRST = 30.0  # seconds after the start: people come first
LOOK = 60.0  # seconds between two looks at whether a backup is due
HOUR = 3600.0  # seconds


class Rounds:
    """Makes backups while entered; does nothing for PostgreSQL, which has its own tools."""

    def __init__(
        self,
        config: Config,
        troubles: Troubles,
        trusted: Callable[[], bool],
        clock: Callable[[], float] = time.time,
        *,
        first: float = FIRST,
        look: float = LOOK,
    ) -> None:
        self._source = sqlite_file(config.database)
        self._folder = config.data_dir / FOLDER
        self._settings = config.backups
        self._troubles = troubles
        self._trusted = trusted  # whether to believe the clock
        self._clock = clock
        self._first = first
        self._look = look
        self._stopping = threading.Event()
        self._task: asyncio.Task[None] | None = None
        self._looked_through = False  # whether a copy was compared in full since the start

    async def __aenter__(self) -> Rounds:
        if self._source is not None:
            self._task = asyncio.create_task(self._go_round(), name="backups")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping.set()  # the thread must not outlive the loop
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def one(self) -> None:
        """Make a backup, whether or not one is due, and let the oldest go."""
        assert self._source is not None, "there is a file"
        name = name_at(self._clock())
        full = not self._looked_through  # what the check at the start may not have come to
        work = asyncio.create_task(
            asyncio.to_thread(make, self._source, self._folder, name, full=full, stop=self._stopping.is_set)
        )
        try:
            await asyncio.shield(work)
        except NoBackup as error:
            self._failed(error)
            return
        except asyncio.CancelledError:
            self._stopping.set()
            await asyncio.gather(work, return_exceptions=True)
            raise
        self._looked_through = True
        self._troubles.end(Trouble.BACKUP, "Backups are made again.")
        self._troubles.end(Trouble.DAMAGE, "The database is whole again.")

    def due(self) -> bool:
        """Whether the newest backup is older than it should be; one from the future says nothing."""
        if not self._settings.every_hours:
            return False
        now = self._clock()
        made = [each.made_at for each in backups_in(self._folder) if each.path.name.startswith(HOURLY)]
        return not any(now - self._settings.every_hours * HOUR < moment <= now for moment in made)

    async def _go_round(self) -> None:
        await asyncio.sleep(self._first)
        while True:
            try:
                if await asyncio.to_thread(self.due):
                    await self.one()
                await asyncio.to_thread(prune, self._folder, self._settings.keep, self._now())
            except Exception:  # whatever it was, the bot goes on and so do the rounds
                log.exception("The backups could not be looked after")
            await asyncio.sleep(self._look)

    def _now(self) -> float | None:
        return self._clock() if self._trusted() else None

    def _failed(self, error: NoBackup) -> None:
        trouble = Trouble.DAMAGE if error.damaged else Trouble.BACKUP
        what = "The database may be damaged" if error.damaged else "No backup could be made"
        self._troubles.begin(trouble, f"{what} ({error.sentence}); the former backups in {self._folder} are kept.")
