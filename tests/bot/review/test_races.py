"""A picture that is taken out of a set at the very moment in which moderators or its author take it back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bot.playground.ids import CLEO_ID, DANA_ID
from bot.review.case import Ruling
from bot.review.rules import ReviewRules
from bot.review.words import HIDDEN
from bot.store.cases import Decision
from generation.job import JobState
from tests.bot.review.test_queue import OWNER, watched
from tests.bot.review.test_reports import the_message
from tests.bot.town import ADA, ART, BEN, Bot, Town, open_both

Meanwhile = Callable[[Bot, str], Awaitable[None]]


async def reported_twice(bot: Bot, job_id: str) -> None:
    commission = await bot.house.desk.jobs.get(job_id)
    assert commission is not None
    for person in (CLEO_ID, DANA_ID):
        await bot.client.review.reporting.report(
            commission, reporter_id=person, channel_id=ART, message_id=1, reason=""
        )


async def removed(bot: Bot, job_id: str) -> None:
    await bot.house.desk.withdrawals.withdraw(job_id)


async def put_behind_a_spoiler(bot: Bot, job_id: str) -> None:
    await reported_twice(bot, job_id)
    await bot.house.desk.cases.rule(1, Decision(ruling=Ruling.SPOILER, by=OWNER), ReviewRules())


async def forgotten(bot: Bot, job_id: str) -> None:
    async with bot.house.desk.cases._database.write() as connection:
        for table in ("outbox", "pictures", "jobs"):
            await connection.execute(text(f"DELETE FROM {table}"))


@pytest.mark.parametrize(
    ("meanwhile", "words"),
    [
        (reported_twice, HIDDEN),
        (removed, "I took it back"),
        (put_behind_a_spoiler, "I took it back"),
        (forgotten, "I took it back"),
    ],
)
async def test_what_changes_while_a_picture_is_on_its_way_takes_it_back(
    tmp_path: Path, meanwhile: Meanwhile, words: str
) -> None:
    async with open_both(tmp_path) as (town, bot):
        await watched(town)
        await town.invoke(ADA, "dream", prompt="odd", count=2)
        result = await town.result()
        await town.until(lambda: bot.has(posted=1))
        [commission] = await bot.house.desk.jobs.in_state(JobState.POSTED)
        courier = bot.client.courier
        sending = courier.rewrite

        async def slowly(*args: Any, **kwargs: Any) -> Any:
            sent = await sending(*args, **kwargs)
            await meanwhile(bot, commission.id)
            return sent

        courier.rewrite = slowly  # type: ignore[method-assign]
        await town.click(BEN, result, "U2")
        await town.told(BEN, words)
        assert await town.until(lambda: _no_single(town))
        if meanwhile is reported_twice:
            await the_message(town, result["id"], 0)


async def _no_single(town: Town) -> bool:
    return not [m for m in await town.messages(BEN) if m["attachments"] and "Picture 2" in m["content"]]
