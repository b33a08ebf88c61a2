"""A whole job inside the engine process: what passes the gate, what does not, and what is said about it."""

from __future__ import annotations

import io
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from generation.engine.options import EngineOptions
from generation.engine.serving import WORN, Serving
from generation.errors import AtelierError, BrokenPicture, ModelUnavailable, NotApproved, UploadsRefused
from generation.job import Job, Progress, Result
from generation.models import STARTER
from generation.request import Request
from generation.safety.gate import NO_CHECKER
from generation.workers.worker import EngineSettings

Wish = Callable[..., Request]


def engine(**settings: Any) -> Serving:
    options = settings.pop("options", EngineOptions(measure_seconds=0.0))
    return Serving(EngineSettings(**{"threads": 1, "options": options} | settings), lambda doing: None)


def paint(subject: Serving, request: Request, image: bytes | None = None, told: list[Progress] | None = None) -> Result:
    results, errors = list[Result](), list[AtelierError]()
    subject.paint(
        1,
        Job(id="job", request=request, image=image),
        on_progress=(told if told is not None else []).append,
        on_done=results.append,
        on_failed=errors.append,
    )
    while not results and not errors:
        subject.work()
        time.sleep(0.0 if subject.busy else 0.01)  # at the gate, in another thread
    if errors:
        raise errors[0]
    return results[0]


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
    assert [name.split()[0] for name in approved.checked_by] == ["starter", "Stable"]
    with pytest.raises(NotApproved) as caught:
        paint(engine(checkers=(str(strict_checker),)), request)
    assert caught.value.flagged


def test_weights_that_are_not_numbers_give_no_picture(tmp_path: Path, wish: Wish, easy_checker: Path) -> None:
    def spoil(tensors: dict[str, torch.Tensor]) -> None:
        tensors["conv_out.weight"][0] = float("nan")

    folder = changed_starter(tmp_path / "starter", "unet", spoil)
    subject = engine(model=str(folder), checkers=(str(easy_checker),))
    for _ in range(WORN):
        assert not subject.worn
        with pytest.raises(BrokenPicture):
            paint(subject, wish(width=64, height=64, count=2))
    assert subject.worn  # whoever owns the process replaces it, since its weights seem damaged


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


def test_the_first_step_is_shown_and_not_every_one_after_it(wish: Wish) -> None:
    told = list[Progress]()
    paint(engine(), wish(width=64, height=64, steps=6), told=told)
    assert [(progress.step, progress.steps) for progress in told] == [(step, 6) for step in range(1, 7)]
    assert told[0].preview is not None
    assert told[-1].preview is None  # the picture itself is next
    none = list[Progress]()
    paint(
        engine(options=EngineOptions(measure_seconds=0.0, previews_per_second=0.0)),
        wish(width=64, height=64),
        told=none,
    )
    assert all(progress.preview is None for progress in none)


def test_what_was_measured_is_kept_and_told(tmp_path: Path, wish: Wish) -> None:
    notebook = tmp_path / "measured.json"
    settings: dict[str, Any] = {"options": EngineOptions(measure_seconds=0.5), "notebook": str(notebook)}
    first = engine(**settings)
    assert notebook.exists()
    assert first.status.rows >= 2
    assert first.status.together >= 16
    assert first.status.seconds_per_megapixel_step is not None
    assert set(first.status.call_seconds) >= {1, 2}
    second = engine(**settings)
    assert second.status.call_seconds == first.status.call_seconds  # read, not measured again
    assert second.status.exact == first.status.exact


def test_the_recipe_says_what_the_bits_depend_on(wish: Wish) -> None:
    subject = engine(options=EngineOptions(exact="on", measure_seconds=0.5))
    recipe = paint(subject, wish(width=64, height=64, steps=2)).recipe
    assert recipe["exact"] is True
    assert recipe["row_counts"]
    assert set(recipe["rows"]) <= set(recipe["row_counts"])  # type: ignore[call-overload]
    assert recipe["path"] == "eager"
    assert recipe["device"] == "CPU (1 threads)"
    assert {"dtype", "torch", "diffusers", "model_sha256", "request"} <= set(recipe)
