"""Previews reach somebody only through the gate, and never hold up the news of a step."""

from __future__ import annotations

import io
import threading
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from generation.engine.glance import PENDING, Glance
from generation.job import Job, Progress
from generation.request import Request
from generation.safety.checker import Verdict
from generation.safety.gate import Gate
from generation.safety.level import Level
from tests.gated import Scripted

REQUEST = Request(prompt="x", width=64, height=64, steps=4, guidance=1.0, sampler="ddim", seed=0, model="starter")
JOB = Job(id="job", request=REQUEST)


def a_preview() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (32, 32), (200, 40, 40)).save(file, "JPEG")
    return file.getvalue()


def told(checker: Scripted, job: Job = JOB, steps: int = 1) -> list[Progress]:
    """Everything that is told of a job whose steps all have previews."""
    heard: list[Progress] = []
    glance = Glance()
    follow = glance.follow(job, Gate([checker], timeout=1.0), heard.append)
    for step in range(1, steps + 1):
        follow(Progress(step=step, steps=4, preview=a_preview()))
        while glance._places._value < PENDING:
            pass
    glance.close()
    return heard


def test_a_step_is_told_at_once_and_its_preview_when_it_has_passed() -> None:
    first, second = told(Scripted(always=Level.NEUTRAL))
    assert (first.step, first.preview) == (1, None)
    assert (second.step, second.preview) == (1, a_preview())


@pytest.mark.parametrize(
    "answer",
    [Level.LOW, Level.HIGH, RuntimeError("out of order"), None, Verdict(Level.NEUTRAL, (float("nan"),))],
    ids=["low", "high", "raises", "none", "nan"],
)
def test_what_does_not_pass_is_left_out(answer: Any) -> None:
    assert [progress.preview for progress in told(Scripted(always=answer), steps=3)] == [None] * 3


def test_what_the_place_allows_is_shown_unless_words_or_a_rule_forbid_it() -> None:
    seen = {"always": Level.MEDIUM}
    allowed = replace(JOB, clearance=Level.HIGH)
    assert told(Scripted(**seen), allowed)[-1].preview is not None
    assert told(Scripted(**seen), replace(allowed, strict=True))[-1].preview is None
    assert told(Scripted(**seen), replace(allowed, review=True))[-1].preview is None


def test_without_a_checker_nothing_is_shown() -> None:
    heard: list[Progress] = []
    glance = Glance()
    glance.follow(JOB, Gate([]), heard.append)(Progress(step=1, steps=4, preview=a_preview()))
    glance.close()
    assert [progress.preview for progress in heard] == [None]


def test_a_slow_checker_holds_up_no_step() -> None:
    release = threading.Event()
    heard: list[Progress] = []
    glance = Glance()
    follow = glance.follow(JOB, Gate([Scripted(always=lambda: release.wait(5) and Level.NEUTRAL)]), heard.append)
    for step in range(1, PENDING + 5):
        follow(Progress(step=step, steps=99, preview=a_preview()))
    assert [progress.step for progress in heard] == list(range(1, PENDING + 5))  # none of them waited
    release.set()
    glance.close()
