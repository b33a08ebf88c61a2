"""Knee, exact row counts and what they cost, and that nothing of it is lost on the way to the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.engine.curve import TOLERABLE, UNMEASURED_ROWS, Curve, padded_to
from generation.engine.formats import Trial, Trials
from generation.engine.notebook import Notebook

LAUNCH_BOUND = {1: 7.0, 2: 8.0, 4: 10.0, 8: 12.0, 16: 23.0}
FLAT = {1: 1.0, 2: 2.0, 4: 4.0, 8: 8.0}
curves = st.builds(
    Curve,
    times=st.dictionaries(st.integers(1, 32), st.floats(0.001, 100.0), max_size=8),
    most=st.integers(0, 16),
)


def settled(curve: Curve, lone: int = 2) -> Curve:
    curve.settle(lone)
    return curve


def test_the_knee_is_the_smallest_call_with_nearly_the_best_throughput() -> None:
    each = [(rows,) for rows in LAUNCH_BOUND]
    assert Curve(LAUNCH_BOUND, each).knee == 8
    assert Curve(FLAT, each).knee == 1
    assert Curve(LAUNCH_BOUND, each, most=4).knee == 4
    assert Curve().knee == UNMEASURED_ROWS
    assert Curve({2: 1.0}).knee == UNMEASURED_ROWS  # seen in service, not measured
    assert Curve(most=3).knee == 3


@pytest.mark.parametrize(("rows", "seconds"), [(1, 7.0), (3, 9.0), (12, 17.5), (32, 46.0)])
def test_seconds_between_and_beyond_measurements(rows: int, seconds: float) -> None:
    assert Curve(LAUNCH_BOUND).seconds(rows) == pytest.approx(seconds)


def test_where_all_counts_agree_exact_mode_costs_nothing() -> None:
    curve = settled(Curve(LAUNCH_BOUND, classes=[(1,), (2, 4, 8, 16)]))
    assert curve.counts == (2, 4, 8, 16)
    assert curve.cheap
    assert curve.room(curve.counts) == 8


def test_where_none_agree_it_costs_speed_or_patience_and_is_not_on_by_itself() -> None:
    curve = settled(Curve(LAUNCH_BOUND, classes=[(1,), (2,), (4,), (8,), (16,)]))
    assert curve.counts == (8,)  # half as long again for one alone; with fewer, throughput would lose more
    assert not curve.cheap
    assert curve.cost(curve.counts, 2) > TOLERABLE


def test_where_more_rows_bring_nothing_a_fixed_pair_is_free() -> None:
    curve = settled(Curve(FLAT, classes=[(1,), (2,), (4,), (8,)]))
    assert curve.counts == (2,)
    assert curve.cheap


def test_unmeasured_exact_mode_is_one_fixed_count() -> None:
    assert settled(Curve()).counts == (2,)
    assert settled(Curve(), lone=1).counts == (1,)
    assert not settled(Curve()).cheap


def test_what_did_not_fit_is_never_tried_again() -> None:
    curve = settled(Curve(LAUNCH_BOUND, classes=[(2, 4, 8, 16)]))
    curve.overflowed(8)
    curve.settle(2)
    assert curve.most == 7
    assert curve.counts == (2, 4)
    curve.overflowed(12)
    assert curve.most == 7
    assert curve.room(()) == 4


def test_learning_speed_does_not_change_the_row_counts_of_exact_mode() -> None:
    curve = settled(Curve(dict(LAUNCH_BOUND), classes=[(2, 4), (8, 16)]))
    before = curve.counts
    knee = curve.knee
    for rows in (2, 4):
        curve.observe(rows, 0.001)
    assert curve.counts == before
    assert curve.knee == knee  # counts in use must not look ever better beside those that are not
    unmeasured = Curve()
    unmeasured.observe(2, 0.5)
    unmeasured.observe(2, 1000.0)
    assert unmeasured.times == {2: 0.5}  # a busy moment does not count


@pytest.mark.parametrize(("rows", "counts", "padded"), [(3, (2, 4, 8), 4), (4, (4,), 4), (9, (2, 4), 9), (5, (), 5)])
def test_rows_are_padded_to_the_next_count(rows: int, counts: tuple[int, ...], padded: int) -> None:
    assert padded_to(rows, counts) == padded


@given(curves, st.sampled_from([1, 2]))
def test_curves_survive_the_file_and_never_ask_for_more_than_fits(curve: Curve, lone: int) -> None:
    curve.classes = [tuple(sorted(curve.times))] if curve.times else []
    curve.settle(lone)
    assert Curve.from_json(json.loads(json.dumps(curve.to_json()))) == curve
    assert curve.counts
    assert curve.room(()) >= 1
    if curve.most:
        assert curve.knee <= curve.most
        assert max(curve.counts) <= curve.most


def test_the_notebook_keeps_curves_between_starts(tmp_path: Path) -> None:
    path = tmp_path / "data" / "measured.json"
    first = Notebook(path)
    first.page("a card / a model")["8x32x32+77"] = settled(Curve(dict(LAUNCH_BOUND), classes=[(2, 4)]))
    first.page("another card")
    first.save()
    again = Notebook(path)
    assert again.page("a card / a model") == first.page("a card / a model")
    assert again.page("another card") == {}


def test_the_notebook_keeps_trials_beside_curves_and_reads_one_from_before_there_were_any(tmp_path: Path) -> None:
    path = tmp_path / "measured.json"
    before = Notebook(path)
    before.page("a CPU")["8x32x32+77"] = settled(Curve(dict(LAUNCH_BOUND), classes=[(2, 4)]))
    before.save()
    later = Notebook(path)
    assert later.trials == {}
    later.trials["a CPU"] = Trials(Trial(2.0, 1.0, 0.01), None)
    later.save()
    again = Notebook(path)
    assert again.trials == later.trials
    assert again.page("a CPU") == before.page("a CPU")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"number formats": {"a": {"denoiser": {}}}}',
        b'{"a": {"b": {"times": {"0": 1}}}}',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_a_broken_notebook_is_begun_anew(tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "measured.json"
    path.write_bytes(content)
    notebook = Notebook(path)
    assert "taken again" in caplog.text
    notebook.page("x")["y"] = settled(Curve({1: 1.0}))
    notebook.save()
    assert Notebook(path).page("x")["y"].times == {1: 1.0}


def test_a_folder_that_cannot_be_written_is_only_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    notebook = Notebook(tmp_path / "file" / "measured.json")
    notebook.page("x")["y"] = settled(Curve({1: 1.0}))
    notebook.save()
    assert "could not be kept" in caplog.text
