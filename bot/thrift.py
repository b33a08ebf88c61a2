"""What a burst of work has left with this process goes back to the machine, which may have better use for it.

The allocator keeps what was freed, and Python the source lines of every traceback that was ever written: a bot that
had one bad hour would look for months as if it still had it.
"""

from __future__ import annotations

import asyncio
import ctypes
import linecache

EVERY = 60.0  # seconds


async def go_on() -> None:
    """Give back again and again, beside the event loop, until cancelled."""
    while True:
        await asyncio.sleep(EVERY)
        await asyncio.to_thread(give_back)


def give_back() -> None:
    """Give back what is free; where the C library has no way to (only glibc has one), nothing happens."""
    linecache.clearcache()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
