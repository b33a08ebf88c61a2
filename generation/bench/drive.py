"""Plays a trace to an arm on the wall clock: a request is visible from its moment on, and not before."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence

from generation.bench.arms.arm import Arm, Witness
from generation.bench.measures import Calls, Served
from generation.bench.trace import Arrival

NAP = 0.005  # seconds; so long at most until a request that has become visible is seen


def drive(
    arm: Arm,
    arrivals: Sequence[Arrival],
    *,
    numbers_from: int = 0,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Served]:
    """Serve `arrivals` to the end; waiting counts from the planned moment, even where the arm was not looking."""
    witness = Witness(clock)
    waiting = deque(enumerate(arrivals, numbers_from))
    while True:
        while waiting and waiting[0][1].at <= witness.now:
            number, arrival = waiting.popleft()
            arm.submit(number, arrival.request, witness)
        if arm.work():
            continue
        if not waiting:
            break
        sleep(min(NAP, max(0.0, waiting[0][1].at - witness.now)))
    arm.settle()
    return [witness.served(number, item.request, item.at) for number, item in enumerate(arrivals, numbers_from)]


def difference(later: Calls, earlier: Calls) -> Calls:
    """The calls between two readings."""
    return Calls(later.calls - earlier.calls, later.rows - earlier.rows, later.padded - earlier.padded)
