"""What the tests of the page stand on: the real server, an application logged in to it, and where Chromium is."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass

import discord
import pytest

from bot.playground import ids
from bot.playground.server import Playground, build, listen
from tests.bot.playground.page_bot import PageBot, point_at

IDS = {"Olivia": ids.OLIVIA_ID, "Milo": ids.MILO_ID, "Ada": ids.ADA_ID, "Ben": ids.BEN_ID}


@dataclass(frozen=True, slots=True)
class Studio:
    """A local Discord with its application."""

    playground: Playground
    origin: str
    ids: dict[str, int]

    def say(self, person: str, content: str) -> None:
        """Someone writes in #art."""
        self.playground.persons.say(self.ids[person], ids.ART_ID, content)

    def hang_up(self) -> None:
        """Ends every page's line, as a restart would."""
        self.playground.parts.screens.close()


def chromium() -> str | None:
    """The system's Chromium."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextlib.asynccontextmanager
async def open_studio() -> AsyncIterator[Studio]:
    """Serves until the block ends."""
    playground = build()
    runner, origin = await listen(playground, "127.0.0.1", 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(discord.http.Route, "BASE", discord.http.Route.BASE)
        patch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", None)
        point_at(origin)
        application = PageBot()
        running = asyncio.create_task(application.start(ids.BOT_TOKEN))
        try:
            async with asyncio.timeout(10):
                await application.listening.wait()
            yield Studio(playground, origin, IDS)
        finally:
            await application.close()
            await asyncio.gather(running, return_exceptions=True)
            await runner.cleanup()
