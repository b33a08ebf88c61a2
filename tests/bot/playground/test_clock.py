"""The clock: real time runs on, jumps fire what became due, in order."""

from __future__ import annotations

import asyncio
import time

import pytest

from bot.playground.clock import Clock


async def test_now_is_real_time_until_it_jumps() -> None:
    clock = Clock()
    assert abs(clock.now() - time.time()) < 0.1
    before = clock.monotonic()
    clock.advance(900)
    assert abs(clock.now() - time.time() - 900) < 0.1
    assert 900 <= clock.monotonic() - before < 900.1


async def test_a_timer_fires_in_real_time() -> None:
    clock, fired = Clock(), asyncio.Event()
    started = time.monotonic()
    clock.call_later(0.02, fired.set)
    await asyncio.wait_for(fired.wait(), 1)
    assert time.monotonic() - started >= 0.019


async def test_a_jump_fires_timers_at_their_own_moment_in_order() -> None:
    clock = Clock()
    start = clock.monotonic()
    fired: list[tuple[str, int]] = []

    def note(name: str) -> None:
        fired.append((name, round(clock.monotonic() - start)))

    def chain() -> None:
        note("first")
        clock.call_later(3, note, "chained")

    clock.call_later(900, note, "token")
    clock.call_later(3, chain)
    clock.call_later(901, note, "later")
    clock.advance(900.5)
    assert fired == [("first", 3), ("chained", 6), ("token", 900)]
    clock.advance(1)
    assert fired[-1] == ("later", 901)


async def test_a_cancelled_timer_stays_silent() -> None:
    clock = Clock()
    fired: list[int] = []
    clock.call_later(1, fired.append, 1).cancel()
    clock.call_later(2, fired.append, 2)
    clock.advance(5)
    assert fired == [2]


async def test_a_sleeper_wakes_on_a_jump_and_can_be_cancelled() -> None:
    clock = Clock()
    sleeper = asyncio.create_task(clock.sleep(3600))
    quitter = asyncio.create_task(clock.sleep(3600))
    await asyncio.sleep(0)
    quitter.cancel()
    clock.advance(3600)
    await asyncio.wait_for(sleeper, 1)
    with pytest.raises(asyncio.CancelledError):
        await quitter


async def test_a_broken_timer_does_not_stop_the_next_one() -> None:
    clock, fired, reported = Clock(), asyncio.Event(), []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context["exception"]))

    def fail() -> None:
        raise ArithmeticError

    clock.call_later(0.0, fail)
    clock.call_later(0.0, fired.set)
    await asyncio.wait_for(fired.wait(), 1)
    assert [type(error) for error in reported] == [ArithmeticError]


async def test_time_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="forward"):
        Clock().advance(-1)
