"""The edit budget: bursts, order by urgency, and turns that are given up."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.budget import EditBudget, Pace, Turn, Urgency


@given(st.floats(0.1, 20), st.floats(1, 10), st.lists(st.floats(0, 3), min_size=1, max_size=60))
def test_a_pace_never_allows_more_than_its_rate(rate: float, burst: float, pauses: list[float]) -> None:
    pace, now, taken = Pace(rate, burst, 0.0), 0.0, 0
    for pause in pauses:
        now += pause
        while pace.wait(now) <= 0:
            pace.take(now)
            taken += 1
        assert taken <= burst + rate * now + 1e-6


def test_a_pace_after_its_burst_is_steady() -> None:
    pace = Pace(1 / 1.5, 3.0, 0.0)
    for _ in range(3):
        assert pace.wait(0.0) == 0
        pace.take(0.0)

    assert pace.wait(0.0) == pytest.approx(1.5)
    assert pace.wait(1.0) == pytest.approx(0.5)
    assert pace.wait(9.0) == 0


def _granted(turns: dict[str, Turn]) -> set[str]:
    return {name for name, turn in turns.items() if not turn.open}


async def test_the_burst_goes_at_once_and_then_the_urgent_first() -> None:
    budget = EditBudget(lambda: 20.0)
    for _ in range(5):
        assert not budget.ask(Urgency.PREVIEW).open

    order: list[str] = []

    async def wait(name: str, turn: Turn) -> None:
        assert await turn.granted()
        order.append(name)

    asked = [
        ("place", Urgency.PLACE),
        ("later", Urgency.PREVIEW),
        ("later too", Urgency.PREVIEW),
        ("first", Urgency.NOW),
    ]
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        for name, urgency in asked:
            group.create_task(wait(name, budget.ask(urgency)))
    assert order == ["first", "later", "later too", "place"]


async def test_first_answers_of_a_crowd_do_not_put_off_previews() -> None:
    budget = EditBudget(lambda: 20.0)
    for _ in range(500):
        budget.spend()

    async with asyncio.timeout(1):
        assert await budget.ask(Urgency.NOW).granted()


async def test_a_turn_given_up_costs_nothing() -> None:
    budget = EditBudget(lambda: 5.0)
    for _ in range(5):
        budget.ask(Urgency.NOW)
    gone, next_one = budget.ask(Urgency.NOW), budget.ask(Urgency.PLACE)
    gone.give_up()

    assert await gone.granted() is False
    began = asyncio.get_running_loop().time()
    assert await next_one.granted()
    assert asyncio.get_running_loop().time() - began < 0.35
