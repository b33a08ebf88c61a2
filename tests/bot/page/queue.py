"""A house in which every picture waits for a moderator, with the page before it; for the chapters that decide."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from bot.page.signin import PACE
from bot.playground import ids
from bot.store.audit import Entry
from tests.bot.page.office import HOME, Browser, Office, open_office
from tests.painter import Painter

HARMLESS = "&lt;script&gt;alert"  # how the hostile prompt of the page's tests has to look


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """A house in which every picture waits for a moderator."""
    painter = Painter()
    painter.kept_back = {0}
    async with open_office(tmp_path_factory.mktemp("office"), painter) as opened:
        rules = opened.bot.client.review.rules
        await rules.change(ids.GUILD_ID, ids.OLIVIA_ID, channel=ids.MODS_ID, pause_at=0, ban_at=0)
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def browser(office: Office) -> AsyncIterator[Browser]:
    office.watch.now += PACE.burst * PACE.interval
    async with office.moderator() as signed_in:
        yield signed_in


async def withheld(office: Office, prompt: str, person: int = ids.ADA_ID) -> int:
    """A case about a picture that somebody asked for, once moderators see it in Discord too."""
    before = await office.bot.house.desk.cases.waiting(ids.GUILD_ID)
    await office.town.invoke(person, "dream", prompt=prompt)

    async def queued() -> int | None:
        found = await office.bot.house.desk.cases.open_in(ids.GUILD_ID, 100)
        return found[-1].id if len(found) > before and found[-1].queue is not None else None

    return int(await office.town.until(queued))


async def rule(browser: Browser, case: int, ruling: str, **fields: str) -> str:
    """Send a ruling; what the page says then."""
    answer = await browser.post(f"{HOME}/review/{case}/rule", ruling=ruling, **fields)
    assert answer.status == 303
    return (await browser.get(answer.headers["Location"])).text


async def message_of(office: Office, case: int, words: str) -> dict:
    """The case's message in Discord once it says `words`."""

    async def look() -> dict | None:
        seen = await office.town.messages(ids.MILO_ID, ids.MODS_ID)
        return next((each for each in seen if f"**Case {case}**" in each["content"] and words in each["content"]), None)

    return dict(await office.town.until(look))


async def last_entry(office: Office) -> Entry:
    return replace((await office.bot.house.desk.audit.entries(ids.GUILD_ID, limit=1))[0], at=0.0)
