"""Back-off and breaker on a clock of their own."""

from __future__ import annotations

import pytest

from generation.workers.breaker import FORGIVEN, LONGEST_PAUSE, PAUSE, Backoff, Breaker, Position


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def longest(low: float, high: float) -> float:
    return high


def test_the_wait_grows_over_deaths_in_a_row_up_to_a_minute() -> None:
    backoff = Backoff(draw=longest)
    assert [backoff.after(0.0) for _ in range(8)] == [2, 4, 8, 16, 32, 60, 60, 60]


def test_a_child_that_dies_at_each_first_step_is_not_started_every_second() -> None:
    backoff = Backoff(draw=longest)
    waits = [backoff.after(3.0) for _ in range(6)]  # ready each time, and gone three seconds later
    assert waits == sorted(waits)
    assert waits[-1] > 30.0


def test_a_long_life_makes_up_for_deaths() -> None:
    backoff = Backoff(draw=longest)
    for _ in range(6):
        backoff.after(0.0)
    assert backoff.after(3 * FORGIVEN) < 60.0
    assert backoff.after(100 * FORGIVEN) == 2.0


def test_no_wait_is_shorter_than_a_second() -> None:
    backoff = Backoff(draw=lambda low, high: low)
    assert [backoff.after(0.0) for _ in range(8)] == [1.0] * 8


def test_the_wait_is_drawn_from_all_of_its_range() -> None:
    backoff = Backoff()
    for _ in range(8):
        backoff.after(0.0)
    waits = [backoff.after(0.0) for _ in range(200)]
    assert all(1.0 <= wait <= 60.0 for wait in waits)
    assert min(waits) < 15.0 < 45.0 < max(waits)


def tripped(clock: Clock) -> Breaker:
    breaker = Breaker(clock=clock)
    for _ in range(5):
        assert breaker.position is Position.CLOSED
        breaker.died()
        clock.now += 1.0
    return breaker


def test_five_deaths_in_ten_minutes_open_it_and_one_job_closes_it() -> None:
    clock = Clock()
    breaker = tripped(clock)
    assert breaker.position is Position.OPEN
    assert 0.0 < breaker.wait <= PAUSE
    clock.now += PAUSE
    assert breaker.wait == 0.0
    breaker.attempt()
    assert breaker.position is Position.TRYING
    breaker.proven()
    assert breaker.position is Position.CLOSED
    breaker.died()
    assert breaker.position is Position.CLOSED  # the count began anew


def test_a_try_that_fails_doubles_the_pause() -> None:
    clock = Clock()
    breaker = tripped(clock)
    pauses = []
    for _ in range(6):
        clock.now += breaker.wait
        breaker.attempt()
        breaker.died()
        pauses.append(breaker.wait)
    assert pauses == [120.0, 240.0, 480.0, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]


def test_deaths_far_apart_do_not_open_it() -> None:
    clock = Clock()
    breaker = Breaker(clock=clock)
    for _ in range(20):
        breaker.died()
        clock.now += 151.0
    assert breaker.position is Position.CLOSED


@pytest.mark.parametrize(("apart", "position"), [(149.0, Position.OPEN), (151.0, Position.CLOSED)])
def test_the_five_deaths_may_be_spread_over_ten_minutes(apart: float, position: Position) -> None:
    clock = Clock()
    breaker = Breaker(clock=clock)
    for _ in range(5):
        assert breaker.position is Position.CLOSED
        clock.now += apart
        breaker.died()
    assert breaker.position is position
