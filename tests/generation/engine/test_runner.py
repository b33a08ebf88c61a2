"""Eager first, compiled once it is ready; a picture ends on the path that it began on."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from generation.engine import device, weights
from generation.engine.model import LoadedModel
from generation.engine.options import EngineOptions
from generation.engine.runner import BUCKETS
from generation.models import resolve
from generation.request import Lora, Request
from tests.generation.engine.easel import FAST, Easel, easel, painted

Wish = Callable[..., Request]
COMPILED = EngineOptions(exact="off", channels_last="off", measure_seconds=0.0, compile="on")


@pytest.fixture
def tiny(tiny_model: Path) -> LoadedModel:
    return weights.load(resolve(str(tiny_model)), device.choose("cpu", "auto", 1))


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiler's front end without its code generator, which takes minutes."""
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="eager"))


def until_compiled(subject: Easel, seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not subject.lane._runner._ready:
        assert time.monotonic() < end, "the denoiser was never compiled"
        time.sleep(0.05)


def assert_paths_agree(tiny: LoadedModel, wish: Wish, seconds: float) -> None:
    subject = easel(tiny, COMPILED)
    request = wish(width=64, height=64, steps=4)
    subject.submit(0, request)
    subject.engine.tick()
    paths = {sample.key.path for sample in subject.lane._flights}
    assert paths == {"eager"}  # nobody waits for a compiler
    until_compiled(subject, seconds)
    subject.submit(1, request)
    subject.submit(2, request)
    subject.engine.tick()
    assert sorted(sample.key.path for sample in subject.lane._flights) == ["compiled", "compiled", "eager"]
    subject.run()
    eager = painted(tiny, request, options=FAST)[0]
    for number in range(3):
        assert torch.allclose(subject.latents(number), eager, atol=1e-3)
    assert torch.equal(subject.latents(1), subject.latents(2))


def test_pictures_are_painted_eagerly_until_the_compiler_is_done(tiny: LoadedModel, wish: Wish, traced: None) -> None:
    assert_paths_agree(tiny, wish, 120.0)


@pytest.mark.slow
def test_the_real_compiler_paints_the_same_pictures(tiny: LoadedModel, wish: Wish) -> None:
    assert_paths_agree(tiny, wish, 900.0)


def test_compiled_calls_have_a_few_fixed_row_counts(tiny: LoadedModel, wish: Wish, traced: None) -> None:
    subject = easel(tiny, COMPILED)
    request = wish(width=64, height=64, steps=2)
    subject.submit(0, request)
    subject.run()
    until_compiled(subject)
    seen: list[int] = []
    run = subject.lane._runner.run

    def watched(key: Any, latents: torch.Tensor, timesteps: torch.Tensor, rows: Any) -> torch.Tensor:
        seen.append(len(rows))
        return run(key, latents, timesteps, rows)

    subject.lane._runner.run = watched  # type: ignore[method-assign]
    for number in range(1, 4):
        subject.submit(number, request)
    subject.run()
    assert seen
    assert set(seen) <= set(BUCKETS)


def test_a_compiler_that_fails_costs_nothing_but_speed(
    tiny: LoadedModel, wish: Wish, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("no compiler here")

    monkeypatch.setattr(torch, "compile", broken)
    subject = easel(tiny, COMPILED)
    for number in range(2):
        subject.submit(number, wish(width=64, height=64, steps=2))
        subject.run()
        time.sleep(0.2)
    assert sorted(subject.pixels) == [0, 1]
    assert "could not be compiled" in caplog.text


def test_pictures_with_loras_are_painted_eagerly(tiny: LoadedModel) -> None:
    runner = easel(tiny, COMPILED).lane._runner
    assert runner.path((4, 8, 8), 77, (Lora("ink"),)) == "eager"
    assert not runner._asked
