"""What models cost beside each other: as the owner says, else as measured, else alike."""

from __future__ import annotations

import pytest

from bot.prices import ENOUGH, MOST, Prices
from generation.pace import FIXED_SHARE
from tests.orders import a_request
from tests.painter import CARD


def seconds(request, pace: float) -> float:
    return request.megapixel_steps * pace + FIXED_SHARE


def learnt(prices: Prices, model: str, pace: float, jobs: int = ENOUGH) -> None:
    request = a_request(model=model)
    for _ in range(jobs):
        prices.observe(request, seconds(request, pace))


def test_nothing_is_known_at_first():
    assert Prices({}).cost(a_request(model="ink"), CARD, 20) == pytest.approx(1.0)


def test_the_owners_word_counts():
    prices = Prices({"ink": 3.0})
    learnt(prices, "ink", 1.0)
    learnt(prices, "starter", 1.0)
    assert prices.cost(a_request(model="ink"), CARD, 20) == pytest.approx(3.0)


def test_a_slower_model_costs_what_was_measured_in_quarters():
    prices = Prices({})
    learnt(prices, "starter", 1.0)
    learnt(prices, "ink", 2.6, jobs=ENOUGH - 1)
    assert prices.factor("ink", "starter") == 1.0
    learnt(prices, "ink", 2.6, jobs=1)
    assert prices.factor("ink", "starter") == 2.5
    assert prices.factor("starter", "starter") == 1.0


def test_a_measured_factor_is_bounded():
    prices = Prices({})
    learnt(prices, "starter", 0.5)
    learnt(prices, "ink", 5000.0)
    learnt(prices, "mist", 0.001)
    assert prices.factor("ink", "starter") == MOST
    assert prices.factor("mist", "starter") >= 0.25
