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
    worked: list[float] = []
    async with Pulse(lags.append, worked.append, blocked=0.3) as pulse:
        await asyncio.sleep(0.1)
        hold_up_everybody(1.2)
        await asyncio.sleep(0.1)

        assert pulse.alarms == 1
        assert max(lags) == pulse.worst > 0.9
        assert max(worked) < 0.3  # it slept, and computed nothing
    alarms = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(alarms) == 1
    assert "in hold_up_everybody" in alarms[0].getMessage()


async def test_what_the_loop_computes_is_counted_by_itself() -> None:
    worked: list[float] = []
    async with Pulse(busy=worked.append):
        await asyncio.sleep(0.05)
        began = time.thread_time()
        while time.thread_time() - began < 0.2:
            pass
        await asyncio.sleep(0.05)
    assert max(worked) >= 0.2


async def test_a_loop_that_waits_is_not_blocked() -> None:
    async with Pulse(blocked=0.3) as pulse:
        await asyncio.sleep(1.0)
        assert pulse.alarms == 0
