"""People's names for the page: the bot keeps no list of members, so Discord is asked and the answer kept a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final

import discord

PATIENCE: Final = 1.5  # seconds a page waits for names; what comes later is there the next time
KEPT: Final = 3600.0  # seconds
MOST: Final = 5_000  # names that are remembered
AT_ONCE: Final = 8  # questions under way

Fetch = Callable[[int], Awaitable[discord.User]]


class Names:
    """Display names by user id."""

    def __init__(self, fetch: Fetch, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._known: dict[int, tuple[float, str]] = {}
        self._asking: dict[int, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def of(self, people: Iterable[int]) -> Mapping[int, str]:
        """A name for every one of them; whoever's is not known in time is called by the end of their id."""
        wanted = set(people)
        asked = {self._ask(person) for person in wanted if self._stale(person)}
        if asked:
            await asyncio.wait(asked, timeout=PATIENCE)
        return {person: self._known.get(person, (0.0, f"Member …{person % 10_000:04d}"))[1] for person in wanted}

    async def close(self) -> None:
        """Stop asking."""
        tasks = [*self._asking.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _stale(self, person: int) -> bool:
        return person not in self._known or self._clock() - self._known[person][0] > KEPT

    def _ask(self, person: int) -> asyncio.Task[None]:
        task = self._asking.get(person)
        if task is None:
            task = self._asking[person] = asyncio.create_task(self._find(person), name="name")
            task.add_done_callback(lambda _: self._asking.pop(person, None))
        return task

    async def _find(self, person: int) -> None:
        async with self._slots:
            try:
                name = (await self._fetch(person)).display_name
            except discord.NotFound:
                name = "Deleted user"
            except (discord.HTTPException, OSError, TimeoutError):
                return  # asked again with the next page
        self._known[person] = (self._clock(), name)
        while len(self._known) > MOST:
            del self._known[next(iter(self._known))]
