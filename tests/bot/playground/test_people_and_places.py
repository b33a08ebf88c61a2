"""Who sees what and may do what, as people and as the bot; the page's state, history and events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.playground import ids
from bot.playground.permissions import Permission
from tests.bot.playground.raw_discord import ART, RawDiscord, online, page, raw_discord

AUTOMOD = f"/guilds/{ids.GUILD_ID}/auto-moderation/rules"
MODS = f"/channels/{ids.MODS_ID}/messages"


@pytest.fixture
async def discord() -> AsyncIterator[RawDiscord]:
    async with raw_discord() as served:
        yield served


async def state(discord: RawDiscord, person: int) -> dict:
    return (await discord.client("GET", "/state", person=person)).document


async def test_everybody_has_their_own_view(discord: RawDiscord) -> None:
    ada, milo, olivia = [await state(discord, person) for person in (ids.ADA_ID, ids.MILO_ID, ids.OLIVIA_ID)]
    names = [channel.get("name") for channel in ada["channels"]]
    assert names == ["art", "art-adults", None]
    assert "mods" in [channel.get("name") for channel in milo["channels"]]
    assert ada["channels"][-1]["recipients"][0]["id"] == str(ids.BOT_ID)
    assert not int(ada["me"]["permissions"]) & Permission.MANAGE_MESSAGES
    assert int(milo["me"]["permissions"]) & Permission.MANAGE_MESSAGES
    assert int(olivia["me"]["permissions"]) & Permission.ADMINISTRATOR
    labels = {person["user"]["username"]: person["label"] for person in ada["people"]}
    assert labels == {
        "olivia": "owner",
        "milo": "moderator",
        **dict.fromkeys(("ada", "ben", "cleo", "dana"), "member"),
    }


async def test_without_a_name_the_server_chooses(discord: RawDiscord) -> None:
    assert (await discord.client("GET", "/state", params={"as": ""})).document["me"]["username"] == "ada"
    assert (await discord.client("GET", "/state", person=ids.BOT_ID)).status == 404
    assert (await discord.client("GET", "/state", params={"as": "ada"})).status == 400


async def test_the_application_comes_online(discord: RawDiscord) -> None:
    async with page(discord) as screen:
        assert (await state(discord, ids.ADA_ID))["applications"][0]["online"] is False
        async with online(discord):
            status = await screen.event("APPLICATION_STATUS")
            assert status == {"id": str(ids.APPLICATION_ID), "online": True}
            assert (await state(discord, ids.ADA_ID))["applications"][0]["online"] is True
        assert (await screen.event("APPLICATION_STATUS"))["online"] is False


async def test_writing_reading_and_deleting(discord: RawDiscord) -> None:
    async with online(discord), page(discord, ids.BEN_ID) as bens:
        files = {"files[0]": ("a.txt", b"x")}
        said = (await discord.client("POST", ART, {"content": "hello"}, files=files)).document
        assert (said["author"]["username"], said["attachments"][0]["filename"]) == ("ada", "a.txt")
        assert (await bens.event("MESSAGE_CREATE"))["id"] == said["id"]
        heard = await discord.event("MESSAGE_CREATE")
        assert (heard["guild_id"], heard["member"]["roles"]) == (str(ids.GUILD_ID), [])
        path = f"{ART}/{said['id']}"
        assert (await discord.client("DELETE", path, person=ids.BEN_ID)).status == 403
        assert (await discord.client("DELETE", path, person=ids.MILO_ID)).status == 204
        assert await bens.event("MESSAGE_DELETE") == {"id": said["id"], "channel_id": str(ids.ART_ID)}
        assert (await discord.event("MESSAGE_DELETE"))["id"] == said["id"]
    for number in range(60):
        discord.playground.persons.say(ids.ADA_ID, ids.ART_ID, str(number))
    newest = (await discord.client("GET", ART)).document
    assert (len(newest), newest[0]["content"]) == (50, "59")
    older = (await discord.client("GET", ART, params={"before": newest[-1]["id"]})).document
    assert [message["content"] for message in older] == [str(number) for number in reversed(range(10))]


async def test_people_write_words_not_embeds(discord: RawDiscord) -> None:
    said = await discord.client("POST", ART, {"content": "x", "embeds": [{"title": "x"}], "flags": 64})
    assert (said.document["embeds"], said.document["flags"]) == ([], 0)
    assert (await discord.client("POST", ART, {"embeds": [{"title": "x"}]})).code == 50006


async def test_closed_doors(discord: RawDiscord) -> None:
    async with page(discord) as screen:
        assert (await discord.client("POST", MODS, {"content": "x"}, person=ids.MILO_ID)).status == 200
        assert await screen.is_quiet()
    assert (await discord.client("GET", MODS)).code == 50001
    assert (await discord.client("POST", MODS, {"content": "x"})).code == 50001
    bens = f"/channels/{ids.DM_IDS[ids.BEN_ID]}/messages"
    assert (await discord.client("GET", bens)).code == 50001
    assert (await discord.client("GET", bens, person=ids.OLIVIA_ID)).code == 50001
    assert (await discord.client("GET", "/channels/5/messages")).code == 10003


async def test_what_the_bot_may(discord: RawDiscord) -> None:
    said = (await discord.client("POST", ART, {"content": "x"})).document
    assert (await discord.api("DELETE", f"{ART}/{said['id']}")).code == 50013
    assert (await discord.api("PATCH", f"{ART}/{said['id']}", {"content": "y"})).code == 50005
    assert (await discord.api("POST", MODS, {"content": "report"})).status == 200
    assert len((await discord.api("GET", AUTOMOD)).document) == 4
    assert (await discord.api("GET", f"{AUTOMOD}/5")).code == 10066
    roles = discord.playground.parts.world.roles
    own = roles[ids.BOT_ROLE_ID]
    roles[ids.BOT_ROLE_ID] = replace(own, permissions=own.permissions & ~Permission.MANAGE_GUILD)
    assert (await discord.api("GET", AUTOMOD)).code == 50013
    assert (await discord.api("GET", "/guilds/5")).code == 10004
    assert (await discord.api("GET", f"/guilds/{ids.GUILD_ID}/members/5")).code == 10013
    assert (await discord.api("GET", "/nothing")).document == {"message": "404: Not Found", "code": 0}
    assert (await discord.api("GET", "/users/@me", headers={"Authorization": "Bot x"})).status == 401
    exact = await discord.api("GET", "/users/@me")
    assert exact.headers["Content-Type"] == "application/json"


async def test_old_messages_make_room(discord: RawDiscord) -> None:
    first = (await discord.api("POST", ART, {"content": "first"}, {"files[0]": ("a.txt", b"x")})).document
    for number in range(500):
        discord.playground.persons.say(ids.ADA_ID, ids.ART_ID, str(number))
    assert (await discord.api("GET", f"{ART}/{first['id']}")).code == 10008
