"""The credit arithmetic: nobody overspends, refunds undo exactly, retry times are true."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.limits import LEAST_COST, Allowance, available, charge, cost_of, refund
from generation.request import Lora
from tests.orders import a_request

NOW = 1_800_000_000.0
allowances = st.builds(Allowance, st.floats(1, 100), st.floats(1, 1000), st.just(1e9), st.just(5))


@given(allowances, st.lists(st.tuples(st.floats(0.1, 20), st.floats(0, 600)), max_size=40))
def test_never_more_than_burst_plus_what_came_back(allowance, spending):
    tat, now, spent = 0.0, NOW, 0.0
    for cost, pause in spending:
        now += pause
        asked = charge(tat, cost, now, allowance)
        if asked.affordable:
            tat, spent = asked.tat, spent + cost
    assert spent <= allowance.burst + (now - NOW) / allowance.interval + 1e-3


@given(allowances, st.floats(0.1, 50), st.floats(0, 1000))
def test_retry_time_is_the_first_moment_that_works(allowance, cost, debt):
    tat = NOW + debt
    asked = charge(tat, cost, NOW, allowance)
    if asked.affordable:
        return
    if asked.retry_at is None:
        assert cost > allowance.burst
        return
    assert charge(tat, cost, asked.retry_at + 1e-3, allowance).affordable
    assert not charge(tat, cost, asked.retry_at - 1.0, allowance).affordable


@given(allowances, st.floats(0.1, 50), st.floats(0, 5000))
def test_a_refund_undoes_exactly_what_was_charged(allowance, cost, debt):
    before = max(NOW, min(NOW + debt, NOW + allowance.burst * allowance.interval))
    asked = charge(before, cost, NOW, allowance)
    assert asked.tat - asked.seconds == pytest.approx(before)
    assert available(asked.tat, NOW, allowance) >= -1e-6


def test_one_default_picture_costs_one_credit():
    request = a_request()
    default = request.megapixel_steps
    assert cost_of(request, default_megapixel_steps=default) == pytest.approx(1.0)
    assert cost_of(a_request(count=4), default_megapixel_steps=default) == pytest.approx(4.0)
    assert cost_of(a_request(steps=1), default_megapixel_steps=default) == pytest.approx(0.1)  # the least


def test_work_of_pictures_from_pictures_loras_and_other_models():
    default = a_request().megapixel_steps
    repainted = a_request(image="0" * 64, strength=0.5)
    assert cost_of(repainted, default_megapixel_steps=default) == pytest.approx(0.5)
    adorned = a_request(loras=(Lora("ink"), Lora("gold")))
    assert cost_of(adorned, default_megapixel_steps=default) == pytest.approx(1.1)
    assert cost_of(a_request(), default_megapixel_steps=default, model_factor=3.0) == pytest.approx(3.0)
    assert cost_of(a_request(steps=1), default_megapixel_steps=1e9) == LEAST_COST


Spending = list[tuple[float, float]]  # credits and the seconds before they are asked for
spendings = st.lists(st.tuples(st.floats(0.1, 5), st.floats(0, 900)), min_size=1, max_size=12)


class Account:
    """An allowance as the store keeps it."""

    def __init__(self) -> None:
        self.tat = self.full_since = 0.0

    def spend(self, cost: float, now: float, allowance: Allowance) -> float:
        asked = charge(self.tat, cost, now, allowance)
        if self.tat <= now:
            self.full_since = now
        self.tat = asked.tat
        return asked.seconds

    def give_back(self, seconds: float, charged_at: float) -> None:
        self.tat = refund(self.tat, self.full_since, seconds, charged_at)


@given(st.floats(1, 1000), spendings, st.data())
def test_a_refund_cheats_nobody_and_gives_no_more_than_time_gave(per_hour, spending, data):
    """At least what would be there had it never been charged; more only by what came back while it was owed."""
    allowance = Allowance(1e6, per_hour, 1e9, 5)  # never empty: what is refused depends on what was spent
    taken_back = data.draw(st.integers(0, len(spending) - 1))
    with_it, without, now = Account(), Account(), NOW
    receipts = []
    for number, (cost, pause) in enumerate(spending):
        now += pause
        receipts.append((with_it.spend(cost, now, allowance), now))
        if number != taken_back:
            without.spend(cost, now, allowance)
    seconds, at = receipts[taken_back]
    with_it.give_back(seconds, at)
    gift = max(without.tat, now) - max(with_it.tat, now)
    assert -1e-3 <= gift <= min(seconds, now - at) + 1e-3
    if taken_back == len(spending) - 1:
        assert gift == pytest.approx(0.0, abs=1e-3)  # at once, it is as if nothing had been


@given(allowances, spendings, st.lists(st.floats(0, 1), min_size=12, max_size=12))
def test_settling_never_gives_more_than_was_taken_nor_goes_above_the_burst(allowance, spending, shares):
    account, now, receipts = Account(), NOW, []
    for (cost, pause), share in zip(spending, shares, strict=False):
        now += pause
        receipts.append((account.spend(cost, now, allowance), now, share))
        before = available(account.tat, now, allowance)
        seconds, at, share = receipts[len(receipts) // 2]
        account.give_back(seconds * share, at)
        receipts[len(receipts) // 2] = (seconds * (1 - share), at, 0.0)
        after = available(account.tat, now, allowance)
        assert before - 1e-6 <= after <= allowance.burst + 1e-6
        assert (after - before) * allowance.interval <= seconds * share + 1e-3
