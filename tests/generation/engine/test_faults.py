"""Errors of a device: which are over with the call, which stay, and what each stage does where memory is short."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from generation.engine import device, lora, text, weights
from generation.engine.decode import Decoder
from generation.engine.faults import is_shortage, may_pass, stays
from generation.engine.rows import RowLane
from generation.errors import OutOfMemory
from generation.models import STARTER, resolve
from generation.request import Lora, Request
from tests.generation import tiny_lora
from tests.generation.engine.served import engine, paint

Wish = Callable[..., Request]


@pytest.mark.parametrize(
    ("error", "short", "sticky"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), True, False),
        (RuntimeError("CUDA error: out of memory"), True, False),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), True, False),
        (MemoryError(), True, False),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), False, True),
        (RuntimeError("CUDA error: device-side assert triggered"), False, True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), False, True),
        (RuntimeError("NVML: device lost"), False, True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False, False),
        (ValueError("CUDA error: said by somebody else"), False, False),
    ],
    ids=lambda value: str(value)[:30] if isinstance(value, Exception) else None,
)
def test_errors_are_told_apart(error: Exception, short: bool, sticky: bool) -> None:
    assert (is_shortage(error), stays(error)) == (short, sticky)


def test_the_accelerator_s_own_error_stays() -> None:
    kind = getattr(torch, "AcceleratorError", None) or type("AcceleratorError", (RuntimeError,), {})
    assert stays(kind("unspecified launch failure"))


def refuse(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, times: int) -> list[int]:
    """Have the allocator refuse the first `times` calls; returns the list of all calls."""
    calls: list[int] = []
    kept = getattr(owner, name)

    def cramped(*values: Any, **named: Any) -> Any:
        calls.append(len(calls))
        if len(calls) <= times:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        return kept(*values, **named)

    monkeypatch.setattr(owner, name, cramped)
    return calls


STAGES: dict[str, tuple[Any, str]] = {
    "words": (text, "_call"),
    "first step": (RowLane, "_advance"),
    "decoding": (Decoder, "_once"),
}


@pytest.mark.parametrize("stage", STAGES)
def test_where_memory_is_too_short_that_job_ends_with_advice_and_the_next_is_painted(
    wish: Wish, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    subject = engine()
    with monkeypatch.context() as cramped:
        refuse(cramped, *STAGES[stage], times=10**6)
        with pytest.raises(OutOfMemory, match="smaller one"):
            paint(subject, wish(width=64, height=64, prompt="a tree"))
    assert paint(subject, wish(width=64, height=64, steps=1)).pictures[0].approved is not None


@pytest.mark.parametrize("stage", STAGES)
def test_another_model_has_to_go_before_a_job_fails(
    wish: Wish, monkeypatch: pytest.MonkeyPatch, stage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = tmp_path / "other"
    other.symlink_to(STARTER)
    subject = engine(places={"other": str(other)})
    paint(subject, wish(width=64, height=64, steps=1, model="other"))
    assert len(subject._residence.ready) == 2
    refuse(monkeypatch, *STAGES[stage], times=2 if stage == "decoding" else 1)  # tiles come first
    result = paint(subject, wish(width=64, height=64, steps=1, guidance=1.0, prompt="a tree"))
    assert result.pictures[0].approved is not None
    assert "model other has to go" in caplog.text
    assert [one.name for one in subject._shelf.resident] == ["starter"]


def test_a_lora_that_does_not_fit_is_not_called_broken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny_model: Path
) -> None:
    folder = tmp_path / "loras"
    folder.mkdir()
    model = weights.load(resolve(str(tiny_model)), device.choose("cpu", "float32", 1))
    tiny_lora.peft_lora(model.pipeline, folder / "warm.safetensors", ("unet",))
    loras = lora.Loras(folder)
    with monkeypatch.context() as cramped:
        refuse(cramped, model.pipeline, "load_lora_weights", times=1)
        with pytest.raises(torch.OutOfMemoryError):
            loras.use(model, (Lora("warm", 1.0),))
    assert loras.use(model, (Lora("warm", 1.0),)) == ()  # and nothing of the first try is left


class Answer(Exception):
    """As the hub's client raises it."""

    def __init__(self, status: int) -> None:
        self.response = type("Response", (), {"status_code": status})()


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EIO, "Input/output error"), True),
        (FileNotFoundError(errno.ENOENT, "No such file"), False),
        (type("ConnectError", (Exception,), {})("no route"), True),
        (Answer(503), True),
        (Answer(404), False),
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (RuntimeError("CUDA error: all CUDA-capable devices are busy or unavailable"), True),
        (ValueError("header too large"), False),
    ],
    ids=lambda value: str(value)[:20] if isinstance(value, Exception) else None,
)
def test_what_may_pass_is_told_from_what_does_not(error: Exception, passes: bool) -> None:
    wrapped = OSError("the library's own words")
    wrapped.__cause__ = error
    assert may_pass(error) == may_pass(wrapped) == passes
