"""What was used for a while is given back; measured in a process of its own, where nobody else allocates."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

BURST = """
from pathlib import Path
from bot.thrift import give_back

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

before = resident()
burst = [bytes(3000) for _ in range(30_000)]
few = burst[::50]  # what lives on lies among what does not
del burst
burst = resident()
give_back()
print((resident() - before) / (burst - before))
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="this C library cannot give memory back")
def test_a_burst_leaves_little_behind() -> None:
    told = subprocess.run([sys.executable, "-c", BURST], capture_output=True, text=True, check=True)
    assert float(told.stdout) < 0.3
