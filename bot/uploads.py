"""Uploaded pictures on disk: kept for the requests that start from them, and gone with a refusal."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bot.sections import Privacy
from bot.store.files import FileStore
from bot.store.shelves import Shelves
from generation.errors import Refusal


class Uploads:
    """One for the whole house; files are kept by their content, so several requests may share one."""

    def __init__(
        self, files: FileStore, shelves: Shelves, privacy: Callable[[], Privacy], clock: Callable[[], float]
    ) -> None:
        self._files = files
        self._shelves = shelves
        self._privacy = privacy
        self._clock = clock
        self._asking: Counter[str] = Counter()  # orders that are neither admitted nor refused yet, by their upload
        self._lock = asyncio.Lock()  # nobody may come to rely on a file while it is being deleted

    @asynccontextmanager
    async def kept(self, data: bytes) -> AsyncIterator[str]:
        """Keep a clean picture and yield its SHA-256; a Refusal inside forgets it unless something else needs it."""
        async with self._lock:
            sha256 = await self._files.put(data)
            self._asking[sha256] += 1
        refused = False
        try:
            yield sha256
        except Refusal:
            refused = True
            raise
        finally:
            self._asking[sha256] -= 1
            if not self._asking[sha256]:
                del self._asking[sha256]
            if refused:
                await self.forget(sha256)

    async def forget(self, sha256: str) -> None:
        """Delete an upload unless a request needs it, be it admitted, waiting for its member's word or being asked."""
        async with self._lock:
            if sha256 in self._asking:
                return
            for free in await self._shelves.free("uploads", [sha256], self._privacy(), self._clock()):
                await self._files.remove(free)
