"""Where a picture came from, as members ask it: the real bot and its real engine on the local Discord."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import c2pa
import pytest
from PIL import Image

from bot.playground import ids
from bot.verify import NO_WATERMARK
from generation.engine.files import read_recipe
from generation.provenance.keyring import FOLDER, Keyring
from tests.e2e.house import running_bot
from tests.generation.engine.watermark.schooled import SCHOOLED
from tests.generation.provenance.pictures import a_file, opened, saved, starter_pictures
from tests.local_discord import EPHEMERAL, LOADING, LocalDiscord, RefusedError, text_of

ADA, BEN = ids.ADA_ID, ids.BEN_ID
MENU = "Is this from here?"

Json = dict[str, Any]


async def told(discord: LocalDiscord, person: int, act: Callable[[], Awaitable[Any]]) -> str:
    """What only this person hears after `act`."""
    known = {message["id"] for message in await discord.messages(person)}
    await act()
    message = await discord.wait_for(
        lambda message: message["id"] not in known and message["flags"] & EPHEMERAL and not message["flags"] & LOADING,
        person=person,
        timeout=60,
    )
    return text_of(message)


async def verified(discord: LocalDiscord, data: bytes, name: str = "picture.png", person: int = BEN) -> str:
    files = {"picture": (name, data)}
    return await told(discord, person, lambda: discord.invoke(person, "verify", files=files))


async def painted(discord: LocalDiscord, **options: Any) -> tuple[Json, bytes]:
    """A result and the bytes of its first file."""
    known = {message["id"] for message in await discord.messages(ADA)}
    await discord.invoke(ADA, "dream", {"prompt": "a red house at night", "steps": 8, **options})
    message = await discord.wait_for(
        lambda message: message["id"] not in known and message["attachments"] and "at:v:" in str(message["components"]),
        timeout=60,
    )
    async with aiohttp.ClientSession() as http, http.get(message["attachments"][0]["url"]) as response:
        return message, await response.read()


async def test_the_life_of_a_picture(tmp_path: Path, start_discord) -> None:
    discord = await start_discord()
    folder = tmp_path / "bot"
    environment = {"DISCORD_API_URL": discord.api_url, "DISCORD_TOKEN": discord.token}
    async with running_bot(folder, **environment) as bot:
        await bot.ready()
        await discord.wait_for_command(MENU)
        result, data = await painted(discord)
        await as_it_was_posted(discord, result, data, Keyring(folder / "data" / FOLDER))
        await as_others_bring_it(discord, data, tmp_path)
        await the_grid(discord)
        await the_prompt_is_the_authors(discord, data)
        assert await bot.stop() == 0
    key = folder / "data" / FOLDER / "signing.pem"
    assert key.stat().st_mode & 0o777 == 0o600


async def as_it_was_posted(discord: LocalDiscord, result: Json, data: bytes, keyring: Keyring) -> None:
    text = await verified(discord, data)
    assert text.startswith("**Made by this bot, and unchanged since.**")
    assert "with starter" in text
    text = await told(discord, BEN, lambda: discord.invoke(BEN, MENU, target=result["id"]))
    assert text.startswith("**Made by this bot, and unchanged since.**")
    # Another program, given nothing but the root, comes to the same conclusion.
    trust = c2pa.Settings.from_dict({"trust": {"user_anchors": keyring.roots()}})
    with c2pa.Reader("image/webp", io.BytesIO(data), context=c2pa.Context(trust)) as reader:
        assert reader.get_validation_state() == "Trusted"


async def as_others_bring_it(discord: LocalDiscord, data: bytes, folder: Path) -> None:
    copy = saved(opened(data), "JPEG", quality=70)
    text = await verified(discord, copy, "copy.jpg")
    assert text.startswith("**It looks almost exactly like a picture made here on <t:")
    harmed = bytearray(data)
    harmed[len(harmed) // 3] ^= 1
    assert (await verified(discord, bytes(harmed))).startswith("**Signed by this bot, but changed since.**")
    stranger = a_file(starter_pictures()[5], identity=Keyring(folder / "stranger").open()).data
    text = await verified(discord, stranger)
    assert text.startswith("**Signed by somebody else.**")
    assert "metadata says that an Atelier bot made it" in text
    assert "proves nothing" in text
    blank = saved(Image.effect_noise((300, 300), 80).convert("RGB"), "PNG")
    assert (await verified(discord, blank)).startswith("**There is no sign that it is from here.**")
    assert "not a PNG, JPEG or WebP" in await verified(discord, b"hello")
    assert "cannot be read" in await verified(discord, b"\xff\xd8\xff")
    said = await discord.say(BEN, "no picture")
    assert "no picture attached" in await told(discord, BEN, lambda: discord.invoke(BEN, MENU, target=said["id"]))
    with pytest.raises(RefusedError):
        await discord.invoke(BEN, "verify")


async def the_grid(discord: LocalDiscord) -> None:
    result, data = await painted(discord, count=2, seed=11)
    assert (await verified(discord, data)).startswith("**Made by this bot, and unchanged since.**")
    known = {message["id"] for message in await discord.messages(ADA)}
    await discord.click(ADA, result, "U2")
    single = await discord.wait_for(lambda message: message["id"] not in known and message["attachments"])
    text = await told(discord, BEN, lambda: discord.invoke(BEN, MENU, target=single["id"]))
    assert text.startswith("**Made by this bot, and unchanged since.**")


async def the_prompt_is_the_authors(discord: LocalDiscord, before: bytes) -> None:
    recipe = read_recipe(before)
    assert recipe["prompt"] == ""
    assert recipe["Model"] == "starter"
    assert int(recipe["Seed"]) >= 0

    async def preferences(**options: Any) -> str:
        return await told(discord, ADA, lambda: discord.invoke(ADA, "preferences", options))

    assert "stay out of your picture files" in await preferences()
    assert "written into your picture files" in await preferences(embed_prompt=True)
    _, data = await painted(discord, seed=12)
    assert read_recipe(data)["prompt"] == "a red house at night"
    assert "stay out of" in await preferences(embed_prompt=False)
    _, data = await painted(discord, seed=13)
    assert read_recipe(data)["prompt"] == ""


async def test_a_watermark_outlives_signature_and_metadata(tmp_path: Path, start_discord) -> None:
    discord = await start_discord()
    environment = {"DISCORD_API_URL": discord.api_url, "DISCORD_TOKEN": discord.token}
    settings = {"files": {"watermark": str(SCHOOLED)}}
    async with running_bot(tmp_path / "bot", settings=settings, **environment) as bot:
        await bot.ready()
        await discord.wait_for_command(MENU)
        _, data = await painted(discord, seed=21)
        assert (await verified(discord, data)).startswith("**Made by this bot, and unchanged since.**")
        copy = opened(data).convert("RGB")
        copy = copy.resize([length * 3 // 4 for length in copy.size])
        text = await verified(discord, saved(copy, "JPEG", quality=85), "copy.jpg")
        assert text.startswith("**A watermark of this bot was found in it.** It names a picture made here on <t:")
        assert "It also looks like that one." in text
        assert "proves nothing" in text
        other = starter_pictures()[5].resize((256, 256))
        text = await verified(discord, saved(other, "JPEG"), "other.jpg")
        assert text.startswith("**There is no sign that it is from here.**")
        assert text.endswith(NO_WATERMARK)
        assert await bot.stop() == 0


async def test_a_bot_whose_watermark_is_gone_does_not_start(tmp_path: Path, start_discord) -> None:
    discord = await start_discord()
    environment = {"DISCORD_API_URL": discord.api_url, "DISCORD_TOKEN": discord.token}
    settings = {"files": {"watermark": str(tmp_path / "gone")}}
    async with running_bot(tmp_path / "bot", settings=settings, **environment) as bot:
        async with asyncio.timeout(60):
            assert await bot.process.wait() == 78
