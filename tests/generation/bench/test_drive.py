"""The driver shows requests at their moment, counts waiting from it, and waits for encoders."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.bench.arms.arm import Witness
from generation.bench.drive import difference, drive
from generation.bench.measures import Calls
from generation.bench.trace import Arrival
from generation.request import Request

REQUEST = Request(
    prompt="a red house", width=64, height=64, steps=4, guidance=0.0, sampler="euler", seed=1, model="small"
)


class Time:
    """A clock that moves only when somebody works or sleeps; looking at it takes a microsecond."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        self.now += 1e-6
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += max(seconds, 1e-6)


class OneByOne:
    """Serves whoever is first for a fixed time."""

    name = "one by one"

    def __init__(self, time: Time, seconds: float) -> None:
        self.time, self.seconds = time, seconds
        self.line: list[tuple[int, Witness]] = []
        self.unsettled: list[tuple[int, Witness]] = []
        self.seen: list[int] = []

    def submit(self, number: int, request: Request, witness: Witness) -> None:
        self.line.append((number, witness))
        self.seen.append(number)

    def work(self) -> bool:
        if not self.line:
            return False
        number, witness = self.line.pop(0)
        witness.began(number)
        self.time.sleep(self.seconds / 2)
        witness.previewed(number)
        self.time.sleep(self.seconds / 2)
        witness.previewed(number)  # a later one, which does not count
        self.unsettled.append((number, witness))
        return True

    def settle(self) -> None:
        for number, witness in self.unsettled:
            witness.finished(number)

    def counted(self) -> Calls:
        return Calls()

    def ripen(self) -> bool:
        return False

    def close(self) -> None:
        pass


def test_waiting_counts_from_the_planned_moment():
    time = Time()
    arm = OneByOne(time, 1.0)
    served = drive(arm, [Arrival(0.0, REQUEST), Arrival(0.25, REQUEST)], numbers_from=7, clock=time, sleep=time.sleep)
    assert [item.number for item in served] == [7, 8]
    assert [item.arrived for item in served] == [0.0, 0.25]
    assert served[0].first == pytest.approx(0.5, abs=0.01)
    assert served[1].started == pytest.approx(1.0, abs=0.01)
    assert served[1].done == pytest.approx(2.0, abs=0.01)
    assert (served[0].pictures, served[0].image_steps) == (1, 4)


@given(st.lists(st.floats(0, 5), min_size=1, max_size=12), st.floats(0.001, 2))
@settings(deadline=None, max_examples=40)
def test_everybody_is_served_in_order_and_nobody_too_early(gaps: list[float], seconds: float):
    time = Time()
    arm = OneByOne(time, seconds)
    moments = [sum(gaps[: index + 1]) for index in range(len(gaps))]
    served = drive(arm, [Arrival(moment, REQUEST) for moment in moments], clock=time, sleep=time.sleep)
    assert arm.seen == list(range(len(gaps)))
    for item in served:
        assert item.started is not None
        assert item.arrived <= item.started < item.done


def test_calls_between_two_readings():
    assert difference(Calls(5, 20, 3), Calls(2, 8, 1)) == Calls(3, 12, 2)
