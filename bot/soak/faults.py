"""What can go wrong around a running bot, by name; each fault passes, and it is noted from when to when it lasted."""

from __future__ import annotations

import asyncio
import resource
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from bot.soak.keeper import Keeper, Life
from bot.soak.record import Record
from bot.soak.town import Town

IDENTIFY_PAUSE = 6.0  # seconds; Discord lets a bot log in once in five
REAL_AT_MOST = 20.0  # seconds; what lasts longer lasts by the local Discord's clock
STEP = 0.5  # seconds between two jumps of it
WELL_WITHIN = 120.0  # seconds after which the bot has to answer again
NO_ROOM = 4096  # bytes a file may have while the disk is full

Fault = Callable[[], Awaitable[None]]


class Faults:
    """Makes one fault at a time happen; all return when the bot answers again."""

    def __init__(self, town: Town, keeper: Keeper, record: Record, chance: Random) -> None:
        self._town = town
        self._keeper = keeper
        self._record = record
        self._chance = chance
        self.spans: list[tuple[float, float]] = []  # epoch seconds in which the bot could not be expected to answer
        self.recoveries: list[float] = []  # seconds until it answered again
        self.wrong_exits: list[str] = []
        self.done: list[str] = []  # names, in order
        self._open: float | None = None

    @property
    def troubled(self) -> list[tuple[float, float]]:
        """All spans, the one that goes on too."""
        return self.spans + ([] if self._open is None else [(self._open, time.time())])

    # -- of the bot's process ----------------------------------------------------------------------------------------

    async def born(self) -> Life:
        """Another process, as soon as Discord lets it log in: its clock is moved by what is lacking."""
        since = time.time() - self._keeper.lives[-1].began if self._keeper.lives else 0.0
        if since < IDENTIFY_PAUSE:
            await self._town.passes(IDENTIFY_PAUSE - since)
        return await self._keeper.start()

    async def serving(self, patience: float = WELL_WITHIN) -> None:
        """Wait until the newest process serves."""
        async with asyncio.timeout(patience):
            await self._keeper.lives[-1].serving.wait()

    async def kill(self) -> None:
        """`kill -9` of every process, and a new one."""
        self.done.append("kill")
        for life in self._keeper.alive:
            await self._keeper.kill(life)
        await self.born()

    async def terminate(self) -> None:
        """SIGTERM, and a new process when the old one has ended."""
        self.done.append("terminate")
        for life in self._keeper.alive:
            code = await self._keeper.end(life)
            if code and not (code == -signal.SIGTERM and life.served_from is None):  # it had hardly begun to start
                self.wrong_exits.append(f"exit code {code} after SIGTERM")
        await self.born()

    async def lose_painter(self) -> None:
        """Whatever is painted now ends as if the painting process had died."""
        await self.serving()  # before that nothing is painted, and the signal would end the whole process
        self.done.append("painter lost")
        for life in self._keeper.alive:
            life.signal(signal.SIGUSR1)

    async def suspend(self, seconds: float) -> None:
        """The process stands still, as on a machine that sleeps."""
        async with self._trouble(f"suspended {seconds:.1f} s"):
            for life in self._keeper.alive:
                life.signal(signal.SIGSTOP)
            await asyncio.sleep(seconds)
            for life in self._keeper.alive:
                life.signal(signal.SIGCONT)

    async def fill_disk(self, seconds: float) -> None:
        """No file of the bot's can be written to its end, as on a full disk; one that only starts may refuse to."""
        await self.serving()
        async with self._trouble(f"disk full {seconds:.1f} s"):
            before = {life.process.pid: _limit(life, None) for life in self._keeper.alive}
            for life in self._keeper.alive:
                _limit(life, (NO_ROOM, before[life.process.pid][1]))
            await asyncio.sleep(seconds)
            for life in self._keeper.alive:
                _limit(life, before.get(life.process.pid))

    async def second_process(self, seconds: float) -> None:
        """A second process on the same database for a while; then the first or the second is killed."""
        async with self._trouble(f"two processes {seconds:.1f} s"):
            await self.born()
            await self.serving()
            await asyncio.sleep(seconds)
            await self._keeper.kill(self._chance.choice(self._keeper.alive))

    # -- of Discord --------------------------------------------------------------------------------------------------

    async def away(self, seconds: float, *, rest: bool = True, gateway: bool = True) -> None:
        """Neither REST nor gateway can be reached, or only one of them."""
        what = " and ".join(["REST"] * rest + ["gateway"] * gateway)
        async with self._trouble(f"{what} away {seconds:g} s"):
            if rest:
                await self._town.breaks("disconnect")
            if gateway:
                await self._town.breaks("reject_connect")
                await self._town.breaks("drop_connections")
            await self._lasts(seconds)

    async def storm(self, seconds: float, kind: str, **fields: Any) -> None:
        """Every request meets the same fault."""
        named = " ".join(f"{name}={value}" for name, value in fields.items())
        async with self._trouble(f"{kind} {named} {seconds:g} s"):
            await self._town.breaks(kind, **fields)
            await self._lasts(seconds)

    async def gateway(self, kind: str, **fields: Any) -> None:
        """One thing that happens to the gateway's connection at once."""
        async with self._trouble(f"{kind} {fields}"):
            await self._town.breaks(kind, **fields)

    async def skip(self, seconds: float) -> None:
        """Discord's clock jumps: tokens and limits age, connections miss their heartbeats."""
        async with self._trouble(f"clock +{seconds:g} s"):
            await self._town.passes(seconds)

    @asynccontextmanager
    async def _trouble(self, name: str) -> AsyncIterator[None]:
        self.done.append(name)
        began = self._open = time.time()
        try:
            yield
        finally:
            await self._town.mends()
        mended = time.time()
        await self._well(mended)
        self.recoveries.append(time.time() - mended)
        self.spans.append((began, time.time()))
        self._open = None

    async def _well(self, since: float) -> None:
        """Until something asked after `since` was acknowledged."""
        known = len(self._record.acknowledged_at)
        while time.time() - since < WELL_WITHIN:
            if any(at > since for at in self._record.acknowledged_at[known:]):
                return
            if not self._keeper.alive:  # it ended, which the verdict says
                await self.born()
            await asyncio.sleep(0.2)

    async def _lasts(self, seconds: float) -> None:
        real = min(seconds, REAL_AT_MOST)
        skipped, steps = seconds - real, max(1, round(real / STEP))
        for _ in range(steps):
            await asyncio.sleep(real / steps)
            if skipped:
                await self._town.passes(skipped / steps)


def _limit(life: Life, limits: tuple[int, int] | None) -> tuple[int, int]:
    """How large a file of the process may become: what holds, after setting it when given."""
    pid, kind = life.process.pid, resource.RLIMIT_FSIZE
    try:
        return resource.prlimit(pid, kind) if limits is None else resource.prlimit(pid, kind, limits)
    except ProcessLookupError:
        return resource.RLIM_INFINITY, resource.RLIM_INFINITY
