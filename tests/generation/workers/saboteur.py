"""The painting process with faults built in: a test names this module as the program that workers run.

A job's seed chooses what befalls the process when that job takes its second step, or when its words are encoded.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from generation.workers import child_main

PROGRAM = "tests.generation.workers.saboteur"

FULL_WHILE = "SABOTAGE_FULL_WHILE"  # names a file; while that is there, no model can be loaded
SHORT_WHILE = "SABOTAGE_SHORT_WHILE"  # names a file; while that is there, memory ends at the stage that it names
BLIND_WHILE = "SABOTAGE_BLIND_WHILE"  # names a file; while that is there, no checker ever answers
DIES, HANGS, LOSES_THE_DEVICE, DIES_AT_ONCE, FILLS_MEMORY = 901, 902, 903, 904, 905


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _hang() -> None:
    time.sleep(3600)


def _lose_the_device() -> None:
    raise RuntimeError("CUDA error: an illegal memory access was encountered")


def _end_memory(left: int) -> None:
    import resource

    used = int(open("/proc/self/statm").read().split()[0]) * 4096  # noqa: SIM115 - this process is about to end
    resource.setrlimit(resource.RLIMIT_AS, (used + left, used + left))


def _fill_memory() -> None:
    _end_memory(2**24)
    kept = []
    try:
        while True:
            kept.append(bytearray(2**20))
    except MemoryError:
        os.abort()  # as a native allocation that fails does


AT_THE_SECOND_STEP: dict[int, Callable[[], None]] = {
    DIES: _die,
    HANGS: _hang,
    LOSES_THE_DEVICE: _lose_the_device,
    FILLS_MEMORY: _fill_memory,
}


def sabotage() -> None:
    """Let the faults in; imports torch, so only once the parent has said that a model is to be loaded."""
    from generation.engine import weights
    from generation.engine.rows import RowLane

    def on_a_full_disk(*_: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    if os.path.exists(os.environ.get(FULL_WHILE, "")):
        weights.read_json = on_a_full_disk

    _sabotage_memory(os.environ.get(SHORT_WHILE, ""))
    _sabotage_checkers(os.environ.get(BLIND_WHILE, ""))
    seeds: dict[int, int] = {}
    begin, advance = RowLane.begin, RowLane._advance

    def begun(lane: RowLane, number: int, job: Any, arrived: float) -> Any:
        if job.request.seed == DIES_AT_ONCE:
            _die()
        seeds[number] = job.request.seed
        return begin(lane, number, job, arrived)

    def advanced(lane: RowLane, samples: Sequence[Any]) -> int:
        for sample in samples:
            act = AT_THE_SECOND_STEP.get(seeds.get(sample.painting, 0))
            if act is not None and sample.done >= 1:
                act()
        return advance(lane, samples)

    RowLane.begin = begun  # type: ignore[method-assign]
    RowLane._advance = advanced  # type: ignore[method-assign]


def _sabotage_memory(flag: str) -> None:
    from generation.engine import easel, weights
    from generation.engine.rows import RowLane

    stages: dict[str, tuple[Any, str]] = {
        "reading": (weights, "load_found"),
        "checkers": (easel, "stand"),
        "warming up": (RowLane, "_advance"),
    }
    if not os.path.exists(flag):
        return
    module, name = stages[open(flag).read()]  # noqa: SIM115 - this process is about to end
    whole = getattr(module, name)

    def cramped(*values: Any, **named: Any) -> Any:
        _end_memory(0)  # real allocations fail from here on
        return whole(*values, **named)

    setattr(module, name, cramped)


def _sabotage_checkers(flag: str) -> None:
    from generation.engine import easel
    from generation.safety import gate
    from generation.safety.starter_world import StarterWorld

    look, gate_of = StarterWorld.check, gate.Gate

    def blind(checker: StarterWorld, images: Sequence[Any], *, request: Any) -> Any:
        if os.path.exists(flag):
            _hang()
        return look(checker, images, request=request)

    StarterWorld.check = blind  # type: ignore[method-assign]
    easel.Gate = lambda *values, **named: gate_of(*values, timeout=0.3, **named)  # type: ignore[assignment,misc]


if __name__ == "__main__":
    sabotage()
    child_main.main(int(sys.argv[1]))
