"""Unmodified discord.py with a bot that uses what the product does not: the width of the local Discord."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
from collections.abc import AsyncIterator

import discord
import pytest

from bot.playground import ids
from tests.bot.playground.tour_bot import HOME, Panel, TourBot, Wall, square
from tests.local_discord import EPHEMERAL, LocalDiscord, RefusedError

ADA, ART = ids.ADA_ID, ids.ART_ID


@contextlib.asynccontextmanager
async def connected(discord_here: LocalDiscord, bot: TourBot) -> AsyncIterator[TourBot]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(discord.http.Route, "BASE", discord_here.api_url)
        gateway = discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY
        patch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", gateway)  # the bot sets it when it logs in
        running = asyncio.create_task(bot.start(discord_here.token))
        try:
            await asyncio.wait_for(bot.ready_once.wait(), 15)
            yield bot
        finally:
            await bot.close()
            await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def tour(playground: LocalDiscord) -> AsyncIterator[TourBot]:
    async with connected(playground, TourBot()) as bot:
        yield bot


async def heard(bot: TourBot) -> object:
    return await asyncio.wait_for(bot.heard.get(), 5)


def art(bot: TourBot) -> discord.TextChannel:
    channel = bot.get_channel(ART)
    assert isinstance(channel, discord.TextChannel)
    return channel


async def test_two_shards_see_one_guild(playground: LocalDiscord) -> None:
    async with connected(playground, TourBot(shards=2)) as tour:
        assert len(tour.shards) == 2
        await look_round(tour)


async def look_round(tour: TourBot) -> None:
    (guild,) = tour.guilds
    assert guild.id == ids.GUILD_ID
    assert {channel.name for channel in guild.text_channels} == {"art", "art-adults", "mods"}
    assert guild.get_member(ADA) is not None
    assert guild.owner_id == ids.OLIVIA_ID
    assert art(tour).permissions_for(guild.me).send_messages
    adults = guild.get_channel(ids.ART_ADULTS_ID)
    assert isinstance(adults, discord.TextChannel)
    assert adults.is_nsfw()


async def test_a_modal_with_every_field(tour: TourBot, playground: LocalDiscord) -> None:
    await playground.invoke(ADA, "field")
    modal = await playground.wait_for_modal(ADA)
    assert modal["title"] == "Every field"
    await playground.submit(ADA, {"line": "some words", "radio": "two", "boxes": ["red", "blue"], "box": True})
    assert await heard(tour) == ["some words", "two", ["red", "blue"], True]
    await playground.wait_for(lambda message: message["content"] == "Thank you" and message["flags"] & EPHEMERAL)
    assert await playground.modals(ADA) == []


async def test_a_modal_with_every_select_and_a_file(tour: TourBot, playground: LocalDiscord) -> None:
    await playground.invoke(ADA, "choose")
    await playground.wait_for_modal(ADA)
    values = {"style": ["ink"], "person": [str(ids.BEN_ID)], "place": [str(ART)]}
    await playground.submit(ADA, values, files={"file": ("notes.txt", b"some notes")})
    style, people, roles, places, filename, content = await heard(tour)
    assert (style, roles, filename, content) == (["ink"], [], "notes.txt", b"some notes")
    assert [person.id for person in people] == [ids.BEN_ID]
    assert isinstance(people[0], discord.Member)
    assert [place.id for place in places] == [ART]
    await playground.wait_for(lambda message: message["content"] == "Thank you")


async def test_selects_of_every_kind_on_a_message(tour: TourBot, playground: LocalDiscord) -> None:
    sent = await art(tour).send("A panel", view=Panel())
    panel = await playground.wait_for(lambda message: message["id"] == str(sent.id))
    await playground.choose(ADA, panel, "panel:user", str(ids.BEN_ID), str(ids.CLEO_ID))
    assert {user.id for user in await heard(tour)} == {ids.BEN_ID, ids.CLEO_ID}
    await playground.choose(ADA, panel, "panel:role", str(ids.BOOSTERS_ROLE_ID))
    assert [role.name for role in await heard(tour)] == ["Boosters"]
    await playground.choose(ADA, panel, "panel:any", str(ids.BOOSTERS_ROLE_ID), str(ids.BEN_ID))
    assert {type(each) for each in await heard(tour)} == {discord.Role, discord.Member}
    await playground.choose(ADA, panel, "panel:place", str(ART))
    assert [place.id for place in await heard(tour)] == [ART]
    await playground.wait_for(lambda message: message["content"] == "Chosen" and not message["components"])


async def test_every_kind_of_option(tour: TourBot, playground: LocalDiscord) -> None:
    options = {
        "words": "some",
        "whole": 9,
        "number": 2.5,
        "flag": True,
        "user": str(ids.BEN_ID),
        "role": str(ids.BOOSTERS_ROLE_ID),
        "place": str(ART),
        "tone": "dark",
    }
    await playground.invoke(ADA, "tool mix", options, files={"file": ("a.bin", b"\0")})
    assert await heard(tour) == ["some", 9, 2.5, True, "ben", "Boosters", "art", "a.bin", "dark"]
    (choice,) = await playground.complete(ADA, "tool mix", "tone", {"words": "some", "tone": "da"})
    assert choice == {"name": "da after some", "value": "da"}
    for name, value in (
        ("whole", 10),
        ("whole", "9"),
        ("number", 0.4),
        ("words", "w"),
        ("words", "w" * 11),
        ("user", "5"),
    ):
        with pytest.raises(RefusedError):
            await playground.invoke(ADA, "tool mix", {**options, name: value}, files={"file": ("a.bin", b"\0")})


async def test_context_menus(tour: TourBot, playground: LocalDiscord) -> None:
    said = await playground.say(ids.BEN_ID, "@everyone look")
    await playground.invoke(ADA, "Quote", target=said["id"])
    quoted = await playground.wait_for(lambda message: message["content"].startswith(">"))
    assert not quoted["mention_everyone"]
    await playground.invoke(ADA, "Poke", target=ids.BEN_ID)
    poked = await playground.wait_for(lambda message: message["content"].endswith("!"))
    assert [user["id"] for user in poked["mentions"]] == [str(ids.BEN_ID)]


async def test_a_layout_of_the_second_generation(tour: TourBot, playground: LocalDiscord) -> None:
    notes = discord.File(__file__, "notes.txt")
    sent = await art(tour).send(view=Wall(), files=[square(), notes])
    assert sent.flags.components_v2
    shown = await playground.wait_for(lambda message: message["id"] == str(sent.id))
    container, quiet = shown["components"]
    section, _, gallery, file, row = container["components"]
    assert (container["accent_color"], quiet["content"]) == (0x336699, "-# quietly")
    assert section["accessory"]["media"]["width"] == 24
    assert gallery["items"][0]["media"]["url"].startswith("http")
    assert file["name"] == "notes.txt"
    assert row["components"][1]["url"] == "https://example.org/"
    await playground.click(ADA, shown, "wall:vote")
    await playground.wait_for(lambda message: "'Votes: 1'" in str(message["components"]))
    with pytest.raises(discord.HTTPException):
        await sent.edit(content="words are not allowed here", view=None)


async def test_an_embed_with_its_picture_and_kept_files(tour: TourBot) -> None:
    embed = discord.Embed(title="House", description="red", colour=0xAA0000, timestamp=discord.utils.utcnow())
    embed.set_image(url="attachment://square.png").set_footer(text="seed 1").set_author(name="Ada").add_field(
        name="a", value="b"
    )
    sent = await art(tour).send(embed=embed, files=[square(), square("two.png", description="another")])
    assert sent.embeds[0].image.width == 24
    # A file that an embed shows is not listed again, and stays with the embed.
    assert [attachment.filename for attachment in sent.attachments] == ["two.png"]
    kept = await sent.edit(attachments=[sent.attachments[0], square("three.png")])
    assert [attachment.filename for attachment in kept.attachments] == ["two.png", "three.png"]
    assert kept.embeds[0].image.width == 24
    same = await sent.edit(content="with words")
    assert len(same.attachments) == 2
    fetched = await art(tour).fetch_message(sent.id)
    assert (fetched.content, fetched.edited_at is not None) == ("with words", True)
    assert await fetched.attachments[1].read() == square().fp.read()
    await sent.delete()
    with pytest.raises(discord.NotFound):
        await sent.fetch()


async def test_reactions_replies_history_and_typing(tour: TourBot, playground: LocalDiscord) -> None:
    sent = await art(tour).send("first")
    async with art(tour).typing():
        reply = await sent.reply("second", mention_author=False)
    assert reply.reference is not None
    assert reply.reference.message_id == sent.id
    await sent.add_reaction("🎨")
    assert await heard(tour) == ("added", "🎨", sent.id)
    (reaction,) = (await sent.fetch()).reactions
    assert (reaction.count, reaction.me) == (1, True)
    await sent.remove_reaction("🎨", tour.user)
    assert (await sent.fetch()).reactions == []
    assert [message.id async for message in art(tour).history(limit=2)] == [reply.id, sent.id]
    assert [message.id async for message in art(tour).history(limit=5, before=reply) if message.author.bot] == [sent.id]


async def test_private_words_and_mentions(tour: TourBot, playground: LocalDiscord) -> None:
    ben = tour.get_user(ids.BEN_ID)
    assert ben is not None
    sent = await ben.send("hello", file=square())
    shown = await playground.wait_for(
        lambda message: message["content"] == "hello", person=ids.BEN_ID, channel=ids.DM_IDS[ids.BEN_ID]
    )
    assert (shown["id"], sent.guild) == (str(sent.id), None)
    await playground.say(ids.BEN_ID, "hello yourself", channel=ids.DM_IDS[ids.BEN_ID])
    assert await heard(tour) == ("ben", "hello yourself")
    await playground.say(ADA, f"<@{ids.BOT_ID}> are you there?")
    name, words = await heard(tour)
    assert (name, words.endswith("are you there?")) == ("ada", True)
    with pytest.raises(RefusedError):
        await playground.messages(ADA, channel=ids.DM_IDS[ids.BEN_ID])


async def test_a_thread(tour: TourBot) -> None:
    sent = await art(tour).send("let us talk")
    thread = await sent.create_thread(name="talk", auto_archive_duration=60)
    inside = await thread.send("in here")
    assert inside.channel.id == thread.id
    assert [message.content async for message in thread.history(limit=1)] == ["in here"]


async def test_a_poll(tour: TourBot) -> None:
    poll = discord.Poll("Which?", datetime.timedelta(hours=2), multiple=True)
    poll.add_answer(text="One", emoji="1️⃣").add_answer(text="Two")
    sent = await art(tour).send(poll=poll)
    fetched = await sent.fetch()
    assert fetched.poll is not None
    assert [answer.text for answer in fetched.poll.answers] == ["One", "Two"]


async def test_a_late_answer_is_an_unknown_interaction(tour: TourBot, playground: LocalDiscord) -> None:
    await playground.invoke(ADA, "slow")
    await playground.advance(3.1)
    assert await heard(tour) == 10062


async def test_guild_commands_are_read_and_taken_back(tour: TourBot) -> None:
    commands = await tour.tree.fetch_commands(guild=HOME)
    assert {command.name for command in commands} == {"field", "choose", "tool", "slow", "Quote", "Poke"}
    assert await tour.tree.fetch_commands() == []
    (slow,) = [command for command in commands if command.name == "slow"]
    renamed = await slow.edit(description="Too slow")
    assert (await tour.tree.fetch_command(slow.id, guild=HOME)).description == renamed.description == "Too slow"
    await slow.delete()
    assert "slow" not in {command.name for command in await tour.tree.fetch_commands(guild=HOME)}


async def test_nonces_are_enforced(tour: TourBot) -> None:
    first = await art(tour).send("once", nonce="job-1")
    again = await art(tour).send("once", nonce="job-1")
    assert first.id == again.id
