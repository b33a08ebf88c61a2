"""hikari, a library nobody here has written or tuned for, lives a whole day in the local Discord."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import AsyncIterator

import hikari
import pytest
from PIL import Image

from bot.playground import ids
from tests.local_discord import EPHEMERAL, LOADING, LocalDiscord

ADA, ART = ids.ADA_ID, ids.ART_ID


class Guest:
    """A started hikari bot and the interactions it was sent."""

    def __init__(self, token: str, rest_url: str) -> None:
        self.bot = hikari.GatewayBot(
            token,
            rest_url=rest_url,
            banner=None,
            logs=None,
            suppress_optimization_warning=True,
            intents=hikari.Intents.ALL_UNPRIVILEGED,
        )
        self.rest = self.bot.rest
        self.interactions: asyncio.Queue[hikari.PartialInteraction] = asyncio.Queue()
        self.guilds: list[hikari.GatewayGuild] = []
        self.messages: list[hikari.Message] = []
        self.bot.subscribe(hikari.InteractionCreateEvent, self._interaction)
        self.bot.subscribe(hikari.GuildAvailableEvent, self._guild)
        self.bot.subscribe(hikari.MessageCreateEvent, self._message)

    async def asked(self, kind: type[hikari.PartialInteraction]) -> hikari.PartialInteraction:
        """The next interaction, which is of this kind."""
        interaction = await asyncio.wait_for(self.interactions.get(), 5)
        assert type(interaction) is kind
        return interaction

    async def _interaction(self, event: hikari.InteractionCreateEvent) -> None:
        await self.interactions.put(event.interaction)

    async def _guild(self, event: hikari.GuildAvailableEvent) -> None:
        self.guilds.append(event.guild)

    async def _message(self, event: hikari.MessageCreateEvent) -> None:
        self.messages.append(event.message)


@pytest.fixture
async def guest(playground: LocalDiscord, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Guest]:
    """hikari reports what it cannot read in its log, so nothing may be there."""
    guest = Guest(playground.token, playground.api_url)
    with caplog.at_level(logging.WARNING, "hikari"):
        await guest.bot.start(check_for_updates=False)
        yield guest
        await guest.bot.close()
    complaints = [record.getMessage() for record in caplog.records if record.name.startswith("hikari")]
    assert complaints == []


def picture(colour: str = "firebrick", side: int = 24) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(file, "PNG")
    return file.getvalue()


async def register(guest: Guest) -> None:
    """One slash command, one for messages, one for people."""
    paint = guest.rest.slash_command_builder("paint", "Paint a picture")
    paint.add_option(
        hikari.CommandOption(
            type=hikari.OptionType.STRING,
            name="prompt",
            description="What to paint",
            is_required=True,
            autocomplete=True,
            max_length=100,
        )
    )
    paint.add_option(hikari.CommandOption(type=hikari.OptionType.ATTACHMENT, name="image", description="To start from"))
    paint.add_option(hikari.CommandOption(type=hikari.OptionType.USER, name="friend", description="For whom"))
    paint.add_option(
        hikari.CommandOption(
            type=hikari.OptionType.INTEGER, name="steps", description="How many steps", min_value=1, max_value=50
        )
    )
    count = guest.rest.context_menu_command_builder(hikari.CommandType.MESSAGE, "Count")
    wave = guest.rest.context_menu_command_builder(hikari.CommandType.USER, "Wave")
    made = await guest.rest.set_application_commands(ids.APPLICATION_ID, [paint, count, wave])
    assert {command.name for command in made} == {"paint", "Count", "Wave"}


async def test_it_logs_in_and_looks_round(guest: Guest) -> None:
    me = guest.bot.get_me()
    assert me is not None
    assert me.id == ids.BOT_ID
    (guild,) = guest.guilds
    assert guild.id == ids.GUILD_ID
    assert {channel.name for channel in guild.get_channels().values()} >= {"art", "art-adults", "mods"}
    assert (await guest.rest.fetch_my_user()).id == ids.BOT_ID
    assert (await guest.rest.fetch_application()).id == ids.APPLICATION_ID
    assert (await guest.rest.fetch_guild(ids.GUILD_ID)).name == guild.name
    assert (await guest.rest.fetch_channel(ART)).name == "art"
    assert (await guest.rest.fetch_user(ADA)).id == ADA
    assert (await guest.rest.fetch_member(ids.GUILD_ID, ADA)).user.id == ADA


async def test_commands_are_synced_read_and_taken_back(guest: Guest) -> None:
    await register(guest)
    commands = {command.name: command for command in await guest.rest.fetch_application_commands(ids.APPLICATION_ID)}
    assert commands.keys() == {"paint", "Count", "Wave"}
    options = commands["paint"].options
    assert options is not None
    assert [option.name for option in options] == ["prompt", "image", "friend", "steps"]
    assert options[0].autocomplete
    await guest.rest.set_application_commands(ids.APPLICATION_ID, [])
    assert await guest.rest.fetch_application_commands(ids.APPLICATION_ID) == []


async def test_a_message_with_an_image(guest: Guest, playground: LocalDiscord) -> None:
    sent = await guest.rest.create_message(
        ART, "Look, <@&1>", attachment=hikari.Bytes(picture(), "house.png"), nonce="once", mentions_everyone=False
    )
    (attachment,) = sent.attachments
    assert (attachment.filename, attachment.width, attachment.height, attachment.media_type) == (
        "house.png",
        24,
        24,
        "image/png",
    )
    assert await attachment.read() == picture()
    assert (await guest.rest.fetch_message(ART, sent.id)).content == "Look, <@&1>"
    changed = await guest.rest.edit_message(ART, sent.id, "Look again", attachments=[attachment])
    assert [each.id for each in changed.attachments] == [attachment.id]
    bare = await guest.rest.edit_message(
        ART, sent.id, attachment=None, embed=hikari.Embed(title="A house", colour=0x123456)
    )
    assert not bare.attachments
    assert bare.embeds[0].title == "A house"
    await guest.rest.add_reaction(ART, sent.id, "🎨")
    shown = await playground.wait_for(lambda message: message.get("reactions"))
    assert shown["reactions"][0]["emoji"]["name"] == "🎨"
    await guest.rest.delete_message(ART, sent.id)
    await playground.wait_until_gone(shown)
    with pytest.raises(hikari.NotFoundError):
        await guest.rest.fetch_message(ART, sent.id)


async def test_defer_edit_with_an_image_follow_up_and_delete(guest: Guest, playground: LocalDiscord) -> None:
    await register(guest)
    upload = {"image": ("start.png", picture("navy", 16))}
    await playground.invoke(
        ADA, "paint", {"prompt": "a red house", "friend": str(ids.BEN_ID), "steps": 7}, files=upload
    )
    asked = await guest.asked(hikari.CommandInteraction)
    assert isinstance(asked, hikari.CommandInteraction)
    assert (asked.user.id, asked.guild_id, asked.channel_id) == (ADA, ids.GUILD_ID, ART)
    assert asked.member is not None
    assert asked.member.permissions & hikari.Permissions.SEND_MESSAGES
    assert asked.options is not None
    values = {option.name: option.value for option in asked.options}
    assert (values["prompt"], values["steps"]) == ("a red house", 7)
    assert asked.resolved is not None
    assert asked.resolved.users[ids.BEN_ID].username == "ben"
    (start,) = asked.resolved.attachments.values()
    assert (start.filename, await start.read()) == ("start.png", picture("navy", 16))

    await asked.create_initial_response(hikari.ResponseType.DEFERRED_MESSAGE_CREATE)
    await playground.wait_for(lambda message: message["flags"] & LOADING)
    done = await asked.edit_initial_response("Done", attachment=hikari.Bytes(picture(), "house.png"))
    shown = await playground.wait_for(lambda message: message["content"] == "Done")
    assert (shown["id"], shown["flags"] & LOADING) == (str(done.id), 0)
    assert shown["attachments"][0]["width"] == 24
    assert (await asked.fetch_initial_response()).id == done.id

    more = await asked.execute("For you alone", flags=hikari.MessageFlag.EPHEMERAL)
    alone = await playground.wait_for(lambda message: message["flags"] & EPHEMERAL)
    assert alone["id"] == str(more.id)
    assert all(message["id"] != alone["id"] for message in await playground.messages(ids.BEN_ID))
    await asked.edit_message(more, "Still for you")
    await playground.wait_for(lambda message: message["content"] == "Still for you")
    await asked.delete_message(more)
    await asked.delete_initial_response()
    await playground.wait_until_gone(alone)
    await playground.wait_until_gone(shown)


async def test_autocompletion(guest: Guest, playground: LocalDiscord) -> None:
    await register(guest)
    typing = asyncio.create_task(playground.complete(ADA, "paint", "prompt", {"prompt": "a re"}))
    asked = await guest.asked(hikari.AutocompleteInteraction)
    assert isinstance(asked, hikari.AutocompleteInteraction)
    (option,) = asked.options
    assert (option.value, option.is_focused) == ("a re", True)
    await asked.create_response([hikari.impl.AutocompleteChoiceBuilder("a red house", "a red house")])
    assert [choice["value"] for choice in await typing] == ["a red house"]


async def test_context_menus(guest: Guest, playground: LocalDiscord) -> None:
    await register(guest)
    said = await playground.say(ids.BEN_ID, "hello")
    await playground.invoke(ADA, "Count", target=said["id"])
    counted = await guest.asked(hikari.CommandInteraction)
    assert isinstance(counted, hikari.CommandInteraction)
    assert counted.resolved is not None
    (target,) = counted.resolved.messages.values()
    assert (target.id, target.author.id) == (int(said["id"]), ids.BEN_ID)
    await counted.create_initial_response(hikari.ResponseType.MESSAGE_CREATE, "One", flags=hikari.MessageFlag.EPHEMERAL)
    await playground.wait_for(lambda message: message["content"] == "One")
    await playground.invoke(ADA, "Wave", target=ids.BEN_ID)
    waved = await guest.asked(hikari.CommandInteraction)
    assert isinstance(waved, hikari.CommandInteraction)
    assert waved.target_id == ids.BEN_ID
    await waved.create_initial_response(hikari.ResponseType.MESSAGE_CREATE, f"Hello, <@{ids.BEN_ID}>")
    await playground.wait_for(lambda message: message["content"].startswith("Hello"))


async def test_buttons_selects_and_a_form(guest: Guest, playground: LocalDiscord) -> None:
    buttons = guest.rest.build_message_action_row().add_interactive_button(
        hikari.ButtonStyle.PRIMARY, "edit", label="Edit"
    )
    choice = guest.rest.build_message_action_row()
    choice.add_text_menu("style", placeholder="A style").add_option("Ink", "ink").add_option("Oil", "oil")
    await guest.rest.create_message(ART, "Choose", components=[buttons, choice])
    card = await playground.wait_for(lambda message: message["components"])

    await playground.choose(ADA, card, "style", "Oil")
    chosen = await guest.asked(hikari.ComponentInteraction)
    assert isinstance(chosen, hikari.ComponentInteraction)
    assert (chosen.custom_id, chosen.values, chosen.message.id) == ("style", ["oil"], int(card["id"]))
    await chosen.create_initial_response(hikari.ResponseType.MESSAGE_UPDATE, "Oil it is")
    await playground.wait_for(lambda message: message["content"] == "Oil it is" and message["id"] == card["id"])

    await playground.click(ADA, card, "Edit")
    pressed = await guest.asked(hikari.ComponentInteraction)
    assert isinstance(pressed, hikari.ComponentInteraction)
    row = guest.rest.build_modal_action_row().add_text_input("prompt", "Prompt", value="a red house")
    await pressed.create_modal_response("Edit", "form", component=row)
    modal = await playground.wait_for_modal(ADA)
    assert modal["title"] == "Edit"
    await playground.submit(ADA, {"prompt": "a blue house"})
    sent = await guest.asked(hikari.ModalInteraction)
    assert isinstance(sent, hikari.ModalInteraction)
    assert sent.custom_id == "form"
    assert sent.components[0][0].value == "a blue house"
    await sent.create_initial_response(hikari.ResponseType.DEFERRED_MESSAGE_UPDATE)
    await sent.edit_initial_response("Blue it is", components=[])
    await playground.wait_for(lambda message: message["content"] == "Blue it is" and not message["components"])


async def test_refusals_are_told_in_discords_words(guest: Guest) -> None:
    with pytest.raises(hikari.BadRequestError) as too_long:
        await guest.rest.create_message(ART, "x" * 2001)
    assert too_long.value.errors is not None
    assert "content" in too_long.value.errors
    with pytest.raises(hikari.BadRequestError) as empty:
        await guest.rest.create_message(ART, "")
    assert empty.value.code == 50006
    with pytest.raises(hikari.NotFoundError) as nowhere:
        await guest.rest.create_message(5, "hello")
    assert nowhere.value.code == 10003
    with pytest.raises(hikari.NotFoundError) as gone:
        await guest.rest.delete_message(ART, 5)
    assert gone.value.code == 10008


async def test_a_wrong_token_is_refused(playground: LocalDiscord) -> None:
    wrong = Guest(playground.token[:-1] + "X", playground.api_url)
    with pytest.raises(hikari.UnauthorizedError):
        await wrong.bot.start(check_for_updates=False)
    await wrong.rest.close()
