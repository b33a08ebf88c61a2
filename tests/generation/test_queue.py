"""The fair order: shares by weight, no credit for having been away, and nobody waits for ever."""

from __future__ import annotations

import heapq
import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from generation.queue import AGE_BOUND, estimate, present, tags


class Line:
    """Start-time fair queueing over members, as the store does it for one guild."""

    def __init__(self, *, aged: bool = True) -> None:
        self.virtual_time = 0.0
        self.aged = aged
        self._finish: dict[int, float] = {}
        self._heap: list[tuple[float, int, int, float]] = []
        self._arrived: dict[int, tuple[float, float]] = {}  # waiting jobs in the order of their arrival
        self._ids = itertools.count()

    def join(self, member: int, cost: float, now: float, weight: float = 1.0) -> int:
        start_at = self.virtual_time
        if self.aged and self._arrived:
            at, start = next(iter(self._arrived.values()))
            start_at = present(self.virtual_time, start, now - at)
        place = tags(start_at, self._finish.get(member, 0.0), cost, weight)
        self._finish[member] = place.finish
        number = next(self._ids)
        self._arrived[number] = (now, place.start)
        heapq.heappush(self._heap, (place.start, number, member, cost))
        return number

    def serve(self) -> tuple[int, int, float]:
        """Number, member and cost of the next job."""
        start, number, member, cost = heapq.heappop(self._heap)
        self.virtual_time = max(self.virtual_time, start)
        del self._arrived[number]
        return number, member, cost

    def __len__(self) -> int:
        return len(self._heap)


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0.1, 100), st.floats(0.1, 10))
def test_tags_never_go_back(virtual_time, last_finish, cost, weight):
    place = tags(virtual_time, last_finish, cost, weight)
    assert place.start >= virtual_time
    assert place.start >= last_finish
    assert place.finish >= place.start


@given(st.lists(st.floats(0.1, 4), min_size=60, max_size=60), st.floats(0.5, 4))
def test_whoever_waits_gets_a_share_by_weight(costs, weight):
    """Two members who always have something waiting: the bound of the paper, one largest job of each."""
    line = Line()
    for number, cost in enumerate(costs):
        line.join(number % 2, cost, 0.0, weight if number % 2 else 1.0)
    got = [0.0, 0.0]
    waiting = [len(costs) // 2] * 2
    while all(waiting):
        _, member, cost = line.serve()
        got[member] += cost
        waiting[member] -= 1
        if all(waiting):
            assert abs(got[0] - got[1] / weight) <= 4.0 + 4.0 / weight + 1e-6


@given(st.integers(1, 40), st.floats(0.1, 4))
def test_a_newcomer_goes_before_what_heavy_users_have_piled_up(pile, cost):
    line = Line()
    for _ in range(pile):
        line.join(1, cost, 0.0)
    line.serve()
    newcomer = line.join(2, cost, 0.0)
    assert newcomer in {line.serve()[0] for _ in range(min(2, len(line)))}


def flooded(*, aged: bool, claims: int) -> int | None:
    """How many claims a job waits while newcomers, each entitled to start at once, come as fast as they are served."""
    line = Line(aged=aged)
    for _ in range(3):
        waiting = line.join(1, 1.0, 0.0)
    names = itertools.count(2)
    for number in range(claims):
        line.join(next(names), 1.0, number * 10.0)
        if line.serve()[0] == waiting:
            return number
    return None


def test_without_the_age_bound_a_stream_of_newcomers_could_keep_somebody_waiting_for_ever():
    assert flooded(aged=False, claims=5000) is None
    waited = flooded(aged=True, claims=5000)
    assert waited is not None
    assert waited * 10.0 < 3 * AGE_BOUND


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(0.1, 4), st.integers(1, 3)), min_size=1, max_size=20), st.integers(0, 2**32))
def test_nobody_starves_whatever_newcomers_do(jobs, seed):
    """Everybody who waits is served within the time bound and a time that grows only with who was there already."""
    line = Line()
    ours = {line.join(member, cost, 0.0) for cost, member in jobs}
    names = itertools.count(100)
    now, claims = 0.0, 0
    while ours:
        line.join(next(names), 0.1 + (seed >> (claims % 30) & 3), now)
        number, _, cost = line.serve()
        ours.discard(number)
        now += cost * 20.0
        claims += 1
        assert claims < 2000


def test_the_present_is_the_oldest_job_once_it_has_waited_too_long():
    assert present(3.0, None, 0.0) == 3.0
    assert present(3.0, 8.0, AGE_BOUND - 1) == 3.0
    assert present(3.0, 8.0, AGE_BOUND) == 8.0
    assert present(9.0, 8.0, AGE_BOUND) == 9.0


def test_estimates_divide_the_work_ahead():
    assert estimate(10.0, 2.0, 2) == 7.0
    assert estimate(0.0, 2.0, 0) == 2.0
