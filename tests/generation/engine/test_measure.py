"""What is measured of calls: their times, the counts that agree, and what slow or cramped machines are spared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from generation.engine import device, measure, weights
from generation.engine.curve import Curve
from generation.engine.even import VECTORS, even_out
from generation.engine.measure import COUNTS, Calls
from generation.engine.model import LoadedModel
from generation.engine.options import EngineOptions
from generation.engine.runner import Runner
from generation.engine.sample import Key
from generation.models import resolve

KEY = Key("tiny", (), (4, 8, 8), 77)


@pytest.fixture(scope="module")
def tiny(tiny_model: Path) -> LoadedModel:
    model = weights.load(resolve(str(tiny_model)), device.choose("cpu", "auto", 1))
    even_out(model)
    return model


class Scripted(Calls):
    """Calls whose output depends on the row count or the slot as a test says, and which may run out of memory."""

    def __init__(self, *, families: dict[int, float], by_slot: Sequence[int] = (), most: int = 99) -> None:
        self.families, self.by_slot, self.most = families, by_slot, most
        self.made: list[int] = []
        self.counts = COUNTS

    @property
    def fitting(self) -> int:
        return 0

    def run(self, rows: Sequence[int]) -> torch.Tensor:
        self.made.append(len(rows))
        if len(rows) > self.most:
            torch.empty(2**50)  # the allocator's own refusal
        output = torch.tensor([float(row) for row in rows]) + self.families.get(len(rows), 0.0)
        return output + torch.arange(len(rows)) if len(rows) in self.by_slot else output

    def let_go(self) -> None:
        pass


def measured(calls: Calls, seconds: float = 3.0) -> Curve:
    curve = Curve()
    measure.measure(calls, curve, seconds=seconds)
    return curve


def test_a_real_denoiser_is_measured_and_its_counts_are_compared(tiny: LoadedModel) -> None:
    curve = measured(Calls(tiny, Runner(tiny, EngineOptions()), KEY))
    assert set(curve.times) >= {1, 2, 4}
    assert all(seconds > 0 for seconds in curve.times.values())
    assert sorted(rows for group in curve.classes for rows in group) == sorted(curve.times)


def test_no_product_of_a_lone_row_is_small(tiny: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, honest = list[int](), torch.nn.functional.linear

    def linear(given: torch.Tensor, *others: torch.Tensor | None) -> torch.Tensor:
        vectors.append(given.shape[:-1].numel())
        return honest(given, *others)

    monkeypatch.setattr(torch.nn.functional, "linear", linear)
    with torch.inference_mode():
        Calls(tiny, Runner(tiny, EngineOptions()), KEY).run([0])
    assert min(vectors) >= VECTORS


def test_counts_that_agree_form_a_class() -> None:
    curve = measured(Scripted(families={1: 0.5, 4: 0.25, 6: 0.25}))
    assert {(1,), (4, 6)} <= set(curve.classes)
    assert next(group for group in curve.classes if 2 in group)[:2] == (2, 8)


def test_a_count_whose_slots_differ_belongs_to_none() -> None:
    curve = measured(Scripted(families={}, by_slot=[4]))
    assert not any(4 in group for group in curve.classes)
    assert any({2, 6} <= set(group) for group in curve.classes)


class RarelyOther(Scripted):
    """Calls of one row round one row in eight otherwise."""

    def run(self, rows: Sequence[int]) -> torch.Tensor:
        output = super().run(rows)
        return output + 0.5 if list(rows) == [5] else output


def test_a_count_that_seldom_differs_is_found_out() -> None:
    curve = measured(RarelyOther(families={}))
    assert (1,) in curve.classes
    assert any({2, 4, 8} <= set(group) for group in curve.classes)


def test_a_shortage_ends_the_measurement_and_is_remembered() -> None:
    curve = measured(Scripted(families={}, most=4))
    assert set(curve.times) == {1, 2, 4}
    assert curve.most == 5


def test_slow_calls_are_made_as_few_times_as_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(float(number) for number in range(1000))
    monkeypatch.setattr(measure.time, "perf_counter", lambda: next(now))  # every look at the clock is a second later
    calls = Scripted(families={})
    curve = measured(calls, seconds=2.0)
    assert calls.made == [1, 2]
    assert curve.classes == []
    curve.settle(2)
    assert curve.counts == (2,)  # one fixed count agrees with itself


def test_a_bad_moment_of_the_machine_is_not_taken_for_the_speed_of_a_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's work makes all calls of four rows slow while they are first measured, and later no more."""
    clock = [0.0]
    monkeypatch.setattr(measure.time, "perf_counter", lambda: clock[0])

    class Disturbed(Scripted):
        def run(self, rows: Sequence[int]) -> torch.Tensor:
            early = self.made.count(4) < 3  # the two calls on end, and that of the first further round
            clock[0] += 0.01 + 0.001 * len(rows) + (0.5 if len(rows) == 4 and early else 0.0)
            return super().run(rows)

    curve = measured(Disturbed(families={}), seconds=10.0)
    assert curve.times[4] == pytest.approx(0.014)
    assert curve.knee == 24  # as if nobody had been there
