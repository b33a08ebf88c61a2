"""Percentiles and totals are plain arithmetic, checked against numpy and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.bench.measures import Calls, Run, Served, drained, kept, percentile, summarise


def served(number: int, arrived: float, done: float, *, pictures: int = 1, first: float | None = None) -> Served:
    return Served(number=number, pictures=pictures, image_steps=pictures * 10, arrived=arrived, first=first, done=done)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=50), st.floats(0, 1))
def test_percentiles_are_numpys(values: list[float], share: float):
    assert percentile(values, share) == pytest.approx(float(np.percentile(values, share * 100)), rel=1e-9, abs=1e-6)


def test_there_is_no_percentile_of_nothing():
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_the_tail_counts_for_throughput_but_not_for_waiting():
    block = [served(i, i * 1.0, i + 2.0) for i in range(10)]
    assert drained(block) == (10, 100, 11.0)
    assert [item.number for item in kept(block)] == list(range(9))


def test_figures_of_a_run():
    block = [served(i, float(i), i + 2.0, first=i + 0.5) for i in range(10)]
    run = Run(blocks=[block], calls=Calls(calls=10, rows=30, padded=10), gauges={"busy": [0.5, 0.7]})
    figures = summarise(run, dict.fromkeys(range(10), 1.0), roof=20 / 11)
    assert figures["pictures_per_s"] == pytest.approx(10 / 11)
    assert figures["image_steps_per_s"] == pytest.approx(100 / 11)
    assert figures["share_of_roof"] == pytest.approx(0.5)
    assert figures["latency_p95_s"] == pytest.approx(2.0)
    assert figures["first_preview_p95_s"] == pytest.approx(0.5)
    assert figures["slowdown_p95"] == pytest.approx(2.0)
    assert (figures["rows_per_call"], figures["padded_share"]) == (3.0, 0.25)
    assert figures["busy"] == pytest.approx(0.6)


def test_what_was_not_measured_is_absent():
    figures = summarise(Run(blocks=[[served(0, 0.0, 1.0)]]), {}, None)
    assert not figures.keys() & {"share_of_roof", "first_preview_p95_s", "slowdown_p95", "rows_per_call"}


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0.001, 50), st.integers(1, 4)), min_size=1, max_size=30))
def test_figures_of_any_run_are_sound(items: list[tuple[float, float, int]]):
    block = [served(i, at, at + took, pictures=count) for i, (at, took, count) in enumerate(items)]
    figures = summarise(Run(blocks=[block, block]), {}, None)
    assert figures["pictures_per_s"] > 0
    assert 0 < figures["latency_p50_s"] <= figures["latency_p95_s"] <= figures["latency_p99_s"] <= 50.001
    assert 1 <= len(kept(block)) <= len(block)
