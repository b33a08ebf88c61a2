"""The member is told once, however often the errand is taken up."""

from __future__ import annotations

from pathlib import Path

from bot.playground.ids import DM_IDS
from tests.bot.review.test_queue import (
    ERRANDS_UNDONE,
    MODERATOR,
    _idle,
    case_message,
    forgetting,
    withheld,
    withholding,
)
from tests.bot.town import ADA, ART, Bot, Town, open_both

TOLD = "decided that it is not shown here"


async def told_in(town: Town, channel: int) -> int:
    return len([m for m in await town.messages(ADA, channel) if TOLD in m["content"]])


async def decided(town: Town, bot: Bot) -> None:
    await town.click(MODERATOR, await withheld(town), "Delete")
    await case_message(town, words="deleted")
    await town.until(lambda: _idle(bot))


async def test_an_errand_that_is_done_twice_tells_once(tmp_path: Path) -> None:
    async with open_both(tmp_path, withholding(0)) as (town, bot):
        await decided(town, bot)
        assert await told_in(town, ART) == 1
        await forgetting(bot, ERRANDS_UNDONE)
        await town.until(lambda: _idle(bot))
        assert (await told_in(town, ART), await told_in(town, DM_IDS[ADA])) == (1, 0)


async def test_what_is_not_known_to_have_come_through_is_said_in_the_same_message(tmp_path: Path) -> None:
    async with open_both(tmp_path, withholding(0)) as (town, bot):
        await decided(town, bot)
        lost = "UPDATE outbox SET sent_at = NULL WHERE kind LIKE 't%'"
        for _ in range(2):
            await forgetting(bot, lost, ERRANDS_UNDONE)
            await town.until(lambda: _idle(bot))
        assert (await told_in(town, ART), await told_in(town, DM_IDS[ADA])) == (1, 0)
