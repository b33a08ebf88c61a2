"""The geometry of small bar charts; templates draw them as SVG, so nothing of a chart is ever markup made by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 640.0  # units of the drawing, which grows and shrinks with the page
HEIGHT: Final = 170.0
BOTTOM: Final = 24.0  # for the labels below
TOP: Final = 12.0
LEFT: Final = 36.0  # for the scale
RIGHT: Final = 12.0  # for the half of the last label
GAP: Final = 0.25  # of a column


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, with what it stands for."""

    x: float
    y: float
    width: float
    height: float
    series: int  # which of the column's values, from the bottom up
    title: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A word beside or below the bars."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A finished chart."""

    title: str
    legend: tuple[str, ...]
    bars: tuple[Bar, ...]
    labels: tuple[Mark, ...]  # below, by x
    scale: tuple[Mark, ...]  # at the left, by y
    rows: tuple[tuple[str, tuple[float, ...]], ...]  # the same as numbers
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to see."""
        return not any(any(values) for _, values in self.rows)


def columns(title: str, legend: Sequence[str], rows: Sequence[tuple[str, Sequence[float]]], *, every: int = 1) -> Chart:
    """Stacked columns, one for each of `rows` (label and values); every so many a label is written below."""
    top = ceiling(max((sum(values) for _, values in rows), default=0.0))
    floor, room = HEIGHT - BOTTOM, HEIGHT - BOTTOM - TOP
    step = (WIDTH - LEFT - RIGHT) / max(1, len(rows))
    bars: list[Bar] = []
    for index, (label, values) in enumerate(rows):
        y = floor
        for series, value in enumerate(values):
            height = room * value / top
            y -= height
            if value:
                x, told = LEFT + step * (index + GAP / 2), f"{label}: {value:,.0f} {legend[series]}"
                bars.append(Bar(round(x, 2), round(y, 2), round(step * (1 - GAP), 2), round(height, 2), series, told))
    last = len(rows) - 1
    labels = [
        Mark(round(LEFT + step * (index + 0.5), 2), label)
        for index, (label, _) in enumerate(rows)
        if (last - index) % every == 0
    ]
    scale = [Mark(round(floor - room * share, 2), f"{top * share:,.0f}") for share in (0.0, 0.5, 1.0)]
    numbers = tuple((label, tuple(values)) for label, values in rows)
    return Chart(title, tuple(legend), tuple(bars), tuple(labels), tuple(scale), numbers)


def ceiling(value: float) -> int:
    """The next of 2, 4, 6, 8, 10, 20, 40 … and so on, so that the scale and its half are whole."""
    if value <= 2:
        return 2
    size = 10 ** math.floor(math.log10(value))
    return next(int(size * step) for step in (1, 2, 4, 6, 8, 10) if size * step >= value and size * step % 2 == 0)
