"""Writes down what rules met, behind the answers: a refusal never waits for it, an orderly end loses nothing."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Final

from bot.store.filters import Hit, Hits
from bot.waiting import within

log = logging.getLogger(__name__)

PAUSE: Final = 1.0  # seconds between two writings
MOST: Final = 10_000  # hits that wait while the database cannot be written; beyond it the oldest go


class HitLog:
    """Collects hits and writes them in one transaction now and then."""

    def __init__(self, hits: Hits, pause: float = PAUSE) -> None:
        self._hits = hits
        self._pause = pause
        self._waiting: deque[Hit] = deque(maxlen=MOST)
        self._writing: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()
        self._closing = asyncio.Event()

    def note(self, hit: Hit) -> None:
        """Remember a hit; returns at once. Needs a running event loop."""
        self._waiting.append(hit)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_soon(), name="filter-hits")

    async def flush(self) -> None:
        """Write what waits, now."""
        async with self._one_at_a_time:
            batch = [*self._waiting]
            self._waiting.clear()
            if not batch:
                return
            try:
                await self._hits.add(batch)
            except BaseException:
                self._waiting.extendleft(reversed(batch))
                raise

    async def close(self) -> None:
        """Write what waits and stop."""
        self._closing.set()
        if self._writing is not None:
            await self._writing
        if self._waiting:
            await self._try()

    async def _write_soon(self) -> None:
        while self._waiting:
            await within(self._closing, self._pause)
            if not await self._try() and self._closing.is_set():
                return

    async def _try(self) -> bool:
        try:
            await self.flush()
        except Exception:  # figures are no reason to refuse or to end anything; they are tried again
            log.exception("%d filter hits could not be written yet", len(self._waiting))
            return False
        return True
