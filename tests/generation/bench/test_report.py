"""Figures as JSON, tables as Markdown, charts as PNG, and sentences where that cannot be."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

from generation.bench import plots
from generation.bench.plots import Chart
from generation.bench.report import Outputs, Report, Sheet, as_json, as_markdown, environment, hand_over, shown
from generation.errors import BadRequest

CHART = Chart(name="t", title="A line", across="rows", up="s", lines={"a": [(1, 1.0), (2, 1.5)]}, logarithmic=True)


def report() -> Report:
    sheet = Sheet("One | two", ("", "a"), [["x|y", "1"]])
    return Report(environment("CPU", dtype="float32"), {"t.a": 1.5}, [sheet], [CHART], ["A note."])


def test_figures_have_the_form_of_every_benchmark():
    data = json.loads(as_json(report()))
    assert data["figures"] == {"t.a": 1.5}
    assert data["command"].startswith("python -m generation")
    assert {"device", "platform", "python", "torch", "dtype"} <= set(data["environment"])
    assert data["notes"] == ["A note."]


def test_no_figure_is_not_a_number():
    broken = report()
    broken.figures["t.b"] = float("nan")
    with pytest.raises(ValueError, match="not JSON compliant"):
        as_json(broken)


def test_tables_are_markdown():
    lines = as_markdown(report()).splitlines()
    assert "|  | a |" in lines
    assert "| x\\|y | 1 |" in lines


def test_everything_is_written(tmp_path: Path):
    outputs = Outputs(tmp_path / "a.json", tmp_path / "a.md", None)
    outputs.check()
    hand_over(report(), outputs, Console(quiet=True))
    assert json.loads((tmp_path / "a.json").read_text())["figures"]
    assert "One | two" in (tmp_path / "a.md").read_text()


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="matplotlib is not installed")
def test_charts_are_drawn(tmp_path: Path):
    hand_over(report(), Outputs(plots=tmp_path / "charts"), Console(quiet=True))
    with Image.open(tmp_path / "charts" / "t.png") as picture:
        assert picture.size == (960, 600)


def test_without_matplotlib_a_sentence_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(plots.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BadRequest, match="install requirements-dev"):
        Outputs(plots=tmp_path).check()


@pytest.mark.parametrize("make", [lambda path: path / "nowhere" / "a.json", lambda path: path])
def test_what_cannot_be_written_is_said_before_measuring(tmp_path: Path, make):
    with pytest.raises(BadRequest, match="cannot be written"):
        Outputs(json_file=make(tmp_path)).check()


def test_three_digits_matter():
    assert [shown(value) for value in (None, 0.012345, 1.5, 1234.5)] == ["–", "0.0123", "1.5", "1,234"]
