"""Compares what a reader finds in pictures with what was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from generation.starter.judging.reader import truth
from generation.starter.world import Spec


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many."""

    right: int
    asked: int

    @property
    def percent(self) -> float:
        """0 to 100, one decimal; 0 when nothing was asked."""
        return round(100 * self.right / self.asked, 1) if self.asked else 0.0

    def as_json(self) -> dict[str, float]:
        """For a file of figures."""
        return {"percent": self.percent, "n": self.asked}


def score(read: Sequence[Mapping[str, str]], specs: Sequence[Spec]) -> dict[str, Share]:
    """Shares of right answers: each attribute on its own, and `thing+color` where both must be right.

    An attribute that a picture does not have is not asked for; things and colours are asked for where there is one
    group only.
    """
    right: dict[str, int] = {}
    asked: dict[str, int] = {}
    for found, spec in zip(read, specs, strict=True):
        wanted = {name: value for name, value in truth(spec).items() if value is not None}
        marks = {name: found[name] == value for name, value in wanted.items()}
        if "thing" in wanted:
            marks["thing+color"] = marks["thing"] and marks["color"]
        for name, mark in marks.items():
            asked[name] = asked.get(name, 0) + 1
            right[name] = right.get(name, 0) + int(mark)
    return {name: Share(right[name], asked[name]) for name in asked}


def things(read: Sequence[Mapping[str, str]], specs: Sequence[Spec]) -> dict[str, Share]:
    """How often each kind of thing is recognised."""
    kinds = sorted({spec.groups[0].thing for spec in specs if len(spec.groups) == 1})
    found = {}
    for kind in kinds:
        rows = [row for row, spec in enumerate(specs) if len(spec.groups) == 1 and spec.groups[0].thing == kind]
        found[kind] = Share(sum(read[row]["thing"] == kind for row in rows), len(rows))
    return found
