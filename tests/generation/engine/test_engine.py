"""A whole job inside the engine: what passes the gate, what does not, and what is said about it."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from generation.engine.engine import Engine
from generation.errors import BrokenPicture, ModelUnavailable, NotApproved, OutOfMemory, UploadsRefused
from generation.job import Job, Result
from generation.models import STARTER
from generation.request import Request
from generation.safety.gate import NO_CHECKER
from generation.workers.worker import EngineSettings

Wish = Callable[..., Request]


def engine(**settings: Any) -> Engine:
    return Engine(EngineSettings(**{"threads": 1} | settings), lambda doing: None)


def paint(subject: Engine, request: Request, image: bytes | None = None) -> Result:
    return subject.paint(Job(id="job", request=request, image=image), lambda progress: None, lambda: False)


def changed_starter(folder: Path, part: str, change: Callable[[dict[str, torch.Tensor]], None]) -> Path:
    shutil.copytree(STARTER, folder)
    path = folder / part / "diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)
    return folder


def png(size: tuple[int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, "teal").save(buffer, "PNG")
    return buffer.getvalue()


def test_uploads_need_a_checker_or_the_owner_s_word(wish: Wish, easy_checker: Path) -> None:
    upload, image = wish(width=64, height=64, image="0" * 64, strength=0.5), png((100, 50))
    closed = engine()
    assert not closed.status.accepts_uploads
    with pytest.raises(NotApproved) as caught:
        paint(closed, upload, image)
    assert caught.value.sentence == UploadsRefused().sentence
    for settings, name in (
        ({"allow_unchecked_uploads": True}, "NOT CHECKED (local only)"),
        ({"checkers": (str(easy_checker),)}, "Stable Diffusion safety checker"),
    ):
        open_one = engine(**settings)
        assert open_one.status.accepts_uploads
        approved = paint(open_one, upload, image).pictures[0].approved
        assert approved is not None
        assert approved.checked_by[0].startswith(name)


def test_words_pass_every_configured_checker(wish: Wish, easy_checker: Path, strict_checker: Path) -> None:
    request = wish(width=64, height=64, count=2)
    approved = paint(engine(checkers=(str(easy_checker),)), request).pictures[0].approved
    assert approved is not None
    assert [name.split()[0] for name in approved.checked_by] == ["starter", "hazard", "Stable"]
    with pytest.raises(NotApproved) as caught:
        paint(engine(checkers=(str(strict_checker),)), request)
    assert caught.value.flagged


def test_weights_that_are_not_numbers_give_no_picture(tmp_path: Path, wish: Wish, easy_checker: Path) -> None:
    def spoil(tensors: dict[str, torch.Tensor]) -> None:
        tensors["conv_out.weight"][0] = float("nan")

    folder = changed_starter(tmp_path / "starter", "unet", spoil)
    with pytest.raises(BrokenPicture):
        paint(engine(model=str(folder), checkers=(str(easy_checker),)), wish(width=64, height=64, count=2))


def test_changed_weights_have_no_checker_and_show_nothing(
    tmp_path: Path, wish: Wish, caplog: pytest.LogCaptureFixture
) -> None:
    def nudge(tensors: dict[str, torch.Tensor]) -> None:
        next(iter(tensors.values())).mul_(1.001)

    folder = changed_starter(tmp_path / "starter", "vae", nudge)
    subject = engine(model=str(folder), allow_unchecked_uploads=True)
    assert subject.status.checkers == ()
    assert not subject.status.accepts_uploads
    assert "No safety checker can judge" in caplog.text
    with pytest.raises(NotApproved) as caught:
        paint(subject, wish(width=64, height=64))
    assert caught.value.sentence == NO_CHECKER
    assert not caught.value.flagged


def test_a_checker_that_cannot_be_loaded_stops_the_engine(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="safety checker"):
        engine(checkers=(str(tmp_path / "nowhere"),))


def test_running_out_of_memory_is_said_so(wish: Wish, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = engine()

    def greedy(*args: Any, **kwargs: Any) -> Any:
        return torch.empty(2**50)  # the allocator's own refusal

    monkeypatch.setattr(subject._painter, "paint", greedy)
    with pytest.raises(OutOfMemory):
        paint(subject, wish())


@pytest.mark.parametrize(("file_format", "kind"), [("png", "PNG"), ("jpeg", "JPEG"), ("webp", "WEBP")])
def test_files_are_of_the_format_asked_for(wish: Wish, file_format: str, kind: str) -> None:
    approved = (
        paint(engine(file_format=file_format, embed_recipe=False), wish(width=96, height=64)).pictures[0].approved
    )
    assert approved is not None
    assert approved.media_type == f"image/{file_format}"
    with Image.open(io.BytesIO(approved.data)) as image:
        assert (image.format, image.size) == (kind, (96, 64))
    assert b"red house" not in approved.data
    assert "red house".encode("utf-16-be") not in approved.data
