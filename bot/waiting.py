"""Waiting that can be cut short by an event, so that tasks end by themselves instead of being torn out of a query."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any


async def within(event: asyncio.Event, seconds: float) -> bool:
    """Wait until `event` or until `seconds` are over; whether it was the event."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


async def either(first: asyncio.Event, second: asyncio.Event) -> None:
    """Wait until one of two events."""
    waits = [asyncio.ensure_future(first.wait()), asyncio.ensure_future(second.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def ended(tasks: Collection[asyncio.Task[Any]], patience: float) -> None:
    """Let tasks end by themselves for `patience` seconds, then end them."""
    if not tasks:
        return
    _, late = await asyncio.wait(tasks, timeout=patience)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
