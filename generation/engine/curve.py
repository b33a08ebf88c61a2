"""What was learnt of one kind of denoiser call: seconds by rows, which row counts agree to the bit, how many fit. Pure.

The *knee* is the smallest call with nine tenths of the best throughput: more rows only make everybody wait longer.

Kernels are chosen by shape, so calls of different row counts may differ in the last bits. *Exact mode* uses only row
counts of one class, within which all calls were seen to agree in every slot; fewer rows are padded up to the next.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

NEARLY_BEST = 0.9  # of the best rows per second: the knee
TOLERABLE = 0.10  # what exact mode may cost to be on by default
UNMEASURED_ROWS = 8  # the room of a size that nobody has measured yet


@dataclass(slots=True)
class Curve:
    """Seconds of one call by its rows, and what memory and exactness allow."""

    times: dict[int, float] = field(default_factory=dict)
    classes: list[tuple[int, ...]] = field(default_factory=list)  # row counts that agree with each other to the bit
    most: int = 0  # more rows did not fit into memory; 0: never met
    counts: tuple[int, ...] = ()  # the class that exact mode uses, once settled
    cheap: bool = False  # whether exact mode was measured to cost under a tenth

    # -- throughput ----------------------------------------------------------------------------------------------

    @property
    def knee(self) -> int:
        """Rows of the smallest call with nearly the best throughput, as far as memory allows."""
        return _knee(self.times, self.most) if self.classes else self._bounded(UNMEASURED_ROWS)

    def seconds(self, rows: int) -> float:
        """Expected seconds of a call with `rows` rows; between and beyond measurements along straight lines."""
        if not self.times:
            return 0.0
        known = sorted(self.times)
        place = bisect_left(known, rows)
        if place < len(known) and known[place] == rows:
            return self.times[rows]
        if place == 0:
            return self.times[known[0]] * rows / known[0]
        if place == len(known):
            return self.times[known[-1]] * rows / known[-1]
        low, high = known[place - 1], known[place]
        share = (rows - low) / (high - low)
        return self.times[low] + share * (self.times[high] - self.times[low])

    @property
    def row_seconds(self) -> float:
        """Seconds of one row in a call of the knee's size."""
        return self.seconds(self.knee) / self.knee

    def observe(self, rows: int, seconds: float) -> None:
        """Learn from a call in service where nothing was measured: the fastest seen, since machines are shared.

        What was measured stays: counts that service happens to use would only ever get better against the others.
        """
        if not self.classes:
            self.times[rows] = min(seconds, self.times.get(rows, seconds))

    def overflowed(self, rows: int) -> None:
        """Remember that `rows` rows did not fit into memory; settle again."""
        self.most = max(1, min(rows - 1, self.most or rows - 1))

    def _bounded(self, rows: int) -> int:
        return min(rows, self.most) if self.most else rows

    # -- exactness -----------------------------------------------------------------------------------------------

    def settle(self, lone: int) -> None:
        """Choose the class of row counts that costs least, for a model whose single pictures take `lone` rows.

        Settled once, after measuring: what is learnt of speed later must not change the bits of pictures. What does
        not fit into memory any more does; then, and where nothing was measured, it is one fixed count, which agrees
        with itself.
        """
        fitting = [kept for group in self.classes if (kept := self._fitting(group)) and kept[-1] >= lone]
        if not fitting:
            self.counts, self.cheap = (max(1, self._bounded(lone)),), False
            return
        self.counts = min(fitting, key=lambda group: (self.cost(group, lone), -len(group)))
        self.cheap = self.cost(self.counts, lone) < TOLERABLE

    def _fitting(self, group: Sequence[int]) -> tuple[int, ...]:
        return tuple(rows for rows in sorted(group) if not self.most or rows <= self.most)

    def cost(self, group: Sequence[int], lone: int) -> float:
        """What exact mode with these counts costs, 0.1 being a tenth.

        The larger of a single picture's delay and of the loss of throughput.
        """
        if not self.times:
            return float("inf")
        alone = next((rows for rows in group if rows >= lone), group[-1])
        delay = self.seconds(alone) / self.seconds(lone)
        best = max(rows / seconds for rows, seconds in self.times.items())
        reached = max(rows / self.seconds(rows) for rows in group)
        return max(delay, NEARLY_BEST * best / reached, 1.0) - 1.0

    # -- choosing ------------------------------------------------------------------------------------------------

    def room(self, exact: tuple[int, ...]) -> int:
        """The most rows of one call: the knee, among the counts of `exact` when that is not empty."""
        if not exact:
            return self.knee
        if not self.classes:
            return exact[-1]
        return _knee({rows: self.seconds(rows) for rows in exact}, self.most)

    # -- keeping -------------------------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self) | {"times": {str(rows): seconds for rows, seconds in self.times.items()}}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read back; raises ValueError, TypeError or KeyError when it is none."""
        times = {int(rows): float(seconds) for rows, seconds in data["times"].items()}
        if not all(rows > 0 and seconds > 0 for rows, seconds in times.items()):
            raise ValueError("a call takes at least one row and some time")
        classes = [tuple(int(rows) for rows in group) for group in data["classes"]]
        counts = tuple(int(rows) for rows in data["counts"])
        return cls(times, classes, int(data["most"]), counts, bool(data["cheap"]))


def padded_to(rows: int, exact: Sequence[int]) -> int:
    """The rows that a call of `rows` rows runs with: the next count of `exact`, itself when there is none."""
    return next((count for count in exact if count >= rows), rows)


def _knee(times: Mapping[int, float], most: int) -> int:
    allowed = {rows: seconds for rows, seconds in times.items() if not most or rows <= most} or {1: 1.0}
    best = max(rows / seconds for rows, seconds in allowed.items())
    return min(rows for rows, seconds in allowed.items() if rows / seconds >= NEARLY_BEST * best)
