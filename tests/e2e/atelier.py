"""The real bot in this event loop, with a painter of fixed speed, and how to hear what it tells people."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bot import app
from bot.config import Config
from bot.playground import ids
from bot.sections import Metrics, Tier
from tests.local_discord import EPHEMERAL, LOADING, LocalDiscord, text_of
from tests.painter import Painter

GENEROUS = {"member": Tier(burst=100_000, per_hour=1_000_000, daily=10_000_000, waiting=100)}

Act = Callable[[], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Atelier:
    """The bot at work on a local Discord."""

    discord: LocalDiscord
    painter: Painter
    house: app.App

    async def told(self, act: Act, *, person: int = ids.ADA_ID, channel: int = ids.ART_ID) -> str:
        """The words that only this person hears after `act`; nobody else may see anything new."""
        known = {message["id"] for message in await self.discord.messages(person, channel=channel)}
        await act()
        message = await self.discord.wait_for(
            lambda message: message["id"] not in known and _is_for_one(message), person=person, channel=channel
        )
        await self.quiet(known, person=person, channel=channel)
        return text_of(message)

    async def quiet(self, known: set[str], *, person: int = ids.ADA_ID, channel: int = ids.ART_ID) -> None:
        """Nothing that everybody sees is left beside what was known; a public “thinking…” may go first."""
        async with asyncio.timeout(5):
            while True:
                seen = await self.discord.messages(person, channel=channel)
                public = [each for each in seen if each["id"] not in known and not each["flags"] & EPHEMERAL]
                if not public:
                    return
                await asyncio.sleep(0.02)

    async def painted(self, prompt: str = "a red house", *, person: int = ids.ADA_ID, **options: Any) -> dict[str, Any]:
        """The public message of a request that is painted."""
        known = {message["id"] for message in await self.discord.messages(person)}
        await self.discord.invoke(person, "dream", {"prompt": prompt, **options})
        return await self.discord.wait_for(
            lambda message: message["id"] not in known and _is_result(message), person=person, timeout=30
        )


@contextlib.asynccontextmanager
async def at_work(discord: LocalDiscord, folder: Path, painter: Painter | None = None) -> AsyncIterator[Atelier]:
    """The bot, connected, its commands registered; stopped at the end."""
    painter = painter or Painter()
    config = Config(
        data_dir=folder,
        api_url=discord.api_url,
        token=SecretStr(discord.token),
        metrics=Metrics(enabled=False),
        limits=GENEROUS,
        shutdown_grace=1.0,
    )
    folder.mkdir(parents=True, exist_ok=True)
    async with app.opened(config, workers=(painter,)) as house:
        ready = asyncio.Event()
        serving = asyncio.create_task(house.client.serve(discord.token, ready.set))
        try:
            waiting = asyncio.create_task(ready.wait())
            await asyncio.wait({serving, waiting}, timeout=20, return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                serving.result()
            assert ready.is_set(), "the bot is not ready"
            await discord.wait_for_command("dream")
            yield Atelier(discord, painter, house)
        finally:
            waiting.cancel()
            await house.client.close()
            await asyncio.gather(serving, return_exceptions=True)


def _is_for_one(message: dict[str, Any]) -> bool:
    from_bot = message["author"]["id"] == str(ids.BOT_ID)
    return bool(from_bot and message["flags"] & EPHEMERAL and not message["flags"] & LOADING)


def _is_result(message: dict[str, Any]) -> bool:
    buttons = str(message["components"])
    return bool(message["attachments"] and "at:v:" in buttons and not message["flags"] & (LOADING | EPHEMERAL))
