"""What is said by a token alone, while answers get lost: said once, and no empty line stays beside it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.whisper import COMING
from tests.bot.town import ADA, ART, BEN, Town, open_both
from tests.painter import Painter

CUT = {"kind": "disconnect", "executed": True, "count": 2}
REFUSED = {"kind": "status", "status": 502, "executed": True, "count": 1}  # discord.py asks again by itself


async def _lines(town: Town, person: int = ADA) -> list[str]:
    return [message["content"] for message in await town.messages(person)]


async def _is_tidy(town: Town) -> bool:
    return (await _lines(town, BEN)).count(COMING) <= 1


@pytest.mark.parametrize("fault", [CUT, REFUSED], ids=["cut", "refused"])
async def test_a_lost_answer_leaves_no_empty_line(tmp_path: Path, fault: dict[str, Any]) -> None:
    painter = Painter()
    async with open_both(tmp_path, painter) as (town, _):
        painter.hold.clear()
        await town.invoke(BEN, "dream", prompt="before")
        await town.invoke(ADA, "dream", prompt="whispered")
        ticket = await town.told(ADA, "**whispered**")
        await town._post("say", {"as": str(BEN), "channel_id": str(ART), "content": COMING})
        await town.breaks("delete_message", channel_id=str(ART), message_id=ticket["id"])
        await town.breaks(method="POST", path="/webhooks/**", **fault)
        await town.invoke(ADA, "cancel")
        await town.told(BEN, "Cancelled.\n-# whispered")
        await town.until(lambda: _is_tidy(town))  # an edit may sit out a limit first
        await asyncio.sleep(0.3)

        said = await _lines(town, BEN)
        assert said.count(COMING) == 1, "that of a member, which is not ours"
        assert sum("whispered" in line for line in said) == 1
