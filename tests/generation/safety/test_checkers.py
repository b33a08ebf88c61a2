"""The real checkers over tiny real models, and who stands when."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import CLIPImageProcessor

from generation.engine import device, weights
from generation.errors import ModelUnavailable
from generation.models import STARTER, resolve
from generation.request import Lora, Request
from generation.safety.classifier import ClassifierChecker, coverage_of, levels_of
from generation.safety.level import Level
from generation.safety.stable_diffusion import StableDiffusionChecker
from generation.safety.standing import open_checker, stand
from generation.safety.starter_world import StarterWorld, shipped_files
from generation.safety.unchecked_local import UncheckedLocal
from generation.safety.views import views
from generation.workers.worker import EngineSettings
from tests.generation import tiny

CPU = torch.device("cpu")
Wish = Callable[..., Request]


def picture(size: tuple[int, int] = (96, 96)) -> Image.Image:
    return Image.merge("RGB", [Image.effect_noise(size, 90) for _ in range(3)])


def test_the_sums_are_those_of_the_shipped_files() -> None:
    assert weights.fingerprint(STARTER) == shipped_files()


def test_the_closed_world_is_exactly_the_shipped_weights_and_words_alone(wish: Wish) -> None:
    world = StarterWorld(shipped_files())
    upload = wish(image="0" * 64, strength=0.5)
    assert world.stands
    assert world.check([picture()], request=wish())[0].level is Level.NEUTRAL
    assert not world.covers(upload)
    refused = world.check([picture()], request=upload)[0]
    assert refused.level is Level.HIGH
    assert not refused.sound
    worn = wish(loras=(Lora("ink", 0.5),))
    assert not world.covers(worn)
    assert world.check([picture()], request=worn)[0].level is Level.HIGH
    for changed in ({}, {**shipped_files(), "extra.safetensors": "0"}, {**shipped_files(), "model_index.json": "0"}):
        other = StarterWorld(changed)
        assert not other.stands
        assert not other.covers(wish())
        assert other.check([picture()], request=wish())[0].level is Level.HIGH


def test_the_library_s_checker_agrees_where_it_does_not_round(tmp_path: Path, wish: Wish) -> None:
    image = picture()
    for threshold in (-0.3, -0.1, 0.0, 0.1, 0.3, 0.9):
        folder = tiny.safety_checker(tmp_path / str(threshold), threshold=threshold)
        verdict = StableDiffusionChecker(folder, CPU).check([image], request=wish())[0]
        library: Any = StableDiffusionSafetyChecker.from_pretrained(str(folder), dtype=torch.float32)
        given = CLIPImageProcessor.from_pretrained(str(folder))([image], return_tensors="pt").pixel_values
        _, flagged = library(clip_input=given, images=torch.zeros(1, 8, 8, 3).numpy())
        assert verdict.sound
        assert len(verdict.scores) == 20
        if abs(max(verdict.scores[3:])) > 0.001:
            assert (verdict.level is Level.HIGH) is flagged[0]


def test_the_rounding_of_the_library_is_not_ours(tmp_path: Path, wish: Wish) -> None:
    image = picture()
    folder = tiny.safety_checker(tmp_path / "checker", threshold=0.0)
    worst = max(StableDiffusionChecker(folder, CPU).check([image], request=wish())[0].scores[3:])
    tensors = load_file(folder / "model.safetensors")
    tensors["concept_embeds_weights"].fill_(worst - 0.0003)  # the library would round this score to zero: safe
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    assert StableDiffusionChecker(folder, CPU).check([image], request=wish())[0].level is Level.HIGH


def test_a_score_that_is_no_number_is_not_an_approval(easy_checker: Path, wish: Wish) -> None:
    checker = StableDiffusionChecker(easy_checker, CPU)
    with torch.no_grad():
        checker._model.visual_projection.weight[0] = float("nan")
    verdict = checker.check([picture()], request=wish())[0]
    assert not verdict.sound


def test_weights_that_are_missing_or_broken_are_refused(tmp_path: Path) -> None:
    folder = tiny.safety_checker(tmp_path / "checker", threshold=0.5)
    path = folder / "model.safetensors"
    tensors = load_file(path)
    save_file({name: tensor for name, tensor in tensors.items() if name != "concept_embeds"}, path, {"format": "pt"})
    with pytest.raises(ModelUnavailable, match="lacks"):
        StableDiffusionChecker(folder, CPU)
    tensors["concept_embeds"][0] = float("nan")
    save_file(tensors, path, {"format": "pt"})
    with pytest.raises(ModelUnavailable, match="not numbers"):
        StableDiffusionChecker(folder, CPU)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ModelUnavailable, match="could not be loaded"):
        StableDiffusionChecker(folder, CPU)


@pytest.mark.parametrize(
    ("favoured", "level"), [(0, Level.NEUTRAL), (1, Level.LOW), (2, Level.MEDIUM), (3, Level.HIGH)]
)
def test_a_classifier_says_the_level_of_its_label(tmp_path: Path, wish: Wish, favoured: int, level: Level) -> None:
    folder = tiny.classifier(tmp_path / "vit", ("Neutral", "low", "Medium", "porn"), favoured=favoured)
    verdicts = ClassifierChecker(folder, CPU).check([picture(), picture((40, 200))], request=wish())
    assert [verdict.level for verdict in verdicts] == [level, level]
    assert all(verdict.sound for verdict in verdicts)


def test_labels_of_two_levels_add_up(tmp_path: Path, wish: Wish, monkeypatch: pytest.MonkeyPatch) -> None:
    """0.3 low and 0.3 high together are at least low; no single label reaches the threshold."""
    checker = ClassifierChecker(tiny.classifier(tmp_path / "vit", ("neutral", "low", "high"), favoured=0), CPU)
    logits = torch.tensor([[0.4, 0.3, 0.3]]).log()
    monkeypatch.setattr(checker, "_model", lambda pixels: SimpleNamespace(logits=logits.expand(len(pixels), 3)))
    assert checker.check([picture()], request=wish())[0].level is Level.LOW


def test_coverage_names_what_is_looked_for() -> None:
    assert coverage_of({0: "neutral", 1: "low", 2: "high"}) == (
        "looks for low, high (in degrees); sexual content only, not violence, gore, hate or self-harm."
    )
    assert coverage_of({0: "normal", 1: "gore"}) == "looks for gore (yes or no)."


def test_labels_must_all_be_understood() -> None:
    assert levels_of({0: "normal", 1: "NSFW "}, "x") == [Level.NEUTRAL, Level.HIGH]
    for labels in ({0: "LABEL_0", 1: "LABEL_1"}, {0: "safe", 1: "sfw"}, {0: "nsfw"}, {0: "cat", 1: "nsfw"}, {}):
        with pytest.raises(ModelUnavailable):
            levels_of(labels, "x")


def test_a_classifier_of_cats_is_no_checker(tmp_path: Path) -> None:
    folder = tiny.classifier(tmp_path / "vit", ("cat", "dog"), favoured=0)
    with pytest.raises(ModelUnavailable, match="not understood"):
        open_checker(folder, CPU)


def test_other_models_are_no_checkers(tmp_path: Path) -> None:
    shutil.copytree(STARTER / "text_encoder", tmp_path / "encoder")
    with pytest.raises(ModelUnavailable, match="no safety checker that is understood"):
        open_checker(tmp_path / "encoder", CPU)
    with pytest.raises(ModelUnavailable, match=r"no readable config\.json"):
        open_checker(tmp_path, CPU)


@pytest.mark.parametrize("size", [(64, 64), (512, 512), (300, 100), (1024, 1024), (2048, 256), (640, 1000)])
def test_views_are_squares_that_cover_every_pixel(size: tuple[int, int]) -> None:
    image = Image.new("L", size)
    image.putdata([255 if (x * 7 + y * 13) % 101 == 0 else 0 for y in range(size[1]) for x in range(size[0])])
    seen = views(image)
    assert all(view.width == view.height for view in seen)
    assert len(seen) <= 40
    if len(seen) == 1:
        assert seen[0].size == size
        return
    marks = 0
    for x, y in ((0, 0), (size[0] - 1, 0), (size[0] // 2, size[1] // 2), (size[0] - 1, size[1] - 1)):
        dotted = Image.new("L", size)
        dotted.putpixel((x, y), 255)
        marks += any(view.getextrema() == (0, 255) for view in views(dotted)[1:])
    assert marks == 4


def test_who_stands_when(tmp_path: Path, easy_checker: Path, wish: Wish, tiny_model: Path) -> None:
    place = device.choose("cpu", "auto", 1)
    starter = weights.load(resolve("starter"), place)
    upload = wish(image="0" * 64, strength=0.5)

    def names(model: weights.LoadedModel, **settings: Any) -> list[str]:
        return [type(checker).__name__ for checker in stand(EngineSettings(**settings), model)]

    assert names(starter) == ["StarterWorld", "OneMotif"]
    assert names(starter, allow_unchecked_uploads=True) == ["StarterWorld", "UncheckedLocal", "OneMotif"]
    real = {"checkers": (str(easy_checker),)}
    everything = ["StarterWorld", "OneMotif", "StableDiffusionChecker"]
    assert names(starter, **real, allow_unchecked_uploads=True) == everything
    assert "NOT CHECKED" in UncheckedLocal.name
    assert not UncheckedLocal().covers(wish())
    assert UncheckedLocal().covers(upload)

    other = weights.load(resolve(str(tiny_model)), place)
    assert names(other, allow_unchecked_uploads=True) == []
    own = Path(shutil.copytree(tiny_model, tmp_path / "own"))
    shutil.copytree(easy_checker, own / "safety_checker")
    assert names(weights.load(resolve(str(own)), place)) == ["StableDiffusionChecker"]
