"""A mending of discord.py: who is torn off while it sits out a limit of a token gives the token's lock back.

Otherwise everything that is asked by the same token later, an outcome too, waits for ever.
"""

from __future__ import annotations

import asyncio

from discord.webhook import async_


async def _leave(self: async_.AsyncDeferredLock, *_: object) -> None:
    try:
        if self.delta:
            await asyncio.sleep(self.delta)
    finally:
        self.lock.release()


def mend() -> None:
    """From now on; doing it twice changes nothing."""
    async_.AsyncDeferredLock.__aexit__ = _leave  # type: ignore[method-assign,assignment]
