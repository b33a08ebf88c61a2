"""File descriptors of a process of its own: counted, raised, and said to be few."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOOK = (
    "import logging, sys; logging.basicConfig(stream=sys.stdout, format='%(message)s');"
    "from bot import open_files; print(open_files.raise_limit(), open_files.limit());"
    "before = open_files.open_now(); kept = [open('/dev/null') for _ in range(7)];"
    "print(open_files.open_now() - before)"
)


def looked(soft: int, hard: int) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", LOOK],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard)),
    )
    return done.stdout.splitlines()


def test_the_soft_limit_is_raised_as_far_as_the_hard_one_allows() -> None:
    assert looked(100, 900) == ["900 900", "7"]


def test_a_low_hard_limit_is_said_in_the_log() -> None:
    warned, limits, opened = looked(200, 200)
    assert "Only 200 files may be open at once" in warned
    assert (limits, opened) == ("200 200", "7")


def test_a_limit_that_would_not_do_is_one_sentence_with_its_remedy() -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        looked(60, 60)
    assert "ConfigError: Only 60 files may be open at once; allow 1024" in failed.value.stderr
