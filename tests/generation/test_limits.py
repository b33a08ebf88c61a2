"""The credit arithmetic: nobody overspends, refunds undo exactly, retry times are true."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.limits import Allowance, available, charge, cost_of
from generation.queue import estimate, tags
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


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0.1, 100), st.floats(0.1, 10))
def test_tags_never_go_back(virtual_time, last_finish, cost, weight):
    place = tags(virtual_time, last_finish, cost, weight)
    assert place.start >= virtual_time
    assert place.start >= last_finish
    assert place.finish >= place.start


def test_estimates_divide_the_work_ahead():
    assert estimate(10.0, 2.0, 2) == 7.0
    assert estimate(0.0, 2.0, 0) == 2.0
