"""What goes wrong in which order: kills at random moments, a list of outages, or all of it for as long as one likes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from bot.soak.faults import Fault
from bot.soak.stage import Stage

UNBORN = 0.15  # share of kills that come while the process is still starting
STARTING = 3.0  # seconds over which those are spread
SHORTEST, LONGEST = 0.2, 12.0  # seconds a process may serve before it is killed
OUTAGES = (0.1, 1.0, 5.0, 30.0, 120.0, 1200.0)  # seconds
QUIET = 4.0  # seconds between two outages
LAST_LIFE = 0.5  # share of a soak after which one process lives on, so that its memory can be watched
EVERY = (2.0, 8.0)  # seconds between two faults of a soak

Plan = Callable[[Stage], Awaitable[None]]


def kills(count: int, jobs: int) -> Plan:
    """`kill -9` at `count` random moments, spread so that about `jobs` are accepted meanwhile."""

    async def plan(stage: Stage) -> None:
        faults, served = stage.faults, 1e-9
        await faults.serving()
        while (left := count - faults.done.count("kill")) > 0:
            missing = max(0, jobs - len(stage.record.accepted))
            pace = max(1.0, len(stage.record.accepted) / served)  # accepted in a second of serving
            span = min(LONGEST, max(SHORTEST * 2, 2 * missing / pace / left / (1 - UNBORN)))
            if stage.chance.random() < UNBORN:
                await asyncio.sleep(stage.chance.uniform(0.0, STARTING))
            else:
                await faults.serving()
                began = time.monotonic()
                await asyncio.sleep(stage.chance.uniform(SHORTEST, span))
                served += time.monotonic() - began
            await faults.kill()
        await faults.serving()
        await stage.record.reaches(jobs)

    return plan


async def outages(stage: Stage) -> None:
    """Discord is away for 0.1 s to 20 min, in part or altogether; then storms of every kind."""
    faults = stage.faults
    await faults.serving()
    await asyncio.sleep(QUIET)
    for seconds in OUTAGES:
        for parts in ({"rest": False}, {"gateway": False}, {}):
            await faults.away(seconds, **parts)
            await asyncio.sleep(QUIET)
    for fault in storms(stage):
        await fault()
        await asyncio.sleep(QUIET)


def storms(stage: Stage) -> list[Fault]:
    """One of every kind of fault that is Discord's."""
    faults = stage.faults
    statuses = [lambda status=status: faults.storm(8.0, "status", status=status) for status in (500, 502, 503, 504)]
    hidden = [
        lambda: faults.storm(8.0, "status", status=502, executed=True),
        lambda: faults.storm(8.0, "disconnect", executed=True),
        lambda: faults.storm(8.0, "disconnect", executed=True, uploads_only=True),
    ]
    limits = [
        lambda scope=scope: faults.storm(8.0, "rate_limit", scope=scope, retry_after=1.0)
        for scope in ("user", "global", "shared")
    ]
    slow = [
        lambda: faults.storm(10.0, "slow_upload", bytes_per_s=2000.0),
        lambda: faults.storm(10.0, "latency", delay_s=1.0),
    ]
    gateway = [
        lambda: faults.gateway("drop_connections"),
        lambda: faults.gateway("close_connections", code=4000),
        lambda: faults.gateway("reconnect"),
        lambda: faults.gateway("invalid_session", resumable=True),
        lambda: faults.gateway("invalid_session", resumable=False),
        lambda: faults.storm(150.0, "withhold_ack"),
    ]
    return [*statuses, *hidden, *limits, *slow, *gateway]


def everything(minutes: float, *, several: bool) -> Plan:
    """A fault every few seconds; towards the end none that ends the process. `several` may share the database."""

    async def plan(stage: Stage) -> None:
        faults, chance = stage.faults, stage.chance
        end = time.monotonic() + minutes * 60
        last_life = time.monotonic() + minutes * 60 * LAST_LIFE
        outer: list[Fault] = [
            lambda: faults.away(chance.uniform(0.1, 8.0), gateway=chance.random() < 0.7),
            lambda: faults.away(chance.choice(OUTAGES), rest=False),
            lambda: faults.skip(chance.uniform(30.0, 1200.0)),
            lambda: chance.choice(storms(stage))(),
            lambda: chance.choice(storms(stage))(),
            lambda: faults.suspend(chance.uniform(0.5, 8.0)),
            lambda: faults.fill_disk(chance.uniform(0.5, 5.0)),
            faults.lose_painter,
        ]
        deadly: list[Fault] = [faults.kill, faults.kill, faults.kill, faults.terminate]
        if several:
            deadly.append(lambda: faults.second_process(chance.uniform(2.0, 10.0)))
        await faults.serving()
        while time.monotonic() < end:
            await asyncio.sleep(chance.uniform(*EVERY))
            dying = time.monotonic() < last_life and chance.random() < 0.5
            await chance.choice(deadly if dying else outer)()

    return plan
