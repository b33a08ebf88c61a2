"""/verify and the message menu over the local Discord: several pictures, one at a time, and who else sees it."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.playground import ids
from cogs.verify import AT_ONCE, BUSY
from tests.e2e.atelier import Atelier, at_work
from tests.generation.provenance.pictures import saved, starter_pictures
from tests.local_discord import EPHEMERAL, LocalDiscord, text_of

ADA, ART = ids.ADA_ID, ids.ART_ID
MENU = "Is this from here?"
NO_SIGN = "There is no sign that it is from here"


@pytest.fixture
async def atelier(playground: LocalDiscord, tmp_path: Path) -> AsyncIterator[Atelier]:
    async with at_work(playground, tmp_path / "bot") as atelier:
        await playground.wait_for_command(MENU)
        yield atelier


async def posted(atelier: Atelier, *files: tuple[str, bytes]) -> discord.Message:
    """A message with these files in the art channel."""
    channel = atelier.house.client.get_partial_messageable(ART, guild_id=ids.GUILD_ID)
    return await channel.send(files=[discord.File(io.BytesIO(data), name) for name, data in files])


def asked_of(atelier: Atelier, message: discord.Message) -> Any:
    return lambda: atelier.discord.invoke(ADA, MENU, target=message.id)


async def test_every_picture_of_a_message_is_looked_at(atelier: Atelier) -> None:
    pictures = [(f"{place}.png", saved(starter_pictures()[place], "PNG")) for place in range(2)]
    message = await posted(atelier, *pictures, ("broken.png", b"\x89PNG\r\n\x1a\n"), ("notes.txt", b"words"))
    told = (await atelier.told(asked_of(atelier, message))).splitlines()
    assert [line.partition(": ")[0] for line in told] == ["0.png", "1.png", "broken.png"]
    assert NO_SIGN in told[0]
    assert NO_SIGN in told[1]
    assert "cannot be read" in told[2]


async def test_of_very_many_pictures_the_first_are_looked_at(atelier: Atelier) -> None:
    data = saved(starter_pictures()[0], "PNG")
    message = await posted(atelier, *((f"{place}.png", data) for place in range(AT_ONCE + 2)))
    told = await atelier.told(asked_of(atelier, message))
    assert told.count(NO_SIGN) == AT_ONCE
    assert told.endswith(f"Only the first {AT_ONCE} pictures were looked at.")


async def test_one_person_has_one_picture_looked_at_at_a_time(atelier: Atelier) -> None:
    data = saved(starter_pictures()[0], "PNG")
    message = await posted(atelier, *((f"{place}.png", data) for place in range(4)))
    await asyncio.gather(*(asked_of(atelier, message)() for _ in range(3)))

    async def heard() -> list[str]:
        return [text_of(each) for each in await atelier.discord.messages(ADA) if each["flags"] & EPHEMERAL]

    async with asyncio.timeout(20):
        while sum(BUSY in text for text in await heard()) < 2 or not any(NO_SIGN in text for text in await heard()):
            await asyncio.sleep(0.05)
    assert NO_SIGN in await atelier.told(asked_of(atelier, message))  # and afterwards the next one


async def test_a_plain_square_painted_here_is_known_by_its_bytes(atelier: Atelier) -> None:
    result = await atelier.painted()
    told = await atelier.told(lambda: atelier.discord.invoke(ADA, MENU, target=result["id"]))
    assert told.startswith("**Made by this bot, and unchanged since.** It is, byte for byte, a file made here on <t:")


async def test_much_to_say_of_several_pictures_comes_in_several_messages(atelier: Atelier, monkeypatch: Any) -> None:
    loaded = sys.modules["cogs.verify"]  # the library loads cogs anew for each client
    monkeypatch.setattr(loaded, "evidence_text", lambda evidence: "long " * 180)
    data = saved(starter_pictures()[0], "PNG")
    message = await posted(atelier, *((f"{place}.png", data) for place in range(3)))
    await asked_of(atelier, message)()
    first = await _heard(atelier, "0.png")
    assert [f"{place}.png" in first for place in range(3)] == [True, True, False]
    assert "1.png" not in await _heard(atelier, "2.png")


async def _heard(atelier: Atelier, words: str) -> str:
    """What only this person hears that contains `words`."""
    return text_of(
        await atelier.discord.wait_for(
            lambda each: each["flags"] & EPHEMERAL and words in text_of(each), person=ADA, timeout=20
        )
    )
