"""The engine's units of work, and that the fault of one picture is nobody else's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from generation.engine import device, weights
from generation.engine.model import LoadedModel
from generation.engine.options import EngineOptions
from generation.engine.sample import Sample
from generation.engine.stepping import Course
from generation.errors import BadRequest, BrokenPicture, Cancelled, ModelUnavailable, OutOfMemory, PaintingError
from generation.models import resolve
from generation.request import Request
from tests.generation.engine.easel import EXACT, FAST, Easel, WatchedLane, easel, painted, png

Wish = Callable[..., Request]


@pytest.fixture(scope="module")
def tiny(tiny_model: Path) -> LoadedModel:
    return weights.load(resolve(str(tiny_model)), device.choose("cpu", "auto", 1))


@pytest.fixture
def small(wish: Wish) -> Wish:
    return lambda **changes: wish(**{"width": 64, "height": 64, "steps": 3} | changes)


class Cramped(WatchedLane):
    """A lane whose denoiser the allocator refuses more than `most` rows."""

    most = 3
    refused = 0

    def __init__(self, model: LoadedModel, options: EngineOptions) -> None:
        super().__init__(model, options)
        self._curves = {}
        run = self._runner.run

        def cramped(key: Any, latents: torch.Tensor, timesteps: torch.Tensor, rows: Sequence[Any]) -> torch.Tensor:
            if len(rows) > self.most:
                self.refused += 1
                torch.empty(2**50)  # the allocator's own refusal
            return run(key, latents, timesteps, rows)

        self._runner.run = cramped  # type: ignore[method-assign]


class Poisoned(WatchedLane):
    """A lane that cannot step pictures of one seed."""

    error: Exception = ValueError("poison")

    def _advance(self, samples: Sequence[Sample]) -> int:
        if any(self._flights[sample].guidance == 6.66 for sample in samples):
            raise self.error
        return super()._advance(samples)


@torch.inference_mode()
def spoil(course: Course, value: float) -> None:
    """What a fault in the device's memory would do."""
    assert course.slots is not None
    course.slots[:] = value


def submit(subject: Easel, *requests: Request) -> None:
    for number, request in enumerate(requests):
        subject.submit(number, request)


def test_jobs_share_calls_and_each_is_told_of_its_own_steps(tiny: LoadedModel, small: Wish) -> None:
    subject = easel(tiny)
    submit(subject, small(steps=2), small(steps=4, seed=2), small(steps=3, count=2, seed=3))
    subject.run()
    assert {number: len(pixels) for number, pixels in subject.pixels.items()} == {0: 1, 1: 1, 2: 2}
    for number, steps in enumerate((2, 4, 3)):
        told = subject.progress[number]
        assert told[-1].step == told[-1].steps == steps
        assert [item.step for item in told] == sorted(item.step for item in told)
    assert subject.engine.counts.calls < 2 + 4 + 3
    assert not subject.engine.busy


def test_a_newcomer_s_first_step_comes_before_the_next_step_of_others(tiny: LoadedModel, small: Wish) -> None:
    subject = easel(tiny, EngineOptions(exact="off", channels_last="off", measure_seconds=0.0, rows=2))
    submit(subject, small(steps=20))
    for _ in range(5):
        subject.engine.tick()
    subject.submit(9, small(seed=9, steps=20))
    subject.engine.tick()
    assert [item.step for item in subject.progress[9]] == [1]
    assert len(subject.progress[0]) == 5


def test_finished_pictures_do_not_wait_for_a_crowd_of_newcomers(tiny: LoadedModel, small: Wish) -> None:
    subject = easel(tiny, EngineOptions(exact="off", channels_last="off", measure_seconds=0.0, rows=2))
    submit(subject, small(steps=1), *(small(seed=seed, steps=9) for seed in range(2, 12)))
    ticks = 0
    while 0 not in subject.pixels:
        subject.engine.tick()
        ticks += 1
    assert ticks <= 3


def test_cancel_takes_effect_at_once_wherever_the_job_is(tiny: LoadedModel, small: Wish) -> None:
    subject = easel(tiny)
    submit(subject, small(steps=9), small(steps=9, seed=2), small(steps=1, seed=3))
    subject.engine.cancel(1)  # not begun
    subject.engine.tick()
    subject.engine.cancel(0)  # in flight
    subject.engine.cancel(77)
    subject.run()
    assert {number: type(error) for number, error in subject.failures.items()} == {0: Cancelled, 1: Cancelled}
    assert list(subject.pixels) == [2]
    assert len(subject.progress[0]) == 1
    assert not subject.lane._flights


def test_a_poisonous_job_ends_alone(tiny: LoadedModel, small: Wish, caplog: pytest.LogCaptureFixture) -> None:
    subject = easel(tiny, EXACT, lane=Poisoned)
    submit(subject, small(), small(guidance=6.66), small(seed=3))
    subject.run()
    assert {number: type(error) for number, error in subject.failures.items()} == {1: PaintingError}
    assert sorted(subject.pixels) == [0, 2]
    assert "poison" in caplog.text
    assert torch.equal(subject.latents(0), painted(tiny, small(), options=EXACT)[0])


@pytest.mark.parametrize("words", ["CUDA error: an illegal memory access was encountered"])
def test_a_device_error_that_sticks_ends_the_engine(
    tiny: LoadedModel, small: Wish, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    monkeypatch.setattr(Poisoned, "error", RuntimeError(words))
    subject = easel(tiny, lane=Poisoned)
    submit(subject, small(), small(guidance=6.66))
    with pytest.raises(RuntimeError, match="CUDA error"):
        subject.run()


def test_numbers_that_are_none_spoil_one_picture_and_not_its_neighbours(tiny: LoadedModel, small: Wish) -> None:
    subject = easel(tiny, EXACT)
    submit(subject, small(), small(seed=2, count=2))
    subject.engine.tick()
    spoilt = next(sample for sample in subject.lane._flights if (sample.painting, sample.index) == (1, 0))
    spoil(subject.lane._flights[spoilt].course, float("nan"))
    subject.run()
    assert subject.pixels[1][0] is None
    assert subject.pixels[1][1] is not None
    assert torch.equal(subject.latents(0), painted(tiny, small(), options=EXACT)[0])
    assert subject.engine.counts.broken_in_a_row == 0


@pytest.mark.parametrize("options", [FAST, EXACT], ids=["fast", "exact"])
def test_where_memory_is_short_jobs_are_done_with_fewer_rows_and_that_is_remembered(
    tiny: LoadedModel, small: Wish, options: EngineOptions
) -> None:
    subject = easel(tiny, options, lane=Cramped)
    submit(subject, *(small(seed=seed) for seed in range(4)))
    subject.run()
    assert not subject.failures
    assert sorted(subject.pixels) == [0, 1, 2, 3]
    assert isinstance(subject.lane, Cramped)
    refused = subject.lane.refused
    assert refused >= 1
    subject.submit(5, small(seed=5))
    subject.submit(6, small(seed=6))
    subject.run()
    assert subject.lane.refused == refused  # not tried again
    [curve] = subject.lane.curves().values()
    assert 2 <= curve.most <= 3


def test_where_not_even_one_guided_picture_fits_its_rows_are_painted_one_by_one(
    tiny: LoadedModel, small: Wish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Cramped, "most", 1)
    subject = easel(tiny, lane=Cramped)
    submit(subject, small())
    subject.run()
    assert isinstance(subject.lane, Cramped)
    refused = subject.lane.refused
    submit(subject, small())
    subject.run()
    assert not subject.failures
    assert subject.lane.refused == refused  # remembered for the size


def test_where_not_even_one_row_fits_it_is_said_so(
    tiny: LoadedModel, small: Wish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Cramped, "most", 0)
    subject = easel(tiny, lane=Cramped)
    submit(subject, small(), small(seed=2, guidance=1.0))
    subject.run()
    assert {number: type(error) for number, error in subject.failures.items()} == {0: OutOfMemory, 1: OutOfMemory}


def test_what_does_not_fit_the_model_is_refused_and_the_others_go_on(tiny: LoadedModel, small: Wish) -> None:
    subject = easel(tiny)
    submit(subject, small(sampler="flow_euler"), small(seed=2))
    subject.run()
    assert isinstance(subject.failures[0], BadRequest)
    assert list(subject.pixels) == [1]


def test_a_model_that_is_not_there_is_said_so(tiny: LoadedModel, small: Wish) -> None:
    subject = easel(tiny)
    subject.engine.drop(subject.lane.name)
    submit(subject, small())
    assert not subject.engine.tick()
    assert isinstance(subject.failures[0], ModelUnavailable)


def test_the_share_of_the_time_is_shared(tiny: LoadedModel, small: Wish) -> None:
    seconds: dict[int, float] = {}
    now = iter(float(number) for number in range(10_000))
    subject = easel(tiny)
    subject.engine._clock = lambda: next(now)
    subject.engine._painted = lambda painting, _: seconds.__setitem__(painting.number, painting.seconds)
    submit(subject, small(guidance=1.0), small(seed=2))  # one row and two
    subject.run()
    assert seconds[0] < seconds[1]


def test_broken_jobs_in_a_row_are_counted(tiny: LoadedModel, small: Wish) -> None:
    subject = easel(tiny)
    for number in range(2):
        subject.submit(number, small(seed=number))
        subject.engine.tick()
        for flight in subject.lane._flights.values():
            spoil(flight.course, float("inf"))
        subject.run()
    assert subject.engine.counts.broken_in_a_row == 2
    subject.submit(3, small())
    subject.run()
    assert subject.engine.counts.broken_in_a_row == 0
    assert BrokenPicture().sentence


def test_a_stream_of_one_step_jobs_does_not_starve_one_of_more_steps(tiny: LoadedModel, small: Wish) -> None:
    subject = easel(tiny, EngineOptions(exact="off", channels_last="off", measure_seconds=0.0, rows=2))
    subject.submit(0, small(width=96, steps=3))  # of another size, so that it shares no call
    number = 1
    while 0 not in subject.pixels:
        if subject.engine.counts.decoded + 3 > number:  # somebody new for everybody who is through
            subject.submit(number, small(steps=1, seed=number))
            number += 1
        subject.engine.tick()
        assert number < 60


def test_a_preview_that_cannot_be_made_costs_nothing_else(
    tiny: LoadedModel, small: Wish, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def of(self, painting: Any, now: float) -> bytes:
            raise MemoryError("no room for a preview")

    subject = easel(tiny)
    subject.engine._glimpse = Broken()  # type: ignore[assignment]
    submit(subject, small())
    subject.run()
    assert list(subject.pixels) == [0]
    assert "no preview" in caplog.text


def test_steps_of_image_to_image_are_counted_as_members_do(tiny: LoadedModel, small: Wish) -> None:
    subject = easel(tiny)
    picture = png(Image.new("RGB", (64, 64), "teal"))
    subject.submit(0, small(sampler="heun", steps=10, image="0" * 64, strength=0.4), picture)
    subject.run()
    assert subject.progress[0][-1].step == subject.progress[0][-1].steps == 4
