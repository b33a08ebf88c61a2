"""The watch over the event loop, with a loop that is really blocked."""

from __future__ import annotations

import asyncio
import logging
import time

import pytest

from bot.pulse import Pulse


def hold_up_everybody(seconds: float) -> None:
    time.sleep(seconds)


async def test_a_blocked_loop_is_told_once_with_the_place_where_it_stands(caplog: pytest.LogCaptureFixture) -> None:
    lags: list[float] = []
    async with Pulse(lags.append, blocked=0.3) as pulse:
        await asyncio.sleep(0.1)
        hold_up_everybody(1.2)
        await asyncio.sleep(0.1)

        assert pulse.alarms == 1
        assert max(lags) == pulse.worst > 0.9
    alarms = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(alarms) == 1
    assert "in hold_up_everybody" in alarms[0].getMessage()


async def test_a_loop_that_waits_is_not_blocked() -> None:
    async with Pulse(blocked=0.3) as pulse:
        await asyncio.sleep(1.0)
        assert pulse.alarms == 0
