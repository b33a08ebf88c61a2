"""How long a lost connection to the gateway is waited for before the next try.

discord.py doubles the wait up to a quarter of an hour and begins anew only after half an hour without any trouble:
after ten short interruptions in one evening nobody would be answered for minutes.
"""

from __future__ import annotations

import random
import time
from typing import Any

import discord.shard
from discord.backoff import ExponentialBackoff

SOON = 30.0  # seconds between two tries at most
MANY = 120  # tries that come so soon, about half an hour
LATE = 600.0  # seconds at most after those: Discord counts logins, and takes back a token after 1,000 in a day
HELD = 30.0  # seconds after which a connection counts as one that holds


class Patience(ExponentialBackoff[Any]):
    """The waits of one shard."""

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__()
        self._tries = 0
        self._tried_at = time.monotonic()

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


def wait_briefly() -> None:
    """Make discord.py wait like this; there is no public option for it (discord.py 2.7)."""
    assert issubclass(vars(discord.shard)["ExponentialBackoff"], ExponentialBackoff), "it waits by other means now"
    vars(discord.shard)["ExponentialBackoff"] = Patience
