"""Routes no client of ours uses every day, asked by hand: what they answer is complete by Discord's document."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from bot.playground import ids
from tests.local_discord import LocalDiscord

ART = f"/channels/{ids.ART_ID}"
GUILD = f"/guilds/{ids.GUILD_ID}"
APPLICATION = f"/applications/{ids.APPLICATION_ID}"


async def ask(discord: LocalDiscord, method: str, path: str, document: Any = None) -> Any:
    headers = {"Authorization": f"Bot {discord.token}"}
    url = discord.api_url + path
    async with aiohttp.ClientSession() as http, http.request(method, url, json=document, headers=headers) as response:
        return await response.json() if response.content_type == "application/json" else response.status


@pytest.mark.parametrize(
    "path",
    [
        "/users/@me",
        f"/users/{ids.ADA_ID}",
        "/users/@me/guilds",
        "/users/@me/guilds?with_counts=true",
        "/oauth2/applications/@me",
        "/applications/@me",
        f"{APPLICATION}/emojis",
        f"{APPLICATION}/entitlements",
        f"{APPLICATION}{GUILD}/commands/permissions",
        "/gateway",
        "/gateway/bot",
        GUILD,
        f"{GUILD}?with_counts=true",
        f"{GUILD}/channels",
        f"{GUILD}/roles",
        f"{GUILD}/roles/{ids.MODERATORS_ROLE_ID}",
        f"{GUILD}/members?limit=1000",
        f"{GUILD}/members/search?query=a&limit=5",
        f"{GUILD}/members/{ids.DANA_ID}",
        f"{GUILD}/threads/active",
        f"{GUILD}/emojis",
        f"{GUILD}/stickers",
        f"{GUILD}/auto-moderation/rules",
        f"{GUILD}/auto-moderation/rules/{ids.GUILD_ID + 901}",
        ART,
        f"/channels/{ids.DM_IDS[ids.ADA_ID]}",
        f"{ART}/messages",
        f"{ART}/messages/pins",
        f"{ART}/threads/archived/public",
    ],
)
async def test_what_is_read(playground: LocalDiscord, path: str) -> None:
    assert "code" not in await ask(playground, "GET", path)


async def test_what_a_message_can_hold(playground: LocalDiscord) -> None:
    emoji, image = {"id": "5", "name": "own", "animated": False}, {"url": "https://example.org/a.png"}
    buttons = [
        {"type": 2, "style": 3, "custom_id": "a", "emoji": {"name": "🎨"}},
        {"type": 2, "style": 4, "custom_id": "b", "emoji": emoji, "label": "Own"},
        {"type": 2, "style": 5, "url": "https://example.org", "label": "Link"},
    ]
    selects = [
        {"type": 5, "custom_id": "u", "default_values": [{"id": str(ids.ADA_ID), "type": "user"}]},
        {"type": 6, "custom_id": "r", "max_values": 3},
        {"type": 7, "custom_id": "m", "placeholder": "Anybody"},
        {"type": 8, "custom_id": "c", "channel_types": [0], "min_values": 0},
    ]
    embed = {
        "title": "x",
        "url": "https://example.org",
        "image": image,
        "thumbnail": image,
        "footer": {"text": "x", "icon_url": image["url"]},
        "author": {"name": "x", "icon_url": image["url"], "url": image["url"]},
        "fields": [{"name": "a", "value": "b"}],
        "timestamp": "2026-01-01T12:00:00Z",
        "color": 0,
    }
    rows = [{"type": 1, "components": buttons}, *({"type": 1, "components": [each]} for each in selects)]
    sent = await ask(playground, "POST", f"{ART}/messages", {"content": "x", "embeds": [embed], "components": rows})
    assert [row["components"][0]["id"] for row in sent["components"]] == [2, 6, 8, 10, 12]
    assert sent["embeds"][0]["timestamp"] == "2026-01-01T12:00:00.000000+00:00"
    answer = {"content": "y", "message_reference": {"message_id": sent["id"]}, "tts": False, "nonce": "5"}
    reply = await ask(playground, "POST", f"{ART}/messages", answer)
    assert (reply["type"], reply["referenced_message"]["id"]) == (19, sent["id"])
    await ask(playground, "DELETE", f"{ART}/messages/{sent['id']}")
    orphan = await ask(playground, "GET", f"{ART}/messages/{reply['id']}")
    assert orphan["referenced_message"] is None


async def test_reactions_by_hand(playground: LocalDiscord) -> None:
    sent = await ask(playground, "POST", f"{ART}/messages", {"content": "x"})
    path = f"{ART}/messages/{sent['id']}/reactions"
    for emoji in ("🎨", "own:5", "1️⃣"):
        assert await ask(playground, "PUT", f"{path}/{quote(emoji)}/@me") == 204
        await playground.advance(1)
    assert (await ask(playground, "PUT", f"{path}/words/@me"))["code"] == 10014
    shown = await ask(playground, "GET", f"{ART}/messages/{sent['id']}")
    assert [each["emoji"]["id"] for each in shown["reactions"]] == [None, "5", None]
    (user,) = await ask(playground, "GET", f"{path}/{quote('🎨')}")
    assert user["id"] == str(ids.BOT_ID)
    assert await ask(playground, "DELETE", f"{path}/{quote('🎨')}/@me") == 204
    assert (await ask(playground, "DELETE", path))["code"] == 50013


async def test_threads_by_hand(playground: LocalDiscord) -> None:
    thread = await ask(playground, "POST", f"{ART}/threads", {"name": "talk", "type": 11})
    assert (thread["parent_id"], thread["member"]["user_id"]) == (str(ids.ART_ID), str(ids.BOT_ID))
    path = f"/channels/{thread['id']}"
    assert (await ask(playground, "GET", path))["thread_metadata"]["archived"] is False
    (follower,) = await ask(playground, "GET", f"{path}/thread-members")
    assert follower["id"] == thread["id"]
    assert await ask(playground, "PUT", f"{path}/thread-members/{ids.ADA_ID}") == 204
    active = await ask(playground, "GET", f"{GUILD}/threads/active")
    assert [each["id"] for each in active["threads"]] == [thread["id"]]
    assert (await ask(playground, "POST", f"{path}/threads", {"name": "in a thread"}))["code"] == 50024
    assert (await ask(playground, "DELETE", path))["code"] == 50013
    assert await ask(playground, "DELETE", f"{path}/thread-members/@me") == 204


async def test_direct_messages_by_hand(playground: LocalDiscord) -> None:
    channel = await ask(playground, "POST", "/users/@me/channels", {"recipient_id": str(ids.BEN_ID)})
    assert channel["recipients"][0]["id"] == str(ids.BEN_ID)
    pin = await ask(playground, "POST", f"/channels/{channel['id']}/messages", {"content": "x"})
    assert await ask(playground, "PUT", f"/channels/{channel['id']}/messages/pins/{pin['id']}") == 204
    pins = await ask(playground, "GET", f"/channels/{channel['id']}/messages/pins")
    assert [item["message"]["pinned"] for item in pins["items"]] == [True]
    assert await ask(playground, "DELETE", f"/channels/{channel['id']}/messages/pins/{pin['id']}") == 204
    nobody = await ask(playground, "POST", "/users/@me/channels", {"recipient_id": "5"})
    assert nobody["code"] == 10013
