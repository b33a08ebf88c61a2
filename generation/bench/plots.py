"""Charts as PNG files, drawn with matplotlib, which only this file needs and only when asked."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from generation.errors import BadRequest

COLOURS = ("#2a78d6", "#eb6834", "#1baf7a", "#e34948", "#4a3aa7", "#c98500", "#888888", "#111111")
MARKS = "osD^vPX*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Lines over a common axis."""

    name: str  # of the file, without its ending
    title: str
    across: str  # label with unit
    up: str
    lines: Mapping[str, Sequence[tuple[float, float]]]
    logarithmic: bool = False  # both axes


def require() -> None:
    """Raise BadRequest with a sentence when matplotlib is missing."""
    if importlib.util.find_spec("matplotlib") is None:
        raise BadRequest("Plots need matplotlib: install requirements-dev.txt, or leave --plots out.")


def draw(chart: Chart, path: Path) -> None:
    """Draw `chart` into the PNG file `path`."""
    require()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for index, (label, points) in enumerate(chart.lines.items()):
        ranked = sorted(points)
        axes.plot(
            [x for x, _ in ranked],
            [y for _, y in ranked],
            label=label,
            color=COLOURS[index % len(COLOURS)],
            marker=MARKS[index % len(MARKS)],
            markersize=5,
        )
    if chart.logarithmic:
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    axes.set_title(chart.title, loc="left")
    axes.set_xlabel(chart.across)
    axes.set_ylabel(chart.up)
    axes.grid(visible=True, alpha=0.25)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if chart.lines:
        axes.legend(frameon=False)
    figure.savefig(path)
