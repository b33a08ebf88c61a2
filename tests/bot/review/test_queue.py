"""The review queue in the local Discord: what moderators see and press, and what becomes of the picture."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bot.playground.ids import ADA_ID, BOOSTERS_ROLE_ID, DM_IDS, GUILD_ID, MILO_ID, MODS_ID, OLIVIA_ID
from bot.review.case import Ruling
from bot.review.rules import ReviewRules
from bot.store.cases import Decision
from bot.store.outbox import Outbox
from tests.bot.town import ADA, ART, BEN, EPHEMERAL, Bot, Town, labels, open_bot, open_both, open_town
from tests.painter import Painter

MODERATOR, OWNER, MODS = MILO_ID, OLIVIA_ID, MODS_ID
FIRST = ["Approve", "Spoiler", "Delete", "Warn", "Time out"]


def withholding(*places: int) -> Painter:
    painter = Painter()
    painter.kept_back = set(places)
    return painter


async def case_message(town: Town, number: int = 1, words: str = "") -> dict[str, Any]:
    """The message of a case in the moderators' channel, once it says `words`."""

    async def look() -> dict[str, Any] | None:
        found = [m for m in await town.messages(MODERATOR, MODS) if m["content"].startswith(f"**Case {number}**")]
        return found[-1] if found and words in found[-1]["content"] else None

    found: dict[str, Any] = await town.until(look)
    return found


async def watched(town: Town) -> None:
    """A review channel."""
    wish = {"as": str(MODERATOR), "channel_id": str(MODS), "command": "review channel"}
    await town._post("invoke", {**wish, "options": {"channel": str(MODS)}, "files": {}})
    await town.told(MODERATOR, "Cases are shown in", MODS)


async def withheld(town: Town, **options: Any) -> dict[str, Any]:
    """A picture of Ada's that waits in the queue."""
    await watched(town)
    await town.invoke(ADA, "dream", prompt="a *red* tree", **options)
    return await case_message(town)


async def pictures_of(town: Town, person: int = ADA, channel: int = ART) -> list[dict[str, Any]]:
    return [m for m in await town.messages(person, channel) if m["attachments"] and not m["flags"] & EPHEMERAL]


async def test_a_withheld_picture_is_approved_and_posted_once(tmp_path: Path) -> None:
    async with open_both(tmp_path, withholding(0)) as (town, _):
        case = await withheld(town)
        assert "a \\*red\\* tree" in case["content"]
        assert "test checker\\: 0.97" in case["content"]
        assert "none so far" in case["content"]
        assert case["attachments"][0]["filename"].startswith("SPOILER_")
        assert case["attachments"][0]["width"] == 8  # the blurred likeness, not the picture
        assert labels(case) == FIRST
        notice = await town.told(ADA, "A moderator will look at it")
        assert notice["flags"] & EPHEMERAL
        assert await pictures_of(town) == []

        await asyncio.gather(*(town.click(MODERATOR, case, "Approve") for _ in range(4)))
        shown = await town.result()
        assert [user["id"] for user in shown["mentions"]] == [str(ADA)]
        assert shown["attachments"][0]["width"] == 48
        assert "let it through" in shown["content"]
        assert labels(shown) == ["V1", "Again", "Edit", "Recipe", "Delete", "Report"]
        decided = await case_message(town, words=f"**Decided** by <@{MODERATOR}>: approved")
        assert labels(decided) == []
        assert decided["attachments"] == []
        assert len(await pictures_of(town)) == 1

        await town.click(BEN, shown, "Recipe")
        assert f"moderator {MODERATOR}, case 1" in (await town.told(BEN, "```"))["content"]


async def test_one_of_a_set_joins_behind_a_spoiler(tmp_path: Path) -> None:
    async with open_both(tmp_path, withholding(2)) as (town, _):
        case = await withheld(town, count=4)
        assert "Picture 3, level high" in case["content"]
        result = await town.result()
        assert "1 of 4 is not shown" in result["content"]
        await town.click(MODERATOR, case, "Spoiler")
        shown = await town.result(2)
        assert shown["attachments"][0]["filename"].startswith("SPOILER_")
        assert "Picture 3" in shown["content"]
        assert labels(shown)[0] == "V3"


async def test_deleting_forgets_the_bytes_and_tells_the_member(tmp_path: Path) -> None:
    async with open_both(tmp_path, withholding(0)) as (town, _):
        case = await withheld(town)
        held = tmp_path / "house" / "held"
        assert [path for path in held.rglob("*") if path.is_file()]
        await town.click(MODERATOR, case, "Delete")
        told = await town.told(ADA, "decided that it is not shown here")
        assert told["flags"] & EPHEMERAL
        assert labels(told) == ["Appeal"]
        await case_message(town, words="deleted")
        assert [path for path in held.rglob("*") if path.is_file()] == []
        assert await pictures_of(town) == []


async def test_only_moderators_decide_and_the_second_is_told_who_was_first(tmp_path: Path) -> None:
    async with open_both(tmp_path, withholding(0)) as (town, bot):
        await watched(town)
        await bot.client.review.rules.change(GUILD_ID, MODERATOR, channel=ART)  # badly chosen: everybody sees it
        await town.invoke(ADA, "dream", prompt="a tree")
        case = await town.told(BEN, "**Case 1**")
        await town.click(BEN, case, "Approve")
        assert (await town.told(BEN, "Only moderators"))["flags"] & EPHEMERAL
        await town.click(BEN, case, "Warn")
        await town.until(lambda: _told_twice(town))
        assert (await bot.house.desk.cases.get(1)).open

        await town.click(MODERATOR, case, "Warn")
        await town.until(lambda: town.forms(MODERATOR))
        await town.click(OWNER, case, "Delete")
        await town.told(OWNER, "**Decided** by")
        await town.submit(MODERATOR, reason="rude")
        assert f"<@{OWNER}> has decided case 1 already" in (await town.told(MODERATOR, "already"))["content"]
        assert await bot.house.desk.strikes.of(GUILD_ID, ADA) == []


async def _told_twice(town: Town) -> bool:
    return len([m for m in await town.messages(BEN) if "Only moderators" in m["content"]]) == 2


async def test_a_warning_pauses_painting_and_another_moderator_grants_the_appeal(tmp_path: Path) -> None:
    painter = withholding(0)
    async with open_both(tmp_path, painter, moderation={"pause_at": 1}) as (town, bot):
        case = await withheld(town)
        await town.click(MODERATOR, case, "Warn")
        await town.submit(MODERATOR, reason="That was *rude*")
        told = await town.told(ADA, "gave you a warning")
        assert "That was \\*rude\\*" in told["content"]
        assert "You cannot paint here until <t:" in told["content"]
        await town.invoke(ADA, "dream", prompt="another")
        refused = await town.told(ADA, "You cannot paint here until")
        assert refused["flags"] & EPHEMERAL
        assert bot.house.painter.painted[-1].request.prompt == "a *red* tree"

        await town.click(ADA, told, "Appeal")
        await town.submit(ADA, words="It is a tomato")
        await town.told(ADA, "Somebody other than the moderator who decided")
        appeal = await case_message(town, words="**appeal**")
        assert "It is a tomato" in appeal["content"]
        assert labels(appeal) == ["Keep the decision", "Overturn"]
        await town.click(ADA, told, "Appeal")
        assert (await town.told(ADA, "You have appealed already"))["flags"] & EPHEMERAL

        await town.click(MODERATOR, appeal, "Overturn")
        await town.told(MODERATOR, "You made the decision that is appealed", MODS)
        assert (await bot.house.desk.cases.get(1)).open
        await town.click(OWNER, appeal, "Overturn")
        shown = await town.result()
        assert shown["attachments"][0]["width"] == 48
        await town.told(ADA, "you were right")
        painter.kept_back = set()
        await town.invoke(ADA, "dream", prompt="another")
        await town.result(2)
        assert "granted" in (await case_message(town, words="granted"))["content"]


async def test_discord_times_out_whom_it_lets_the_bot_time_out(tmp_path: Path) -> None:
    async with open_both(tmp_path, withholding(0)) as (town, bot):
        case = await withheld(town)
        await town.click(MODERATOR, case, "Time out")
        await town.submit(MODERATOR, reason="", hours="2")
        decided = await case_message(town, words="time-out")
        assert "did not let me" not in decided["content"]
        asked = [r for r in await town.requests() if r["method"] == "PATCH" and f"/members/{ADA}" in r["path"]]
        assert [request["status"] for request in asked] == [200]
        assert "2 hours" in (await town.told(ADA, "gave you a warning"))["content"]

        await town.passes(2 * 3600)
        await town.invoke(MODERATOR, "dream", prompt="my own")  # a role above the bot's: Discord refuses
        second = await case_message(town, 2)
        await town.click(OWNER, second, "Time out")
        await town.submit(OWNER, hours="999")
        assert (await town.told(OWNER, "at most 672 hours", MODS))["flags"] & EPHEMERAL
        await town.click(OWNER, second, "Time out")
        await town.submit(OWNER)
        assert "The warning stands" in (await case_message(town, 2, words="did not let me"))["content"]
        assert len(await bot.house.desk.strikes.of(GUILD_ID, MODERATOR)) == 1


async def test_a_crash_before_the_queue_message_posts_it_once_after_the_restart(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        async with open_bot(town, tmp_path, withholding(0)) as bot:
            await watched(town)
            bot.client.review.runner._closing.set()  # what follows the commit never happens
            await town.invoke(ADA, "dream", prompt="a tree")
            await town.until(lambda: bot.house.desk.errands.waiting())
            assert await _cases(town) == 0
        async with open_bot(town, tmp_path):
            case = await case_message(town)
            await town.click(MODERATOR, case, "Approve")
            await town.result()
            await case_message(town, words="approved")
            assert await _cases(town) == 1


async def test_a_case_that_was_not_even_opened_is_opened_at_the_next_start(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        async with open_bot(town, tmp_path, withholding(0)) as bot:
            await watched(town)
            bot.house.studio.listeners.settled.remove(bot.client.review.settled)
            await town.invoke(ADA, "dream", prompt="a tree")
            await town.told(ADA, "kept this picture back")
            assert await bot.house.desk.errands.waiting() == []
        async with open_bot(town, tmp_path):
            assert labels(await case_message(town)) == FIRST


async def forgetting(bot: Bot, *statements: str) -> None:
    """What a crash between an answer of Discord and the commit that notes it leaves behind."""
    async with bot.house.desk.cases._database.write() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await bot.client.review.recover()


ERRANDS_UNDONE = "UPDATE errands SET done_at = NULL, begun = 1"
UNQUEUED = "UPDATE cases SET queue_message_id = NULL, queue_channel_id = NULL"


async def test_an_answer_that_got_lost_does_not_post_a_case_twice(tmp_path: Path) -> None:
    async with open_both(tmp_path, withholding(0)) as (town, bot):
        case = await withheld(town)
        await town.until(lambda: _queued(bot, int(case["id"])))
        await town.passes(3600)  # the nonce has long been forgotten
        await forgetting(bot, UNQUEUED, ERRANDS_UNDONE)
        await town.until(lambda: _queued(bot, int(case["id"])))
        assert await _cases(town) == 1


async def test_errands_that_are_done_twice_post_and_tell_once(tmp_path: Path) -> None:
    async with open_both(tmp_path, withholding(0, 1)) as (town, bot):
        case = await withheld(town, count=2)
        other = await case_message(town, 2)
        await town.passes(16 * 60)  # the member is told directly now, which can be found again
        await town.click(MODERATOR, case, "Approve")
        await town.click(MODERATOR, other, "Delete")
        await town.result()
        home = DM_IDS[ADA]
        await town.told(ADA, "decided that it is not shown", home)
        await town.until(lambda: _idle(bot))
        await town.passes(3600)
        before = len(await pictures_of(town)), len(await town.messages(ADA, home)), await _cases(town)
        await forgetting(bot, ERRANDS_UNDONE, "UPDATE outbox SET message_id = NULL WHERE kind = 'shown0'")
        await town.until(lambda: _idle(bot))
        assert (len(await pictures_of(town)), len(await town.messages(ADA, home)), await _cases(town)) == before


async def test_an_outage_delays_a_case_and_doubles_nothing(tmp_path: Path) -> None:
    async with open_both(tmp_path, withholding(0)) as (town, bot):
        await watched(town)
        path = f"/channels/{MODS}/messages"
        await town.breaks("disconnect", method="POST", path=path, count=2, executed=True)
        await town.invoke(ADA, "dream", prompt="a tree")
        case = await case_message(town)
        await town.until(lambda: _idle(bot))
        await town.breaks("disconnect", method="PATCH", path=f"{path}/*", count=2)
        await town.click(MODERATOR, case, "Approve")
        await case_message(town, words="approved")
        await town.result()
        await town.until(lambda: _idle(bot))
        assert len(await pictures_of(town)) == 1
        assert await _cases(town) == 1


async def test_a_case_decided_elsewhere_before_its_message_was_known_loses_its_buttons(tmp_path: Path) -> None:
    async with open_both(tmp_path, withholding(0)) as (town, bot):
        case = await withheld(town)
        await town.until(lambda: _queued(bot, int(case["id"])))
        await town.until(lambda: _idle(bot))
        decision = Decision(ruling=Ruling.APPROVE, by=OWNER)
        await bot.house.desk.cases.rule(1, decision, ReviewRules())
        await forgetting(bot, UNQUEUED, "UPDATE errands SET done_at = NULL, begun = 1 WHERE task = 'queue'")
        decided = await case_message(town, words=f"**Decided** by <@{OWNER}>")
        assert labels(decided) == []


async def test_a_private_picture_stays_private(tmp_path: Path) -> None:
    async with open_both(tmp_path, withholding(0)) as (town, _):
        case = await withheld(town, private=True)
        await town.passes(16 * 60)
        await town.click(MODERATOR, case, "Approve")
        home = DM_IDS[ADA]
        shown = await town.result(channel=home)
        assert await pictures_of(town) == []
        await town.click(ADA, shown, "Recipe")
        await town.told(ADA, "```", home)


async def test_who_presses_before_the_sending_is_written_down_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, pressed = Outbox.sent, asyncio.Event()

    async def late(self: Outbox, job_id: str, kind: str, channel_id: int, message_id: int) -> bool:
        if kind == "shown0":
            await pressed.wait()
        return await honest(self, job_id, kind, channel_id, message_id)

    monkeypatch.setattr(Outbox, "sent", late)
    async with open_both(tmp_path, withholding(0)) as (town, _):
        case = await withheld(town, private=True)
        await town.passes(16 * 60)
        await town.click(MODERATOR, case, "Approve")
        shown = await town.result(channel=DM_IDS[ADA])
        await town.click(ADA, shown, "Recipe")
        asyncio.get_running_loop().call_later(0.5, pressed.set)
        assert "red" in (await town.told(ADA, "```", DM_IDS[ADA]))["content"]


async def _cases(town: Town) -> int:
    return len([m for m in await town.messages(MODERATOR, MODS) if m["content"].startswith("**Case")])


async def _idle(bot: Bot) -> bool:
    return await bot.house.desk.errands.waiting() == []


async def _queued(bot: Bot, message_id: int) -> bool:
    case = await bot.house.desk.cases.get(1)
    return case.queue is not None and case.queue[1] == message_id


async def test_without_a_channel_nothing_is_lost(tmp_path: Path) -> None:
    async with open_both(tmp_path, withholding(0)) as (town, _):
        await town.invoke(ADA, "dream", prompt="a tree")
        await town.told(ADA, "A moderator will look at it")
        await town.invoke(MODERATOR, "review list")
        assert "There is no review channel yet" in (await town.told(MODERATOR, "**1** withheld"))["content"]
        await town.invoke(MODERATOR, "review open", case=1)
        shown = await town.told(MODERATOR, "**Case 1**")
        assert shown["flags"] & EPHEMERAL
        assert labels(shown) == FIRST
        await watched(town)
        assert labels(await case_message(town)) == FIRST
        await town.click(MODERATOR, shown, "Approve")
        await town.result()
        await town.told(MODERATOR, "**Decided** by")
        await case_message(town, words="approved")


async def test_who_cannot_be_told_where_they_asked_is_told_directly(tmp_path: Path) -> None:
    async with open_both(tmp_path, withholding(0)) as (town, _):
        case = await withheld(town)
        await town.passes(16 * 60)
        await town.click(MODERATOR, case, "Delete")
        told = await town.told(ADA, "decided that it is not shown", DM_IDS[ADA_ID])
        assert labels(told) == ["Appeal"]
        await town.click(ADA, told, "Appeal")
        await town.submit(ADA, words="please")
        await case_message(town, words="**appeal**")


async def test_a_closed_door_leads_to_a_hint_that_only_its_member_opens(tmp_path: Path) -> None:
    async with open_both(tmp_path, withholding(0)) as (town, _):
        case = await withheld(town)
        await town.passes(16 * 60)
        await town.breaks("status", path="/users/@me/channels", status=403)
        await town.click(MODERATOR, case, "Delete")
        hint = await town.told(ADA, "A moderator has decided about one of your pictures")
        assert "tree" not in hint["content"]
        await town.click(BEN, hint, "See what happened")
        await town.told(BEN, "Only the person whose picture")
        await town.click(ADA, hint, "See what happened")
        told = await town.told(ADA, "decided that it is not shown here")
        assert told["flags"] & EPHEMERAL
        assert labels(told) == ["Appeal"]


async def test_an_appeal_in_vain_is_told_and_forgets_the_bytes(tmp_path: Path) -> None:
    async with open_both(tmp_path, withholding(0)) as (town, bot):
        case = await withheld(town)
        await town.click(MODERATOR, case, "Warn")
        await town.submit(MODERATOR)
        told = await town.told(ADA, "gave you a warning")
        await town.click(ADA, told, "Appeal")
        await town.submit(ADA, words="please")
        appeal = await case_message(town, words="**appeal**")
        await town.click(OWNER, appeal, "Keep the decision")
        await town.told(ADA, "keeps the decision")
        await case_message(town, words="decision kept")
        assert not (await bot.house.desk.pictures.of((await bot.house.desk.cases.get(1)).job_id))[0].held


async def test_a_role_can_be_trusted_with_reviews(tmp_path: Path) -> None:
    async with open_both(tmp_path, withholding(0)) as (town, bot):
        await bot.client.review.rules.change(GUILD_ID, MODERATOR, channel=ART)
        await town.invoke(ADA, "dream", prompt="a red tree")
        case = await town.told(BEN, "**Case 1**")
        await town.click(BEN, case, "Approve")
        await town.told(BEN, "Only moderators")
        await town.invoke(MODERATOR, "review rules", reviewers=str(BOOSTERS_ROLE_ID))
        await town.told(MODERATOR, f"and members with <@&{BOOSTERS_ROLE_ID}>")
        await town.click(BEN, case, "Approve")
        assert "let it through" in (await town.result())["content"]
