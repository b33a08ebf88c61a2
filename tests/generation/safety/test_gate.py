"""The gate with scripted checkers: whatever is not a clear approval keeps the picture inside."""

from __future__ import annotations

import ast
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import generation
from generation.engine.files import PictureFile, encode
from generation.errors import BrokenPicture, NotApproved
from generation.job import Job
from generation.request import Request
from generation.safety.checker import Verdict
from generation.safety.gate import Gate
from generation.safety.judgement import COULD_NOT_CHECK, NO_CHECKER, Judgement
from generation.safety.level import Level

NAN = float("nan")
REQUEST = Request(
    prompt="x", width=64, height=64, steps=1, guidance=1.0, sampler="ddim", seed=0, model="starter", count=4
)
JOB = Job(id="job", request=REQUEST)


class Scripted:
    """Answers each picture with the next item of a list: a value to return, or an exception to raise."""

    name = "scripted"
    version = "1"
    coverage = "says what it was told to say."

    def __init__(self, *answers: Any, covers: bool = True) -> None:
        self.answers = list(answers)
        self.seen: list[Image.Image] = []
        self._covers = covers

    def covers(self, request: Request) -> bool:
        return self._covers

    def check(self, images: Sequence[Image.Image], *, request: Request) -> Sequence[Verdict]:
        self.seen.extend(images)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, list) or answer is None else [answer]  # type: ignore[return-value]


def pixels(count: int = 1) -> Any:
    return list(np.random.default_rng(0).integers(0, 256, (count, 16, 16, 3), dtype=np.uint8))


def write(image: Image.Image, index: int | None) -> PictureFile:
    return encode(image, "png", parameters=None, from_upload=False)


def outcome(gate: Gate, count: int = 1) -> list[str | None]:
    """The sentence for each picture; None for one that was approved."""
    released = gate.release(pixels(count), job=JOB, write=write)
    return [None if picture.approved is not None else picture.withheld for picture in released.pictures]


YES, NO = Verdict(Level.NEUTRAL, (0.1,)), Verdict(Level.HIGH, (0.9,), "nsfw")


def test_an_approved_file_is_made_of_the_checked_pixels() -> None:
    checker = Scripted(YES)
    given_pixels = pixels()
    released = Gate([checker]).release(given_pixels, job=JOB, write=write)
    approved = released.pictures[0].approved
    assert approved is not None
    assert approved.checked_by == ("scripted 1",)
    assert approved.data == write(checker.seen[0], 0).data
    assert checker.seen[0].tobytes() == given_pixels[0].tobytes()
    assert released.grid is None


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        [YES, YES],
        ["yes"],
        [True],
        RuntimeError("out of order"),
        TimeoutError(),
        Verdict(Level.NEUTRAL, (NAN,)),
        Verdict(Level.NEUTRAL, (0.1, float("inf"))),
        Verdict(Level.HIGH, (NAN,)),
    ],
)
def test_a_check_that_failed_approves_nothing(answer: Any) -> None:
    assert outcome(Gate([Scripted(answer)])) == [COULD_NOT_CHECK]
    assert outcome(Gate([Scripted(YES), Scripted(answer)])) == [COULD_NOT_CHECK]


def test_every_checker_must_approve_each_picture_on_its_own() -> None:
    gate = Gate([Scripted(YES, NO, YES, YES), Scripted(YES, YES, NO, YES)])
    refused = NotApproved().sentence
    released = gate.release(pixels(4), job=JOB, write=write)
    assert [picture.withheld for picture in released.pictures] == ["", refused, refused, ""]
    assert released.flagged
    assert released.grid is not None
    assert (released.grid.width, released.grid.height) == (32, 16)  # the two approved ones, nothing else


def test_a_truthy_approval_is_not_enough() -> None:
    assert outcome(Gate([Scripted(Verdict("no", (0.1,)))])) != [None]  # type: ignore[arg-type]


def test_without_a_checker_nothing_is_approved() -> None:
    assert outcome(Gate([])) == [NO_CHECKER]
    assert outcome(Gate([Scripted(covers=False)])) == [NO_CHECKER]
    assert not Gate([Scripted(covers=False)]).can_judge(REQUEST)


def test_a_failed_check_does_not_count_as_flagged() -> None:
    released = Gate([Scripted(ValueError())]).release(pixels(), job=JOB, write=write)
    assert not released.flagged


def test_broken_pixels_are_never_shown_to_a_checker_nor_approved() -> None:
    sound = pixels()[0]
    for bad in (None, sound.astype(np.float32), sound[..., :1], sound[0], sound[:0]):
        broken = [bad, sound]
        checker = Scripted(YES)
        released = Gate([checker]).release(broken, job=JOB, write=write)
        assert released.pictures[0].approved is None
        assert released.pictures[0].withheld == BrokenPicture().sentence
        assert released.pictures[1].approved is not None
        assert len(checker.seen) == 1


def test_a_checker_that_hangs_is_left_behind() -> None:
    release = threading.Event()

    class Hanging(Scripted):
        def check(self, images: Sequence[Image.Image], *, request: Request) -> Sequence[Verdict]:
            if not self.seen:
                super().check(images, request=request)
                release.wait(10)
            return [YES]

    gate = Gate([Hanging(YES)], timeout=0.1)
    assert outcome(gate) == [COULD_NOT_CHECK]
    assert outcome(gate) == [None]  # the next picture is checked in a fresh thread
    release.set()


def test_checkers_that_never_answer_ask_for_a_new_process_and_one_late_look_does_not() -> None:
    release = threading.Event()

    class Sometimes(Scripted):
        def check(self, images: Sequence[Image.Image], *, request: Request) -> Sequence[Verdict]:
            answer = super().check(images, request=request)
            if answer is None:
                release.wait(10)
            return answer

    gate = Gate([Sometimes(None, None, YES, None, None, None)], timeout=0.05)
    stuck = []
    for _ in range(6):
        gate.release(pixels(), job=JOB, write=write)
        stuck.append(gate.stuck)
    release.set()
    assert stuck == [False] * 5 + [True]


@given(
    st.lists(
        st.lists(st.sampled_from([YES, NO, None, Verdict(Level.NEUTRAL, (NAN,)), OSError()]), min_size=4, max_size=4)
    )
)
def test_only_unanimous_sound_approval_lets_a_picture_out(script: list[list[Any]]) -> None:
    gate = Gate([Scripted(*answers, *[NO] * 8) for answers in script])  # likenesses of what is held are never approved
    released = gate.release(pixels(4), job=JOB, write=write)
    for index, picture in enumerate(released.pictures):
        # a checker is not asked on after its first failure, so what it would have said later counts for nothing
        heard = [answers[: index + 1] for answers in script]
        clear = all(words[-1] is YES and all(isinstance(word, Verdict) for word in words) for words in heard)
        assert (picture.approved is not None) == (bool(script) and clear)


@given(st.sampled_from(Level), st.sampled_from(Level), st.booleans(), st.booleans(), st.booleans())
def test_what_may_be_shown(level: Level, clearance: Level, strict: bool, review: bool, upload: bool) -> None:
    request = replace(REQUEST, count=1, **({"image": "0" * 64, "strength": 0.5} if upload else {}))
    job = Job(id="job", request=request, clearance=clearance, strict=strict, review=review)
    gate = Gate([Scripted(Verdict(level, (0.5,), "seen"), YES)])
    picture = gate.release(pixels(), job=job, write=write).pictures[0]
    absolute = (strict and level > Level.NEUTRAL) or (upload and level >= Level.MEDIUM)
    assert (picture.approved is not None) == (level <= clearance and not review and not absolute)
    assert (picture.held is not None) == (picture.approved is None and not absolute)  # absolute: its pixels end here
    assert (picture.evidence is not None) == (picture.held is not None)
    assert picture.level is level
    if picture.approved is not None:
        assert picture.approved.level is level


def test_evidence_is_blurred_until_no_checker_sees_anything() -> None:
    checker = Scripted(NO, NO, YES)
    picture = Gate([checker]).release(pixels(), job=JOB, write=write).pictures[0]
    assert picture.evidence is not None
    assert picture.evidence.level is Level.NEUTRAL
    assert len(checker.seen) == 3  # the picture, and two likenesses
    assert Gate([Scripted(NO, NO, NO, NO)]).release(pixels(), job=JOB, write=write).pictures[0].evidence is None
    assert Gate([Scripted(NO, *[OSError()] * 3)]).release(pixels(), job=JOB, write=write).pictures[0].evidence is None


def test_what_could_not_be_judged_is_not_held() -> None:
    for answer in (None, OSError(), Verdict(Level.NEUTRAL, (NAN,))):
        picture = Gate([Scripted(answer)]).release(pixels(), job=JOB, write=write).pictures[0]
        assert picture.held is picture.evidence is None


def test_uploads_are_judged_before_anything_is_painted_from_them() -> None:
    image = Image.new("RGB", (16, 16))
    job = Job(id="job", request=replace(REQUEST, image="0" * 64, strength=0.5), clearance=Level.HIGH)
    for level in Level:
        assert Gate([Scripted(Verdict(level))]).admits(image, job) == (level < Level.MEDIUM)
    assert not Gate([Scripted(Verdict(Level.LOW))]).admits(image, replace(job, clearance=Level.NEUTRAL))
    assert not Gate([Scripted(None)]).admits(image, job)
    assert not Gate([]).admits(image, job)


def test_the_self_test_finds_a_checker_that_cannot_work() -> None:
    one = Request(**{**{name: getattr(REQUEST, name) for name in REQUEST.__dataclass_fields__}, "count": 1})
    Gate([Scripted(YES)]).self_test(one)
    Gate([Scripted(NO)]).self_test(one)  # it works, it is only strict
    for answer in (None, Verdict(Level.NEUTRAL, (NAN,)), RuntimeError()):
        with pytest.raises(NotApproved, match="self-test"):
            Gate([Scripted(answer)]).self_test(one)


def test_only_the_gate_makes_approvals() -> None:
    root = Path(generation.__file__).parents[1]
    callers: set[str] = set()
    for path in [path for room in ("bot", "generation", "cogs") for path in (root / room).rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Attribute(value=ast.Name(id="Approved"), attr="of"):
                    callers.add(path.relative_to(root).as_posix())
    assert callers == {"generation/safety/gate.py"}


def test_a_gate_without_its_check_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests above must fail when the gate's judgement is removed: here is the proof for the central one."""
    blind: Callable[..., Judgement] = lambda verdicts, job: Judgement("")  # noqa: E731
    monkeypatch.setattr("generation.safety.gate.judge", blind)
    assert outcome(Gate([Scripted(NO)])) == [None]
