"""No word of a prompt, and no key of Discord's, is in a log above debug."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

from bot.playground.ids import MILO_ID
from bot.privacy.sweeper import Sweeper
from bot.sections import Privacy
from generation.errors import OutOfMemory
from tests.bot.town import ADA, BEN, open_bot, open_both, open_town
from tests.painter import Painter

WORDS = ("Quetzalwort", "Ümlaut-Zebra", "moonlit %s %(name)s {prompt}", "a\nb Sesquipedalia", "🦄unicornish")
SECRET = re.compile(
    "quetzalwort|zebra|moonlit|sesquipedalia|unicornish|nobodyreads|reasonable|forbiddenish", re.IGNORECASE
)


async def test_a_whole_day_of_a_bot_leaves_no_words_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    painter = Painter()
    limits = {"member": {"burst": 1000, "per_hour": 1000, "daily": 10_000, "waiting": 1}}
    async with open_both(tmp_path, painter, limits=limits, licences={"starter": "openrail-m"}) as (town, bot):
        number = 0
        for words in WORDS:
            await town.invoke(ADA, "dream", prompt=words, negative="nobodyreads")
            if number == 0:
                await town.click(ADA, await town.told(ADA, "One thing before"), "I agree")
            number += 1
            result = await town.result(number)
        painter.faults.append(OutOfMemory())
        await town.invoke(ADA, "dream", prompt=WORDS[0])
        await town.told(ADA, "too large for the machine")
        await town.invoke(MILO_ID, "filter add", rule="forbiddenish")
        await town.told(MILO_ID, "Added")
        await town.invoke(ADA, "dream", prompt="a forbiddenish Quetzalwort")
        await town.told(ADA, "filter does not allow")
        await town.click(ADA, result, "Again")
        await town.result(number + 1)
        await town.click(BEN, result, "Report")
        await town.submit(BEN, reason="reasonable Quetzalwort")
        await town.told(BEN, "Thank you. The report")
        painter.hold.clear()
        await town.invoke(ADA, "dream", prompt=WORDS[0])
        await town.invoke(ADA, "dream", prompt=WORDS[1])
        await town.told(ADA, "You already have 1 request")
        await town.breaks("status", method="POST", path="/messages", status=503, count=2)
        await town.breaks("expire_tokens")
        painter.hold.set()
        await town.result(number + 2)
        await town.invoke(ADA, "privacy export")
        await town.told(ADA, "Here is what is kept")
        folder = bot.house.studio.config.data_dir
        await Sweeper(bot.house.desk.jobs._database, folder, Privacy(), lambda: 9e9, pause=0.0).sweep()
        await town.invoke(ADA, "privacy delete")
        asked = await town.told(ADA, "Delete everything that is kept")
        await town.click(ADA, asked, "Delete my data")
        await town.told(ADA, "Done:")

    ours = [record for record in caplog.records if record.name.startswith(("bot", "cogs", "generation"))]
    assert len(ours) > 10, "the bot has said what it does"
    for record in caplog.records:
        text = logging.Formatter().format(record)
        assert not SECRET.search(text), text
        assert "interaction-token" not in text
        assert not re.search(r"/webhooks/\d+/[\w.-]{20,}", text), text


async def test_a_fault_of_ours_tells_the_log_its_place_and_not_the_words(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with open_town(tmp_path) as town, open_bot(town, tmp_path) as bot:

        async def broken(*_: object, **__: object) -> None:
            raise RuntimeError("a fault")

        bot.house.studio._jobs.admit = broken  # type: ignore[method-assign, assignment]
        await town.invoke(ADA, "dream", prompt=WORDS[0])
        await town.told(ADA, "went wrong on our side")
    assert "a fault" in caplog.text
    assert not SECRET.search(caplog.text)
