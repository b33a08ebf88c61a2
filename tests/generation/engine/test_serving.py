"""A whole job inside the engine process: what passes the gate, what does not, and what is said about it."""

from __future__ import annotations

import functools
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

from generation.engine import device, weights
from generation.engine.options import EngineOptions
from generation.engine.serving import WORN, Order, Serving
from generation.errors import (
    AtelierError,
    BadRequest,
    BrokenPicture,
    Cancelled,
    ModelUnavailable,
    NotApproved,
    UploadsRefused,
)
from generation.job import Job, Progress, Result
from generation.models import STARTER, resolve
from generation.request import Lora, Request, Variation
from generation.safety.judgement import NO_CHECKER
from generation.workers.worker import EngineSettings
from tests.generation import tiny_lora, tiny_plain
from tests.generation.engine.served import engine, paint

Wish = Callable[..., Request]


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
    for picture in paint(engine(checkers=(str(strict_checker),)), request).pictures:
        assert picture.approved is None
        assert picture.held is not None


def test_weights_that_are_not_numbers_give_no_picture(tmp_path: Path, wish: Wish, easy_checker: Path) -> None:
    def spoil(tensors: dict[str, torch.Tensor]) -> None:
        tensors["conv_out.weight"][0] = float("nan")

    folder = changed_starter(tmp_path / "starter", "unet", spoil)
    subject = engine(model=str(folder), checkers=(str(easy_checker),))
    for _ in range(WORN):
        assert not subject.worn
        with pytest.raises(BrokenPicture):
            paint(subject, wish(width=64, height=64, count=2, model=str(folder)))
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
        paint(subject, wish(width=64, height=64, model=str(folder)))
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
    steps = [(progress.step, progress.steps) for progress in told if progress.preview is None]
    assert steps == [(step, 6) for step in range(1, 7)]
    assert any(progress.preview is not None for progress in told)
    assert not any(progress.preview is not None for progress in told if progress.step == progress.steps)
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
    assert first.status.rows in first.status.call_seconds  # how many are worth it a busy machine decides otherwise
    assert first.status.together >= 16
    assert first.status.seconds_per_megapixel_step is not None
    assert set(first.status.call_seconds) >= {1, 2}
    second = engine(**settings)
    before, after = first.status.call_seconds, second.status.call_seconds  # read, and only ever bettered by service
    assert set(after) == set(before)
    assert all(after[rows] <= before[rows] for rows in before)
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


def served(subject: Serving, *requests: Request) -> dict[int, Result | AtelierError]:
    """Several jobs handed in together, and how each of them ended."""
    ended: dict[int, Result | AtelierError] = {}
    for number, request in enumerate(requests):
        end = functools.partial(ended.__setitem__, number)
        job = Job(id=f"job-{number}", request=request)
        subject.paint(Order(number, job, on_progress=lambda _: None, on_done=end, on_failed=end))
    deadline = time.monotonic() + 120
    while len(ended) < len(requests):
        assert time.monotonic() < deadline
        subject.work()
        time.sleep(0.0 if subject.busy else 0.01)
    return ended


def test_several_models_paint_side_by_side_and_a_broken_one_costs_nobody_else(
    tmp_path: Path, wish: Wish, tiny_model: Path, easy_checker: Path
) -> None:
    broken = Path(shutil.copytree(tiny_model, tmp_path / "broken"))
    file = next((broken / "unet").glob("*.safetensors"))
    file.write_bytes(file.read_bytes()[:-1])
    subject = engine(places={"tiny": str(tiny_model), "broken": str(broken)}, checkers=(str(easy_checker),))
    small = {"width": 64, "height": 64, "steps": 2}
    ended = served(
        subject,
        wish(**small),
        wish(model="tiny", **small),
        wish(model="broken", **small),
        wish(seed=2, **small),
        wish(model="no longer there", **small),
    )
    assert isinstance(ended[2], ModelUnavailable)
    assert "cut off" in ended[2].sentence
    models = {number: result.recipe["model"] for number, result in ended.items() if isinstance(result, Result)}
    assert models == {0: "starter", 1: "tiny", 3: "starter", 4: "starter"}


def test_models_take_turns_where_memory_has_room_for_one(wish: Wish, tiny_model: Path, easy_checker: Path) -> None:
    options = EngineOptions(measure_seconds=0.0, memory_budget=40_000_000, patience=0.0)  # the starter has 37 MB
    subject = engine(places={"tiny": str(tiny_model)}, checkers=(str(easy_checker),), options=options)
    small = {"width": 64, "height": 64, "steps": 2}
    first = served(subject, wish(**small), wish(model="tiny", **small), wish(seed=2, **small))
    again = served(subject, wish(**small))
    assert all(isinstance(result, Result) for result in (*first.values(), *again.values()))
    assert isinstance(first[0], Result)
    assert isinstance(again[0], Result)
    assert first[0].pictures == again[0].pictures  # to the byte, after its weights were read a second time


def test_a_whole_pipeline_paints_behind_the_same_interface(tmp_path: Path, wish: Wish, easy_checker: Path) -> None:
    folder = tiny_plain.pixart(tmp_path / "pixart")
    subject = engine(places={"other": str(folder)}, checkers=(str(easy_checker),))
    request = wish(model="other", width=64, height=64, steps=3, count=2)
    told = list[Progress]()
    result = paint(subject, request, told=told)
    assert [picture.approved is not None for picture in result.pictures] == [True, True]
    assert result.recipe["path"] == "plain"
    assert [progress.step for progress in told if progress.step] == sorted(
        progress.step for progress in told if progress.step
    )
    assert told[-1].step == 3
    assert told[0].doing  # the model was loaded first, and the member heard of it
    assert paint(subject, request).pictures == result.pictures
    with pytest.raises(BadRequest, match="variations"):
        paint(subject, wish(model="other", width=64, height=64, variations=(Variation(1, 0.5),)))


def test_cancel_takes_effect_within_a_whole_pipeline(tmp_path: Path, wish: Wish, easy_checker: Path) -> None:
    folder = tiny_plain.pixart(tmp_path / "pixart")
    now: list[Serving] = []

    def hear() -> None:
        now[0].cancel(7)

    settings = EngineSettings(
        threads=1,
        places={"other": str(folder)},
        checkers=(str(easy_checker),),
        options=EngineOptions(measure_seconds=0.0),
    )
    now.append(Serving(settings, lambda doing: None, hear))
    ended, told = list[Result | AtelierError](), list[Progress]()
    job = Job(id="job", request=wish(model="other", width=64, height=64, steps=50))
    now[0].paint(Order(7, job, on_progress=told.append, on_done=ended.append, on_failed=ended.append))
    while not ended:
        now[0].work()
    assert isinstance(ended[0], Cancelled)
    assert max(progress.step for progress in told) == 1
    assert not now[0].busy


def test_loras_are_worn_by_those_who_asked_for_them(
    tmp_path: Path, wish: Wish, tiny_model: Path, easy_checker: Path
) -> None:
    loras = tmp_path / "loras"
    loras.mkdir()
    model = weights.load(resolve(str(tiny_model)), device.choose("cpu", "auto", 1))
    tiny_lora.peft_lora(model.pipeline, loras / "ink.safetensors", ("unet", "text_encoder"))
    exact = EngineOptions(measure_seconds=0.0, exact="on")
    subject = engine(
        model=str(tiny_model), loras=str(loras), checkers=(str(easy_checker),), options=exact, embed_recipe=False
    )
    small = {"width": 64, "height": 64, "steps": 2, "model": str(tiny_model)}
    ended = served(
        subject,
        wish(**small),
        wish(loras=(Lora("INK", 1.0),), **small),
        wish(loras=(Lora("nik", 1.0),), **small),
        wish(loras=(Lora("ink", 0.0),), **small),
    )
    plain, worn, unknown, none = (ended[number] for number in range(4))
    assert isinstance(plain, Result)
    assert isinstance(worn, Result)
    assert isinstance(none, Result)
    assert plain.pictures == none.pictures
    assert plain.pictures != worn.pictures
    assert set(worn.recipe["loras_sha256"]) == {"ink"}  # type: ignore[call-overload]
    assert isinstance(unknown, ModelUnavailable)
    assert "did you mean “ink”" in unknown.sentence
