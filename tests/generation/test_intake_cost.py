"""What a hostile picture costs: a refusal within a second, and no more than 100 MiB on top of a harmless one."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.e2e import nasty_files

PROGRAM = """
import asyncio, json, resource, sys, time
from generation.errors import BadRequest
from generation.intake import clean
from tests.e2e import nasty_files

def memory():  # MiB, the most so far: of this process, and of one that it started
    return [resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]

async def refused(data):
    began = time.perf_counter()
    try:
        await clean(data)
    except BadRequest:
        return time.perf_counter() - began
    return 99.0

async def main():
    await clean(nasty_files.png())
    before = memory()
    taken = {}
    for name in sys.argv[1:]:
        data = getattr(nasty_files, name)()
        taken[name] = min([await refused(data) for _ in range(3)])
    print(json.dumps({"seconds": taken, "mebibytes": [max(0, b - a) for a, b in zip(before, memory())]}))

asyncio.run(main())
"""
HOSTILE = ("bomb", "text_bomb", "lying_header", "truncated", "sliver", "gif", "too_big")


def test_a_hostile_picture_is_refused_within_a_second_and_costs_no_memory() -> None:
    assert all(hasattr(nasty_files, name) for name in HOSTILE)
    command = [sys.executable, "-c", PROGRAM, *HOSTILE]
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    told = json.loads(done.stdout)
    assert max(told["seconds"].values()) <= 1.0, told
    assert max(told["mebibytes"]) < 100.0, told
