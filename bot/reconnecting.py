"""How a lost connection to the gateway is come by again: after any fault, and how long is waited before the next try.

discord.py ends with the first event that it cannot parse and the first frame that is damaged, for all servers at once.
It doubles the wait up to a quarter of an hour and begins anew only after half an hour without any trouble:
after ten short interruptions in one evening nobody would be answered for minutes.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from contextlib import suppress
from typing import Any

import aiohttp
import discord.shard
from discord.backoff import ExponentialBackoff
from discord.gateway import ReconnectWebSocket
from discord.shard import EventItem, EventType, Shard

log = logging.getLogger(__name__)

SOON = 30.0  # seconds between two tries at most
MANY = 120  # tries that come so soon, about half an hour
LATE = 600.0  # seconds at most after those: Discord counts logins, and takes back a token after 1,000 in a day
HELD = 30.0  # seconds after which a connection counts as one that holds
READY = 1  # the number of the event that says all there is; without it nothing else makes sense
GOODBYE = 2.0  # seconds for closing a connection that is given up
FINAL = (discord.LoginFailure, discord.PrivilegedIntentsRequired)
LOST = (  # what discord.py itself knows as a lost connection; some codes of ConnectionClosed are final
    OSError,
    TimeoutError,
    aiohttp.ClientError,
    discord.HTTPException,
    discord.GatewayNotFound,
    discord.ConnectionClosed,
)


class Patience(ExponentialBackoff[Any]):
    """The waits of one shard."""

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__()
        self._tries = 0
        self._tried_at = time.monotonic()

    @property
    def is_first(self) -> bool:
        """Whether the connection held before the present wait."""
        return self._tries <= 1

    def delay(self) -> Any:
        """Seconds until the next try, jitter over the whole of it."""
        now = time.monotonic()
        if now - self._tried_at > HELD:
            self._tries = 0
        self._tries += 1
        longest = min(2.0 ** min(self._tries, 16), SOON if self._tries <= MANY else LATE)
        wait = random.uniform(0, longest)  # noqa: S311 - jitter, no secret
        self._tried_at = now + wait
        return wait


class SteadyShard(Shard):
    """A shard that connects again after whatever its connection brings, but for what is final."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._backoff: Patience = Patience()
        self._handled_exceptions = (Exception,)
        self._faulty_at: int | None = None  # the last event before the latest fault

    async def _handle_disconnect(self, e: Exception) -> None:
        if isinstance(e, FINAL):
            self._queue_put(EventItem(EventType.terminate, self, e))
        elif isinstance(e, LOST):
            await super()._handle_disconnect(e)
        else:
            await self._start_over(e)

    async def _start_over(self, fault: Exception) -> None:
        """Go on behind the fault, or log in anew when that would bring it again."""
        self._dispatch("disconnect")
        self._dispatch("shard_disconnect", self.id)
        again = isinstance(fault, ReconnectWebSocket)  # the connection was lost while it was being made
        wait = self._backoff.delay()
        if not again:
            cause = fault if self._backoff.is_first else None
            log.error("Shard %s has to connect again in %.1f s because of %r", self.id, wait, fault, exc_info=cause)
        with suppress(Exception):
            await asyncio.wait_for(self.ws.close(), GOODBYE)
        await asyncio.sleep(wait)
        if self._client.is_closed():
            return
        resume = fault.resume if isinstance(fault, ReconnectWebSocket) else self._may_go_on()
        event = EventType.resume if resume else EventType.identify
        self._queue_put(EventItem(event, self, ReconnectWebSocket(self.id, resume=resume)))

    def _may_go_on(self) -> bool:
        """Whether what comes behind the fault is worth asking for: not without a login, and not the same once more."""
        before, self._faulty_at = self._faulty_at, self.ws.sequence
        return self.ws.session_id is not None and self._faulty_at not in (None, READY, before)


def outlive_faults() -> None:
    """Make discord.py's shards like this; there is no public option for it (discord.py 2.7)."""
    assert issubclass(vars(discord.shard)["Shard"], Shard), "its shards are others now"
    assert hasattr(Shard, "_handle_disconnect"), "it connects again by other means now"
    vars(discord.shard)["Shard"] = SteadyShard


def wait_briefly() -> None:
    """Make discord.py wait like this; there is no public option for it (discord.py 2.7)."""
    assert issubclass(vars(discord.shard)["ExponentialBackoff"], ExponentialBackoff), "it waits by other means now"
    vars(discord.shard)["ExponentialBackoff"] = Patience
