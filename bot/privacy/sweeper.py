"""Deletes what has become too old, in small steps beside the bot's work; what is due is said by the register."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.sections import Privacy
from bot.store import ageing, undecided
from bot.store.ageing import Step
from bot.store.database import Database
from bot.store.pseudonyms import Pseudonyms
from bot.store.shelves import GRACE, SHELVES, Shelves

log = logging.getLogger(__name__)

FIRST = 60.0  # seconds after the start until the first round: newcomers come first
DECIDED = "requests that were to go once moderators have decided"


@dataclass(frozen=True, slots=True)
class Swept:
    """So many of one kind are gone, or would be."""

    what: str
    count: int


class Sweeper:
    """One round after the other until it is cancelled; each can also be asked for by itself."""

    def __init__(
        self,
        database: Database,
        folder: Path,
        privacy: Privacy,
        clock: Callable[[], float] = time.time,
        *,
        pause: float = ageing.PAUSE,
        trusted: Callable[[], bool] = lambda: True,
    ) -> None:
        self._database = database
        self.privacy = privacy  # replaced when the settings are read again
        self._clock = clock
        self._pause = pause
        self._trusted = trusted  # whether to believe the clock
        self._pseudonyms = Pseudonyms(folder)
        self._shelves = Shelves(database, folder)
        self.forgotten: list[Callable[[], Awaitable[None]]] = []  # told when a server's settings were deleted

    async def run(self) -> None:
        """Sweep for ever; a fault costs one round."""
        await asyncio.sleep(FIRST)
        while True:
            try:
                swept = await self.sweep() if self._trusted() else []
            except Exception:  # a full disk, say; what is due stays due
                log.exception("Old data could not be deleted, trying again later")
            else:
                if swept:
                    log.info("Deleted for their age: %s", "; ".join(f"{each.count} {each.what}" for each in swept))
            await asyncio.sleep(self.privacy.sweep_minutes * 60)

    async def sweep(self, *, dry: bool = False) -> list[Swept]:
        """One round; returns what is gone, or with `dry` what would be."""
        now = self._clock()
        if not dry:
            await asyncio.to_thread(self._pseudonyms.fingerprint, "")  # its key may still have to be made
        found: dict[str, int] = {DECIDED: await self._forget_decided(dry=dry)}
        for step in ageing.steps(self.privacy, now, self._fingerprint):
            await self._step(step, found, dry=dry)
        for guild_id in await ageing.departed(self._database, self.privacy, now):
            for step in ageing.departure_steps(guild_id):
                await self._step(step, found, dry=dry)
            if not dry:
                log.info("server %d: its data is deleted, the bot has left it long ago", guild_id)
                for told in self.forgotten:
                    await told()
        for shelf in SHELVES:
            found[f"files of {shelf}"] = await self._sweep_files(shelf, now, dry=dry)
        if not dry:
            await self._shelves.clear_unfinished(now)
            await self._database.tidy()
        return [Swept(what, count) for what, count in found.items() if count]

    async def _forget_decided(self, *, dry: bool) -> int:
        if dry:
            return await undecided.count_decided(self._database)
        return await undecided.forget_decided(self._database, self._pseudonyms)

    async def _step(self, step: Step, found: dict[str, int], *, dry: bool) -> None:
        done = await (ageing.count(self._database, step) if dry else ageing.take(self._database, step, self._pause))
        found[step.what] = found.get(step.what, 0) + done

    async def _sweep_files(self, shelf: str, now: float, *, dry: bool) -> int:
        done = 0
        async for digests in self._shelves.unneeded(shelf, self.privacy, now):
            done += len(digests) if dry else await self._shelves.remove(shelf, digests, now - GRACE)
            await asyncio.sleep(self._pause)
        return done

    def _fingerprint(self, request: dict[str, Any]) -> str:
        return self._pseudonyms.fingerprint(json.dumps(request, sort_keys=True))


async def stop(task: asyncio.Task[None]) -> None:
    """End a sweeper's task; what it had not come to stays due."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
