"""The test controls before the whole local Discord, with an unmodified discord.py bot behind it."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import discord
import pytest
import yarl
from discord import app_commands

from bot.playground import ids
from tests.local_discord import LocalDiscord, RefusedError, started


class EditModal(discord.ui.Modal, title="Edit"):
    """One line of text."""

    words: discord.ui.TextInput[Any] = discord.ui.TextInput(label="Words")

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"submitted {self.words.value}")


class Panel(discord.ui.View):
    """A button that opens the modal, and a select."""

    @discord.ui.button(label="Edit")
    async def edit(self, interaction: discord.Interaction, _: object) -> None:
        await interaction.response.send_modal(EditModal())

    @discord.ui.select(placeholder="Style", options=[discord.SelectOption(label=name) for name in ("Ink", "Oil")])
    async def style(self, interaction: discord.Interaction, select: discord.ui.Select[Any]) -> None:
        await interaction.response.send_message(f"chosen {select.values[0]}", ephemeral=True)


class SmallBot(discord.Client):
    """Commands that touch each kind of interaction once."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True), guild_ready_timeout=0.05)
        self.tree = app_commands.CommandTree(self)
        self.problems: asyncio.Queue[Exception] = asyncio.Queue()
        self.tree.command(name="echo", description="Says it again")(self.echo)
        self.tree.command(name="slow", description="Answers late")(self.slow)
        self.tree.context_menu(name="Quote")(self.quote)
        group = app_commands.Group(name="filter", description="Words")
        group.command(name="add", description="One more")(self.filter_add)
        self.tree.add_command(group)
        self.go_on = asyncio.Event()

    async def setup_hook(self) -> None:
        await self.tree.sync()

    async def echo(
        self, interaction: discord.Interaction, text: str, picture: discord.Attachment | None = None
    ) -> None:
        size = len(await picture.read()) if picture else 0
        await interaction.response.send_message(f"echo {text} {size}", view=Panel())

    async def slow(self, interaction: discord.Interaction) -> None:
        await interaction.response.defer()
        await self.go_on.wait()
        try:
            await interaction.edit_original_response(content="slow but there")
        except discord.HTTPException as error:
            self.problems.put_nowait(error)

    async def filter_add(self, interaction: discord.Interaction, rule: str) -> None:
        await interaction.response.send_message(f"added {rule}")

    async def quote(self, interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"quoted {message.content}")


@contextlib.asynccontextmanager
async def small_bot(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[LocalDiscord, SmallBot]]:
    async with started(folder) as local:
        monkeypatch.setattr(discord.http.Route, "BASE", local.api_url)
        gateway = yarl.URL(local.origin.replace("http", "ws", 1)) / "gateway"
        monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", gateway)
        bot = SmallBot()
        running = asyncio.create_task(bot.start(local.token))
        try:
            async with asyncio.timeout(10):
                while not bot.is_ready():
                    await asyncio.sleep(0.01)
            yield local, bot
        finally:
            await bot.close()
            await asyncio.gather(running, return_exceptions=True)


def says(words: str) -> Any:
    return lambda message: words in message["content"]


async def test_every_way_to_act(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with small_bot(tmp_path, monkeypatch) as (local, _):
        await local.invoke(ids.ADA_ID, "echo", {"text": "hi"}, files={"picture": ("cat.png", b"12345")})
        echo = await local.wait_for(says("echo hi 5"))
        await local.click(ids.BEN_ID, echo, "Edit")
        await local.wait_for_modal(ids.BEN_ID)
        await local.submit(ids.BEN_ID, {"Words": "abc"})
        await local.wait_for(says("submitted abc"))
        await local.choose(ids.ADA_ID, echo, "Style", "Oil")
        chosen = await local.wait_for(says("chosen Oil"))
        assert chosen["id"] not in [each["id"] for each in await local.messages(ids.BEN_ID)]
        await local.invoke(ids.ADA_ID, "filter add", {"rule": "cat*"})
        await local.wait_for(says("added cat*"))
        mine = await local.say(ids.ADA_ID, "words of mine")
        await local.invoke(ids.ADA_ID, "Quote", target=mine["id"])
        await local.wait_for(says("quoted words of mine"))
        statuses = {exchange["status"] for exchange in await local.collect()}
        assert statuses == {200}


async def test_what_the_client_itself_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with small_bot(tmp_path, monkeypatch) as (local, _):
        with pytest.raises(RefusedError, match="no command 'paint'"):
            await local.invoke(ids.ADA_ID, "paint")
        form = aiohttp.FormData({"as": str(ids.ADA_ID)})
        form.add_field("file", io.BytesIO(b"x" * (10 * 2**20 + 1)), filename="large.png")
        async with aiohttp.ClientSession() as http, http.post(f"{local.origin}/control/upload", data=form) as large:
            assert (large.status, (await large.json())["code"]) == (413, 40005)
        with pytest.raises(RefusedError) as stranger:
            await local.messages(12345)
        assert stranger.value.status == 404


async def test_a_rate_limit_is_waited_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with small_bot(tmp_path, monkeypatch) as (local, bot):
        original = {"method": "PATCH", "path": "/webhooks/*/*/messages/@original"}
        await local.breaks("rate_limit", **original, count=1, retry_after=0.1)
        bot.go_on.set()
        await local.invoke(ids.ADA_ID, "slow")
        await local.wait_for(says("slow but there"))
        edits = [each for each in await local.collect() if each["method"] == "PATCH"]
        assert [(each["status"], each["fault"]) for each in edits] == [(429, "rate_limit"), (200, None)]


@pytest.mark.parametrize("how", ["fault", "clock"])
async def test_a_token_grows_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    async with small_bot(tmp_path, monkeypatch) as (local, bot):
        await local.invoke(ids.ADA_ID, "slow")
        await local.wait_for(lambda message: message["flags"] & 128)
        if how == "fault":
            assert await local.breaks("expire_tokens") == {"tokens": 1}
        else:
            await local.advance(901)
        bot.go_on.set()
        problem = await asyncio.wait_for(bot.problems.get(), 5)
        assert isinstance(problem, discord.HTTPException)
        assert problem.code == 50027


async def test_a_message_is_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with small_bot(tmp_path, monkeypatch) as (local, bot):
        await local.invoke(ids.ADA_ID, "slow")
        waiting = await local.wait_for(lambda message: message["flags"] & 128)
        gone = await local.breaks("delete_message", channel_id=waiting["channel_id"], message_id=waiting["id"])
        assert gone == {"deleted": True}
        await local.wait_until_gone(waiting)
        bot.go_on.set()
        problem = await asyncio.wait_for(bot.problems.get(), 5)
        assert isinstance(problem, discord.NotFound)
        assert problem.code == 10008


async def test_a_link_to_a_picture_expires(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with small_bot(tmp_path, monkeypatch) as (local, bot):
        await local.breaks("cdn_lifetime", lifetime_s=60)
        upload = await local.upload(ids.ADA_ID, "cat.png", b"12345")
        assert await bot.http.get_from_cdn(upload["url"]) == b"12345"
        await local.advance(61)
        with pytest.raises(discord.NotFound):
            await bot.http.get_from_cdn(upload["url"])
