"""Ids of the local Discord: constant ones for what stands from the start, snowflakes for what comes later."""

from __future__ import annotations

import base64

from bot.playground.clock import Clock

DISCORD_EPOCH_MS = 1_420_070_400_000

APPLICATION_ID = BOT_ID = 1_200_000_000_000_000_001
GUILD_ID = EVERYONE_ROLE_ID = 1_200_000_000_000_000_100
BOT_ROLE_ID, MODERATORS_ROLE_ID, BOOSTERS_ROLE_ID = (GUILD_ID + n for n in (1, 2, 3))
ART_ID, ART_ADULTS_ID, MODS_ID = (GUILD_ID + n for n in (11, 12, 13))
OLIVIA_ID, MILO_ID, ADA_ID, BEN_ID, CLEO_ID, DANA_ID = (1_100_000_000_000_000_001 + n for n in range(6))
CROWD_ID = 1_150_000_000_000_000_000
DM_IDS = {person: person + 1000 for person in (OLIVIA_ID, MILO_ID, ADA_ID, BEN_ID, CLEO_ID, DANA_ID)}

# Shaped like a real token, so that clients that read the application's id from it find it. It opens nothing but this.
BOT_TOKEN = ".".join((base64.b64encode(str(APPLICATION_ID).encode()).decode().rstrip("="), "R2F0ZQ", "playground"))


class Snowflakes:
    """Makes ids that grow with time, and always grow."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> int:
        """A fresh id whose upper bits are milliseconds since Discord's epoch."""
        milliseconds = int(self._clock.now() * 1000) - DISCORD_EPOCH_MS
        self._last = max(milliseconds << 22, self._last + 1)
        return self._last

    def skip_past(self, taken: int) -> None:
        """From now on ids are greater than this one."""
        self._last = max(self._last, taken)


def created_at(snowflake: int) -> float:
    """Seconds since the Unix epoch at which an id was made."""
    return ((snowflake >> 22) + DISCORD_EPOCH_MS) / 1000
