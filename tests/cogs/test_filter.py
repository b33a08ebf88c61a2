"""/filter in the local Discord: the linter, scopes, files, AutoMod, figures, and rules against requests and buttons."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.moderation.entries import Entry
from bot.moderation.scope import Scope
from bot.moderation.verdict import Decision
from bot.playground import ids, people, permissions
from bot.playground.permissions import Permission
from cogs import filter as cog
from tests.bot.town import ADA, ART, BEN, EPHEMERAL, MODERATOR, Bot, Town, open_bot, open_both, open_town
from tests.painter import Painter

BOOSTERS = ids.BOOSTERS_ROLE_ID


async def _entries(bot: Bot) -> list[Entry]:
    return bot.house.studio.rules.entries(ids.GUILD_ID)


async def _content(town: Town, message: dict[str, Any]) -> str:
    async with town.http.get(message["attachments"][0]["url"]) as response:
        return await response.text()


async def _typed(town: Town, command: str, **options: str) -> None:
    """A command of the moderator's with an option `channel`, which `Town.invoke` keeps for where it is typed."""
    body = {"as": str(MODERATOR), "channel_id": str(ART), "command": command, "options": options}
    await town._post("invoke", body)


async def test_the_linter_asks_before_a_rule_is_saved(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await town.invoke(ADA, "dream", prompt="a quiet walrus @everyone")
        await town.result()
        await town.invoke(BEN, "dream", prompt="a walrus of mine alone", private=True)
        await town.told(BEN, "AI-generated")

        await town.invoke(MODERATOR, "filter add", rule="review:*walru*")
        offer = await town.told(MODERATOR, "would also stop")
        assert offer["flags"] & EPHEMERAL
        assert "1 of 1 prompt asked here in the last 30 days" in offer["content"]
        assert "a quiet walrus" in offer["content"]
        assert "@everyone" not in offer["content"]
        assert "of mine alone" not in offer["content"]
        assert not await _entries(bot)
        await town.click(MODERATOR, offer, "Cancel")
        cancelled = await town.told(MODERATOR, "Not added: review\\:\\*walru\\*")
        assert (cancelled["id"], cancelled["components"]) == (offer["id"], [])
        assert not await _entries(bot)

        await town.invoke(MODERATOR, "filter add", rule="review:*walru*")
        await town.click(MODERATOR, await town.told(MODERATOR, "would also stop"), "Add anyway")
        await town.told(MODERATOR, "Added: review\\:\\*walru\\*")
        assert await _entries(bot) == [Entry("*walru*", Decision.REVIEW)]


async def test_a_harmless_rule_is_added_at_once(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await town.invoke(MODERATOR, "filter add", rule="qvorzel", severity="shadow", language="de")
        await town.told(MODERATOR, "Added: shadow\\:qvorzel")
        assert await _entries(bot) == [Entry("qvorzel", Decision.SHADOW, language="de")]
        await town.invoke(MODERATOR, "filter list", language="de")
        await town.told(MODERATOR, "shadow:qvorzel (de)")
        await town.invoke(MODERATOR, "filter add", rule="qvorzel", language="in German")
        await town.told(MODERATOR, "A language is written as its short tag")


async def test_an_offer_outlives_neither_its_time_nor_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_town(tmp_path) as town:
        async with open_bot(town, tmp_path) as bot:
            await town.invoke(MODERATOR, "filter add", rule="dragon*")
            offer = await town.told(MODERATOR, "would also stop")
        async with open_bot(town, tmp_path) as bot:
            await town.click(MODERATOR, offer, "Add anyway")
            await town.told(MODERATOR, cog.LAPSED)
            # discord.py runs a cog's file anew for every client.
            monkeypatch.setattr(sys.modules["cogs.filter"], "OFFER_LIFE", -1.0)
            await town.invoke(MODERATOR, "filter add", rule="drago*")
            late = await town.told(MODERATOR, "drago\\* would also stop")
            await town.click(MODERATOR, late, "Add anyway")
            await town.until(lambda: _lapsed(town, late))
            assert not await _entries(bot)


async def _lapsed(town: Town, message: dict[str, Any]) -> bool:
    seen = {each["id"]: each["content"] for each in await town.messages(MODERATOR)}
    return seen.get(message["id"]) == cog.LAPSED


async def test_rules_for_a_channel_hold_in_its_threads_and_rules_for_a_role_for_its_members(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await _typed(town, "filter add", rule="qvorzel", channel=str(ART))
        await town.told(MODERATOR, f"Added: qvorzel (in <#{ART}>)")
        await town.invoke(MODERATOR, "filter add", rule="brixtal", role=str(BOOSTERS))
        await town.told(MODERATOR, f"for <@&{BOOSTERS}>")
        channel = await bot.client.fetch_channel(ART)
        assert isinstance(channel, discord.TextChannel)
        thread = await channel.create_thread(name="talk", type=discord.ChannelType.public_thread)

        await town.invoke(ADA, "dream", prompt="a qvorzel", channel=thread.id)
        await town.told(ADA, "does not allow that prompt", channel=thread.id)
        await town.invoke(ADA, "dream", prompt="a qvorzel", channel=ids.ART_ADULTS_ID)
        await town.result(channel=ids.ART_ADULTS_ID)
        await town.invoke(BEN, "dream", prompt="a brixtal")
        await town.told(BEN, "does not allow that prompt")
        await town.invoke(ADA, "dream", prompt="a brixtal")
        await town.result()

        await town.invoke(MODERATOR, "filter test", prompt="a qv0rzel")
        told = await town.told(MODERATOR, "Blocked by the rule qvorzel.")
        for words in ("Matched: qv0rzel", "Place: characters 3 to 9", "Read as: leet", f"Holds only in <#{ART}>"):
            assert words in told["content"]
        await town.invoke(MODERATOR, "filter exempt", role=str(BOOSTERS))
        await town.told(MODERATOR, f"no longer bind members with <@&{BOOSTERS}>")
        await town.invoke(BEN, "dream", prompt="a brixtal")
        await town.result(2)
        await town.invoke(MODERATOR, "filter list")
        listed = await town.told(MODERATOR, "2 rules:")
        assert "qvorzel (in #art)" in listed["content"]
        assert "brixtal (for @Boosters)" in listed["content"]
        assert f"They do not bind <@&{BOOSTERS}>" in listed["content"]
        await town.invoke(MODERATOR, "filter remove", rule="qvorzel", role=str(BOOSTERS))
        await town.told(MODERATOR, "There is no rule “qvorzel” there")
        await _typed(town, "filter remove", rule="qvorzel", channel=str(ART))
        await town.told(MODERATOR, "Removed: qvorzel")


async def test_a_new_rule_counts_at_press_and_at_claim(tmp_path: Path) -> None:
    painter = Painter()
    async with open_both(tmp_path, painter) as (town, bot):
        await town.invoke(ADA, "dream", prompt="a qvorzel")
        result = await town.result()
        painter.hold.clear()
        await town.invoke(ADA, "dream", prompt="first in the line")
        await town.told(ADA, "step 1 of 20")
        await town.invoke(BEN, "dream", prompt="another qvorzel")
        await town.told(BEN, "Number 2 in the line")
        await town.invoke(MODERATOR, "filter add", rule="qvorzel")
        await town.click(MODERATOR, await town.told(MODERATOR, "asked here in the last 30 days"), "Add anyway")
        await town.told(MODERATOR, "Added: qvorzel")

        for button in ("V1", "Again"):
            await town.click(BEN, result, button)
        await town.until(lambda: _refused(town, 2))
        await town.click(BEN, result, "Edit")
        await town.submit(BEN, prompt="q v o r z e l")
        await town.until(lambda: _refused(town, 3))
        painter.hold.set()
        await town.until(lambda: bot.has(posted=2, blocked=1))
        assert [job.request.prompt for job in painter.painted] == ["a qvorzel", "first in the line"]

        await town.invoke(MODERATOR, "filter hits", days=1)
        assert "4 by 1 member: block qvorzel" in (await town.told(MODERATOR, "Rules that were met"))["content"]


async def _refused(town: Town, times: int) -> bool:
    return sum("does not allow that prompt" in each["content"] for each in await town.messages(BEN)) >= times


async def test_rules_travel_as_files(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        text = "walnut # snack\nreview:near:oak, elm\nallow:walnut oil\nre:a#b\n"
        await town.invoke(MODERATOR, "filter import", files={"file": ("rules.txt", text.encode())})
        await town.told(MODERATOR, "Taken in: 4 rules.")
        await town.invoke(MODERATOR, "filter add", rule="brixtal", role=str(BOOSTERS))
        await town.told(MODERATOR, "Added: brixtal")
        await town.invoke(MODERATOR, "filter exempt", role=str(ids.MODERATORS_ROLE_ID))
        await town.told(MODERATOR, "no longer bind")
        before = {*await _entries(bot)}
        assert Entry("near:oak, elm", Decision.REVIEW) in before
        assert Entry("walnut oil", Decision.ALLOW) in before
        await town.invoke(MODERATOR, "filter export")
        exported = await town.told(MODERATOR, "5 rules; /filter import reads this file.")
        document = await _content(town, exported)

        for entry in before:
            await bot.house.studio.rules.remove(ids.GUILD_ID, entry.line, ids.MILO_ID)
        assert not await _entries(bot)
        foreign = json.loads(document)
        foreign["rules"].append({"rule": "lagoon", "channel": "5"})
        again = json.dumps(foreign).encode()
        await town.invoke(MODERATOR, "filter import", files={"file": ("filter.json", again)})
        told = await town.told(MODERATOR, "Taken in: 5 rules.")
        assert "not of this server: 1." in told["content"]
        assert {*await _entries(bot)} == before
        assert bot.house.studio.rules.exempt(ids.GUILD_ID) == {ids.MODERATORS_ROLE_ID}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"walnut\nwal*nut\nre:(\n", "Line 2\\: A star can only stand"),
        (b'{"rules": [{"rule": "walnut"}, {"rule": 5}]}', "Rule 2\\: it must have a “rule”"),
        (b"\xff\xfe", "no UTF-8 text"),
        (b"x" * (cog.FILE_SIZE + 1), "at most 512 KiB"),
        ("\n".join(f"walnut{number}" for number in range(1001)).encode(), "At most 1,000 rules"),
    ],
    ids=["bad line", "bad entry", "not text", "too large", "too many"],
)
async def test_files_in_error_change_nothing(tmp_path: Path, data: bytes, words: str) -> None:
    async with open_both(tmp_path) as (town, bot):
        await town.invoke(MODERATOR, "filter import", files={"file": ("rules.txt", data)})
        told = await town.told(MODERATOR, words)
        assert told["flags"] & EPHEMERAL
        assert not await _entries(bot)


async def test_automod_rules_are_taken_over(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await town.invoke(MODERATOR, "filter automod")
        told = await town.told(MODERATOR, "Taken over from AutoMod: 6 rules.")
        for words in ("?<=the", "RE2 cannot read", "is switched off", "word lists of Discord"):
            assert words in told["content"].replace("\\", "")
        assert {entry.line for entry in await _entries(bot)} == {
            *("finale", "season two*", "*leak*", "re:who\\s+dies", "allow:leakproof", "review:rumour*"),
        }
        await town.invoke(ADA, "dream", prompt="season two's house")
        await town.told(ADA, "does not allow that prompt")


async def test_automod_without_the_right_to_read_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first_roles = people.first_roles

    def invited_only() -> dict[int, people.Role]:
        roles = first_roles()
        own = roles[ids.BOT_ROLE_ID]
        return roles | {own.id: replace(own, permissions=permissions.BOT & ~Permission.MANAGE_GUILD)}

    monkeypatch.setattr("bot.playground.world.first_roles", invited_only)
    async with open_both(tmp_path) as (town, bot):
        await town.invoke(MODERATOR, "filter automod")
        await town.told(MODERATOR, "Give my role the permission “Manage Server”")
        assert not await _entries(bot)


async def test_a_rule_cannot_break_out_of_what_moderators_read(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await bot.house.studio.rules.put(
            ids.GUILD_ID, [Entry("re:```|\\*\\*x"), Entry("walnut", scope=Scope(channel_id=5))], MODERATOR
        )
        await town.invoke(MODERATOR, "filter test", prompt="**x** [a](https://b.example) ```")
        told = await town.told(MODERATOR, "Blocked by the rule")
        assert "```" not in told["content"]
        assert "**x" not in told["content"]
        await town.invoke(MODERATOR, "filter list")
        listed = await town.told(MODERATOR, "2 rules:")
        assert listed["content"].count("```") == 2
        assert "<#5>" in listed["content"]  # a channel that is gone
