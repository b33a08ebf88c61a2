"""Measures denoiser calls of one size: seconds by rows, and which row counts agree to the bit."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import torch

from generation.engine.curve import Curve
from generation.engine.faults import is_shortage
from generation.engine.memory import let_go, rows_that_fit
from generation.engine.model import LoadedModel
from generation.engine.runner import Runner, sham_rows
from generation.engine.sample import Key

COUNTS = (1, 2, 4, 6, 8, 12, 16, 24, 32)  # rows that are tried
SLOW = 0.25  # of the measurement's time: calls that take longer are made once, and not compared with others
TWICE = 2  # calls of a count on end: the first one fills caches
FURTHER = 2  # rounds over all counts after that, as far as there is time
LOOKED_AT = 8  # rows that counts are compared on: in short formats a single one may agree by chance
NO_GAIN = 1.02  # times the best throughput so far; two counts in a row with less end the measurement


class Calls:
    """Denoiser calls on made-up rows of one size."""

    def __init__(self, model: LoadedModel, runner: Runner, key: Key, alive: Callable[[], None] = lambda: None) -> None:
        self._model = model
        self._alive = alive
        self.counts = runner.buckets(key) or COUNTS  # a compiled call of another count would be compiled first
        self._runner = runner
        self._key = key
        rng = torch.Generator("cpu").manual_seed(0)
        self._latents = torch.randn((COUNTS[-1], *key.shape), generator=rng)
        self._timesteps = torch.linspace(20.0, 980.0, COUNTS[-1])
        self._rows = sham_rows(model, key.tokens, COUNTS[-1])

    @property
    def fitting(self) -> int:
        """The most rows that memory seems to have room for; 0: not known."""
        return rows_that_fit(self._model, self._key.shape)

    def run(self, rows: Sequence[int]) -> torch.Tensor:
        """The denoiser's output for the made-up rows with these numbers, in this order."""
        device, places = self._model.place.device, list(rows)
        output = self._runner.run(
            self._key,
            self._latents[places].to(device),
            self._timesteps[places].to(device),
            [self._rows[place] for place in places],
        )
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        self._alive()
        return output

    def let_go(self) -> None:
        """After a shortage."""
        let_go(self._model.place.device)


@torch.inference_mode()
def measure(calls: Calls, curve: Curve, *, seconds: float, most: int = 0) -> None:
    """Fill `curve`, for about `seconds`; `most` bounds the rows (0: no bound).

    Stops when more rows do not help any more. The first two counts are always measured, however slow they are. Others
    use the machine as well, so the shortest of several times counts, and what time is left goes to further rounds over
    all counts: a bad moment that hit one of them alone would be taken for its speed.
    """
    began, idle = time.perf_counter(), 0
    outputs: dict[int, torch.Tensor] = {}
    best = 0.0
    for count in calls.counts:
        spent = time.perf_counter() - began
        expected = TWICE * curve.seconds(count) if curve.times else 0.0
        too_many = (most and count > max(most, 2)) or (calls.fitting and count > max(calls.fitting, 1))
        if too_many or (len(outputs) >= 2 and (spent + expected > seconds or idle >= 2)):
            break
        try:
            outputs[count], curve.times[count] = _timed(calls, count, patience=seconds * SLOW)
        except RuntimeError as error:
            if not is_shortage(error):
                raise
            curve.overflowed(count)
            calls.let_go()
            break
        rate = count / curve.times[count]
        idle = 0 if rate > NO_GAIN * best else idle + 1
        best = max(best, rate)
    for _ in range(FURTHER):
        if time.perf_counter() - began + sum(curve.times[count] for count in outputs) > seconds:
            break
        for count in outputs:
            curve.times[count] = min(curve.times[count], _once(calls, count)[1])
    quick = {count: output for count, output in outputs.items() if curve.times[count] <= seconds * SLOW}
    curve.classes = _classes(calls, quick)


def _timed(calls: Calls, count: int, *, patience: float) -> tuple[torch.Tensor, float]:
    """The output of the last call and the shorter of two times; one call that outlasts `patience` is enough."""
    output, first = _once(calls, count)
    if first > patience:
        return output, first
    output, second = _once(calls, count)
    return output, min(first, second)


def _once(calls: Calls, count: int) -> tuple[torch.Tensor, float]:
    began = time.perf_counter()
    output = calls.run(range(count))
    return output, time.perf_counter() - began


def _classes(calls: Calls, outputs: dict[int, torch.Tensor]) -> list[tuple[int, ...]]:
    """Row counts whose calls gave the same bits for the same rows, in the slots they had and in turned ones."""
    rows = min(LOOKED_AT, max(outputs, default=0))
    classes: list[tuple[torch.Tensor, list[int]]] = []
    for count, output in outputs.items():
        if not _any_slot(calls, count, output):
            continue
        mine = _first_rows(calls, count, output, rows)
        for others, group in classes:
            if torch.equal(mine, others):
                group.append(count)
                break
        else:
            classes.append((mine, [count]))
    return [tuple(group) for _, group in classes]


def _first_rows(calls: Calls, count: int, output: torch.Tensor, rows: int) -> torch.Tensor:
    """What calls of `count` rows give for the first `rows`; `output` is that of the first call."""
    further = [calls.run([place % rows for place in range(at, at + count)]) for at in range(count, rows, count)]
    return torch.cat([output, *further])[:rows]


def _any_slot(calls: Calls, count: int, output: torch.Tensor) -> bool:
    if count == 1:
        return True
    turned = [*range(1, count), 0]
    return torch.equal(calls.run(turned), output[turned])
