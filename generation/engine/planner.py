"""Chooses who takes part in the next denoiser call. No torch, no clock.

A newcomer's first step comes first, since it makes its first preview; then the job with the least work left, minus
its age, so that short jobs do not wait for long ones and long ones are not passed over for ever. The rest of the
call, up to the room of its key, is filled with whoever may share it. Nobody waits for company.

No starvation: ages grow alike, so a job is overtaken only by jobs that come within `its work left / aging` seconds
after it; and where newcomers took a whole call, the next one belongs to those who were passed over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from generation.engine.sample import Key, Sample

AGING = 1.0  # seconds of work that a second of waiting outweighs


class Planner:
    """Remembers one thing between calls: whether the last one passed over everybody who had begun."""

    def __init__(self, *, preview_first: bool = True, aging: float = AGING) -> None:
        self._preview_first = preview_first
        self._aging = aging
        self._owing = False

    def choose(
        self,
        samples: Sequence[Sample],
        now: float,
        *,
        room: Callable[[Key], int],
        row_seconds: Callable[[Key], float],
    ) -> list[Sample]:
        """The samples of the next call, all with one key and at most `room(key)` rows; empty when there are none.

        `row_seconds(key)` is what one row of such a call takes. A sample that alone is larger than the room goes alone.
        """
        if not samples:
            return []
        newcomers, begun = self._split(samples)
        begun = self._ranked(begun, now, row_seconds)
        begun_first = not newcomers or (self._owing and bool(begun))
        order = begun + newcomers if begun_first else newcomers + begun
        chosen = _filled(order, room(order[0].key))
        self._owing = bool(begun) and not any(sample.done for sample in chosen) and self._preview_first
        return chosen

    def _split(self, samples: Sequence[Sample]) -> tuple[list[Sample], list[Sample]]:
        if not self._preview_first:
            return [], list(samples)
        newcomers = sorted((sample for sample in samples if not sample.done), key=_arrival)
        return newcomers, [sample for sample in samples if sample.done]

    def _ranked(self, samples: list[Sample], now: float, row_seconds: Callable[[Key], float]) -> list[Sample]:
        work: defaultdict[int, float] = defaultdict(float)
        for sample in samples:
            work[sample.painting] += sample.left * sample.rows * row_seconds(sample.key)

        def rank(sample: Sample) -> tuple[float, float, int, int]:
            return (work[sample.painting] - self._aging * (now - sample.arrived), *_arrival(sample))

        return sorted(samples, key=rank)


def _arrival(sample: Sample) -> tuple[float, int, int]:
    return sample.arrived, sample.painting, sample.index


def _filled(order: Sequence[Sample], room: int) -> list[Sample]:
    """The first of `order` and as many after it as share its key and fit into `room` rows."""
    first = order[0]
    chosen, rows = [first], first.rows
    for sample in order[1:]:
        if rows >= room:
            break
        if sample.key == first.key and rows + sample.rows <= room:
            chosen.append(sample)
            rows += sample.rows
    return chosen
