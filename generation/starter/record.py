"""Keeps the record of a training run small, and draws its curves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

WIDTH, HEIGHT, MARGIN = 900, 420, 56
PAPER, INK, FAINT = (252, 251, 247), (40, 40, 48), (222, 220, 214)
CURVES = {"object": (214, 44, 48), "object and colour": (46, 98, 214), "pairs never seen": (62, 160, 72)}
GRID = 5

Points = Sequence[tuple[float, float]]


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The records of a file of JSON lines; none if there is no file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]


def thinned(records: Sequence[dict[str, Any]], most: int = 400) -> list[dict[str, Any]]:
    """At most `most` of `records`, evenly spread, the last one kept."""
    if len(records) <= most:
        return list(records)
    return [records[round(place * (len(records) - 1) / (most - 1))] for place in range(most)]


def moved(records: Sequence[dict[str, Any]], samples: int, seconds: float) -> list[dict[str, Any]]:
    """`records` of a run that went on from an earlier one of so many samples and seconds."""
    return [
        {**record, "samples": record["samples"] + samples, "seconds": round(record["seconds"] + seconds, 1)}
        for record in records
    ]


def adherence_point(samples: int, seconds: float, figures: dict[str, Any]) -> dict[str, Any]:
    """What of an evaluation goes into the curve."""
    return {
        "samples": samples,
        "seconds": seconds,
        "world": figures["world"],
        "steps": figures["steps"],
        "prompts": figures["seen"]["scene"]["n"] + figures["held_out"]["scene"]["n"],
        "object": figures["seen"]["thing"]["percent"],
        "object and colour": figures["seen"]["thing+color"]["percent"],
        "pairs never seen": figures["held_out"]["thing+color"]["percent"],
    }


def draw_curves(log: Sequence[dict[str, Any]], adherence: Sequence[dict[str, Any]], out: Path) -> None:
    """Loss (left) and adherence in percent (right) over the samples seen."""
    image = Image.new("RGB", (2 * WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(image)
    loss = smoothed([(float(line["samples"]), float(line["loss"])) for line in log])
    last = max([x for x, _ in loss] + [float(point["samples"]) for point in adherence] + [1.0])
    low, high = (min(y for _, y in loss) * 0.95, max(y for _, y in loss) * 1.05) if loss else (0.0, 1.0)
    _axes(draw, 0, "velocity loss", (low, high), last)
    _curve(draw, 0, loss, (low, high), last, INK)
    _axes(draw, WIDTH, "right, % (reader)", (0, 100), last)
    for row, (name, color) in enumerate(CURVES.items()):
        for world in sorted({str(point["world"]) for point in adherence}):  # worlds are not comparable: no line between
            asked = [point for point in adherence if point["world"] == world and name in point]
            points = [(float(point["samples"]), float(point[name])) for point in asked]
            _curve(draw, WIDTH, points, (0, 100), last, color, dots=True)
        draw.text((WIDTH + MARGIN + 12, MARGIN + 4 + 16 * row), name, fill=color)
    image.save(out)


def smoothed(points: Points, reach: int = 4) -> list[tuple[float, float]]:
    """Running mean over `reach` neighbours on either side."""
    found = []
    for place, (x, _) in enumerate(points):
        near = [y for _, y in points[max(0, place - reach) : place + reach + 1]]
        found.append((x, sum(near) / len(near)))
    return found


def _place(offset: int, x: float, y: float, span: tuple[float, float], last: float) -> tuple[float, float]:
    across = offset + MARGIN + (WIDTH - 2 * MARGIN) * x / last
    return across, HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (y - span[0]) / (span[1] - span[0])


def _axes(draw: ImageDraw.ImageDraw, offset: int, title: str, span: tuple[float, float], last: float) -> None:
    draw.text((offset + MARGIN, MARGIN - 24), title, fill=INK)
    for step in range(GRID + 1):
        value = span[0] + (span[1] - span[0]) * step / GRID
        left, right = _place(offset, 0, value, span, last), _place(offset, last, value, span, last)
        draw.line([left, right], fill=FAINT)
        draw.text((offset + 8, left[1] - 6), f"{value:.3g}", fill=INK)
        foot = _place(offset, last * step / GRID, span[0], span, last)
        draw.text((foot[0] - 14, foot[1] + 8), f"{last * step / GRID / 1000:.0f} k", fill=INK)
    draw.text((offset + WIDTH // 2 - 24, HEIGHT - 22), "samples seen", fill=INK)


def _curve(
    draw: ImageDraw.ImageDraw,
    offset: int,
    points: Points,
    span: tuple[float, float],
    last: float,
    color: tuple[int, int, int],
    *,
    dots: bool = False,
) -> None:
    placed = [_place(offset, x, y, span, last) for x, y in points]
    if len(placed) > 1:
        draw.line(placed, fill=color, width=2)
    for x, y in placed if dots else ():
        draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill=color)
