"""Reports in the local Discord: by button and by menu, what hides a picture, and what brings it back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bot.courier import Parcel
from bot.outcome import Outcome
from bot.playground.ids import ADA_ID, ART_ID, BEN_ID, CLEO_ID, DANA_ID, DM_IDS, GUILD_ID, MODS_ID, OLIVIA_ID
from bot.review.showing import once_more
from bot.review.words import HIDDEN
from generation.safety.level import Level
from tests.bot.review.test_queue import MODERATOR, MODS, case_message, watched
from tests.bot.town import EPHEMERAL, Bot, Town, labels, open_both
from tests.gated import GatedPainter, Scripted
from tests.painter import Painter

ADA, BEN, CLEO, DANA, OWNER, ART = ADA_ID, BEN_ID, CLEO_ID, DANA_ID, OLIVIA_ID, ART_ID
MENU = "Report picture"


async def by_menu(town: Town, person: int, message: dict[str, Any], channel: int = ART) -> None:
    wish = {"as": str(person), "channel_id": str(channel), "command": MENU, "target_id": message["id"]}
    await town._post("invoke", {**wish, "options": {}, "files": {}})


async def by_button(town: Town, person: int, message: dict[str, Any], reason: str = "") -> None:
    await town.click(person, message, "Report")
    await town.submit(person, reason=reason)


async def the_message(town: Town, message_id: str, files: int, person: int = ADA, channel: int = ART) -> dict[str, Any]:
    """The message once it has so many files."""

    async def look() -> dict[str, Any] | None:
        found = [m for m in await town.messages(person, channel) if m["id"] == message_id]
        return found[0] if found and len(found[0]["attachments"]) == files else None

    found: dict[str, Any] = await town.until(look)
    return found


async def hidden(town: Town, **options: Any) -> dict[str, Any]:
    """A result of Ada's that two members have reported."""
    await watched(town)
    await town.invoke(ADA, "dream", prompt="odd", **options)
    result = await town.result()
    await by_button(town, BEN, result, "It looks *wrong*")
    await town.told(BEN, "The report is kept for the moderators")
    await by_menu(town, CLEO, result)
    await town.told(CLEO, "The picture is hidden now")
    return result


async def test_one_report_opens_a_case_and_a_second_hides_the_picture(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await watched(town)
        await town.invoke(ADA, "dream", prompt="odd")
        result = await town.result()
        await by_button(town, BEN, result, "It looks *wrong*")
        case = await case_message(town, words="Reported by 1 member")
        assert "It looks \\*wrong\\*" in case["content"]
        assert str(BEN) not in case["content"]
        assert case["attachments"][0]["filename"].startswith("SPOILER_")
        assert (await the_message(town, result["id"], 1))["components"]
        await by_menu(town, BEN, result)
        await town.told(BEN, "You have reported this picture already")

        await by_menu(town, CLEO, result)
        assert (await town.told(CLEO, "The picture is hidden now"))["flags"] & EPHEMERAL
        covered = await the_message(town, result["id"], 0)
        assert covered["content"] == HIDDEN
        assert covered["components"] == []
        case = await case_message(town, words="Reported by 2 members, hidden")
        assert labels(case) == ["Approve", "Spoiler", "Delete", "Warn", "Time out"]
        assert len(case["attachments"]) == 1
        assert await bot.house.desk.strikes.of(GUILD_ID, ADA) == []


async def test_approving_puts_the_picture_back_as_it_was(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, _):
        result = await hidden(town)
        await the_message(town, result["id"], 0)
        await town.click(MODERATOR, await case_message(town), "Approve")
        back = await the_message(town, result["id"], 1)
        assert back["content"] == result["content"]
        assert labels(back) == labels(result)
        assert back["attachments"][0]["filename"] == result["attachments"][0]["filename"]

        await by_menu(town, BEN, back)  # the same message counts once for ever
        await town.told(BEN, "You have reported this picture already")
        await by_menu(town, DANA, back)
        await case_message(town, 2, words="Reported by 1 member")
        assert (await the_message(town, result["id"], 1))["components"]


async def test_a_set_and_what_was_taken_out_of_it_go_together(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await watched(town)
        await town.invoke(ADA, "dream", prompt="odd", count=2)
        result = await town.result()
        await town.click(BEN, result, "U2")
        single = await town.told(BEN, "Picture 2")
        await asyncio.gather(by_menu(town, BEN, single), by_menu(town, CLEO, result))
        await the_message(town, single["id"], 0)
        await the_message(town, result["id"], 0)
        await town.click(MODERATOR, await case_message(town, words="2 members"), "Spoiler")
        for message in (single, result):
            back = await the_message(town, message["id"], 1)
            assert back["attachments"][0]["filename"].startswith("SPOILER_")
            assert back["content"] == message["content"]
        await town.click(CLEO, result, "U1")
        assert (await town.told(CLEO, "Picture 1 "))["attachments"][0]["filename"].startswith("SPOILER_")
        job_id = (await bot.house.desk.cases.get(1)).job_id
        await town.until(
            lambda: bot.house.desk.outbox.message_of(job_id, "single0")
        )  # the press is answered to its end


async def test_deleting_takes_every_message_and_an_appeal_brings_the_picture_back(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        result = await hidden(town)
        await town.click(MODERATOR, await case_message(town, words="2 members"), "Delete")
        told = await town.told(ADA, "decided that it is not shown here")
        assert result["id"] not in [m["id"] for m in await town.messages(ADA)]
        job_id = (await bot.house.desk.cases.get(1)).job_id
        assert await bot.house.desk.pictures.load(job_id, 0) is None

        await town.click(ADA, told, "Appeal")
        await town.submit(ADA, words="It is harmless")
        appeal = await case_message(town, words="**appeal**")
        assert len(appeal["attachments"]) == 1  # others can see what they decide about
        await town.click(OWNER, appeal, "Overturn")
        back = await town.result()
        assert back["content"] == result["content"]
        assert labels(back) == labels(result)


async def test_what_the_channel_does_not_show_any_more_is_not_brought_back(tmp_path: Path) -> None:
    async with open_both(tmp_path, GatedPainter(Scripted(always=Level.LOW))) as (town, bot):
        policies = bot.house.studio.policies
        await policies.change(GUILD_ID, {"level": Level.LOW}, MODERATOR)
        await hidden(town)
        await town.click(MODERATOR, await case_message(town, words="2 members"), "Delete")
        told = await town.told(ADA, "decided that it is not shown here")
        await policies.change(GUILD_ID, {"level": None}, MODERATOR)
        await town.click(ADA, told, "Appeal")
        await town.submit(ADA, words="It is harmless")
        await town.click(OWNER, await case_message(town, words="**appeal**"), "Overturn")
        await case_message(town, words="does not show pictures of this level")
        assert [message for message in await town.messages(ADA) if message["attachments"]] == []


async def test_only_our_own_pictures_can_be_reported(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        said = await town._post("say", {"as": str(ADA), "channel_id": str(ART), "content": "hello"})
        await by_menu(town, BEN, said)
        assert (await town.told(BEN, "That is not a picture of mine"))["flags"] & EPHEMERAL
        assert await bot.house.desk.cases.open_in(GUILD_ID, 5) == []


async def test_direct_messages_go_to_the_owners_channel(tmp_path: Path) -> None:
    async with open_both(tmp_path, moderation={"owner_channel": MODS_ID, "report_threshold": 1}) as (town, bot):
        home = DM_IDS[ADA]
        await town.invoke(ADA, "dream", channel=home, prompt="odd")
        result = await town.result(channel=home)
        await by_menu(town, ADA, result, home)
        await the_message(town, result["id"], 0, channel=home)
        case = await case_message(town, words="Reported by 1 member, hidden")
        await town.click(MODERATOR, case, "Time out")
        await town.submit(MODERATOR, reason="no")
        assert "no server here" in (await case_message(town, words="no server"))["content"]
        told = await town.told(ADA, "gave you a warning", home)
        assert labels(told) == ["Appeal"]
        assert len(await bot.house.desk.strikes.of(None, ADA)) == 1


async def test_cases_without_a_place_wait(tmp_path: Path) -> None:
    painter = Painter()
    painter.kept_back = {0}
    async with open_both(tmp_path, painter) as (town, bot):
        home = DM_IDS[ADA]
        await town.invoke(ADA, "dream", channel=home, prompt="odd")
        await town.told(ADA, "A moderator will look at it", home)
        assert await _open_without_message(bot)
        await watched(town)
        await town.invoke(MODERATOR, "review open", channel=MODS, case=1)
        await town.told(MODERATOR, "belongs to another server", MODS)


async def _open_without_message(bot: Bot) -> bool:
    (case,) = await bot.house.desk.cases.open_in(None, 5)
    return case.open and case.queue is None


async def test_an_old_picture_whose_words_are_gone_can_be_reported_by_menu(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await watched(town)
        await town.invoke(ADA, "dream", prompt="odd")
        result = await town.result()
        await _sql(bot, "UPDATE jobs SET erased_at = 1.0")
        await by_menu(town, BEN, result)
        assert "Thank you" in (await town.told(BEN, "The report is kept"))["content"]
        await case_message(town, words="Reported by 1 member")


async def test_a_report_by_menu_does_not_prolong_the_authors_words(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await watched(town)
        await town.invoke(ADA, "dream", prompt="odd")
        result = await town.result()
        await town.until(lambda: bot.has(posted=1))
        await _sql(bot, "UPDATE jobs SET ended_at = ended_at - 200000")
        await by_menu(town, BEN, result)
        await case_message(town, words="Reported by 1 member")
        async with bot.house.desk.cases._database.read() as connection:
            assert (await connection.execute(text("SELECT used_at FROM jobs"))).scalar_one() is None


async def _sql(bot: Bot, statement: str) -> None:
    async with bot.house.desk.cases._database.write() as connection:
        await connection.execute(text(statement))


async def test_a_picture_that_is_removed_twice_comes_back_twice(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, _):
        shown = await hidden(town)
        for number, people in ((1, ()), (2, (BEN, CLEO))):
            for person in people:
                await by_menu(town, person, shown)
            await the_message(town, shown["id"], 0)
            case = await case_message(town, number, words="2 members")
            await town.click(MODERATOR, case, "Delete")
            told = await town.until(lambda number=number: _told(town, number))
            await town.click(ADA, told, "Appeal")
            await town.submit(ADA, words="It is harmless")
            await town.click(OWNER, await case_message(town, number, words="**appeal**"), "Overturn")
            shown = await town.result()
            assert len(shown["attachments"]) == 1


async def _told(town: Town, number: int) -> dict[str, Any] | None:
    found = [m for m in await town.messages(ADA) if "decided that it is not shown here" in m["content"]]
    return found[-1] if len(found) == number else None


@pytest.mark.parametrize("number", [0, 1, 35, 36, 2**31 - 1])
def test_what_is_posted_again_has_a_name_and_a_nonce_that_fit(number: int) -> None:
    named = set()
    for kind in ("result", "page0", "page3"):
        first = Outcome(kind=kind, nonce="", parcel=Parcel(text=""), quiet_text="", mark=None)
        again = once_more(number, first)
        assert len(again.kind) <= 10
        assert len(again.nonce) <= 25
        assert int(again.kind[1:-1], 36) == number
        named.add((again.kind, again.nonce))
    assert len(named) == 3
