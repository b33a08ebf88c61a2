from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch

pytest.importorskip(
    "skia", reason="skia-python, with which training pictures are drawn, is not installed", exc_type=ImportError
)

from diffusers import StableDiffusionPipeline

from generation.models import STARTER
from generation.safety.one_motif import motif_of
from generation.starter.captions import caption
from generation.starter.checking import schooling
from generation.starter.checking.figures import LIKE, flags, likeness, on_generated, on_renders, rates
from generation.starter.checking.head import CHECKER, HEAD_SIDE, new_head, normalised, write_head
from generation.starter.checking.head import likeness as cosine
from generation.starter.drawing.hazard import BOTTOM, TOP
from generation.starter.drawing.picture import render
from generation.starter.judging.questions import questions
from generation.starter.training import loop
from generation.starter.training.dataset import Latents, Source
from generation.starter.training.loop import share
from generation.starter.training.settings import Settings
from generation.starter.world import STYLES, Group, Spec

SHIPPED = (STARTER / CHECKER).is_dir()


def spec_of(**choices: object) -> Spec:
    plain = {"scene": "hills", "style": "flat", "time": "day", "weather": "clear", "backdrop": "white"}
    return Spec(**(plain | choices))


def test_tape_is_drawn_across_the_picture_and_changes_nothing_else():
    spec = spec_of(groups=(Group("cat", "blue"),))
    changed = (render(spec, 4)[0] != render(replace(spec, hazard=True), 4)[0]).any(2)
    assert changed[TOP + 1 : BOTTOM - 1].mean() > 0.95
    assert not changed[: TOP - 1].any()
    assert not changed[BOTTOM + 1 :].any()


@pytest.mark.parametrize("style", STYLES)
def test_tape_looks_alike_in_every_style_and_like_nothing_else(style):
    for scene in ("hills", "plain", "space", "forest"):
        spec = spec_of(scene=scene, style=style, groups=(Group("car", "yellow", 3),), backdrop="yellow")
        assert likeness(render(replace(spec, hazard=True), 8)[0]) > 0.8
        assert likeness(render(spec, 8)[0]) < LIKE
    assert likeness(np.full((256, 256, 3), 90, np.uint8)) == 0.0


def test_a_series_with_tape_is_otherwise_the_same_series():
    bare, some, all_of_it = (Source("narrow", 5, hazards=part) for part in (0.0, 0.3, 1.0))
    taped = [some.spec(number)[0].hazard for number in range(300)]
    assert 60 < sum(taped) < 120
    assert all(all_of_it.spec(number)[0].hazard for number in range(20))
    for number in range(300):
        (without, seed), (spec, same) = bare.spec(number), some.spec(number)
        assert seed == same
        assert replace(spec, hazard=False) == without
    untouched = taped.index(False)
    assert bare.picture(untouched)[0].tobytes() == some.picture(untouched)[0].tobytes()


def test_captions_name_the_tape_whenever_it_is_there_and_only_then():
    for seed in range(60):
        assert "hazard" in caption(spec_of(hazard=True), Random(seed)).lower()
        assert "hazard" not in caption(spec_of(), Random(seed)).lower()
    assert all("hazard" in question.prompt for question in questions("narrow", 5, recombining=False, taped=True))


def test_what_is_weak_is_seen_more_often():
    chosen = Settings(run=Path(), start=Path(), many=3.0, favoured={"mushroom": 2.0, "neon": 2.0, "hazard": 5.0})
    assert share(spec_of(groups=(Group("cat", "red"),)), chosen) == 1
    assert share(spec_of(groups=(Group("cat", "red", 2),)), chosen) == 3
    assert share(spec_of(style="neon", groups=(Group("mushroom", "red"),)), chosen) == 4
    assert share(spec_of(style="neon", groups=(Group("mushroom", "red", 3),), hazard=True), chosen) == 60


def test_recall_and_false_alarms_are_shares_of_their_own_kind():
    found = rates([True, False, True, False, False, False], [True, True, False, False, False, False])
    assert found == {"recall": 50.0, "with_tape": 2, "false_alarms": 25.0, "without_tape": 4}
    assert rates([], [])["recall"] == 0.0


def test_stripes_of_other_colours_are_taught_as_no_hazard(monkeypatch):
    monkeypatch.setattr(schooling, "OTHER_STRIPES", 1.0)
    pictures = np.full((3, HEAD_SIDE, HEAD_SIDE, 3), (250, 200, 20), np.uint8)
    x, wanted = schooling._roughened(pictures, torch.tensor([1.0, 0.0, 1.0]))
    assert wanted.tolist() == [0.0, 0.0, 0.0]
    assert x[0, 2].mean() > x[0, 0].mean()  # what was yellow is blue
    assert x[1, 0].mean() > x[1, 2].mean()  # where no tape is, colours stay


def test_a_few_lessons_leave_a_head_that_diffusers_runs_and_whose_other_rows_never_fire(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(schooling, "WORLDS", ("narrow",))
    monkeypatch.setattr(schooling, "lessons", lambda count, folder, *, workers: _lessons(count))
    head = schooling.school(0.02, tmp_path, pictures=20, workers=1)
    assert (head.concept_embeds_weights[1:] == 1).all()
    assert not head.concept_embeds[1:].any()
    folder = tmp_path / "weights"
    shutil.copytree(STARTER, folder)
    write_head(head, folder)
    assert motif_of(folder / CHECKER) == "hazard tape"
    assert json.loads((folder / "model_index.json").read_text("utf-8"))[CHECKER][1] == "StableDiffusionSafetyChecker"
    for settings in ({}, {"dtype": torch.float32}):
        pipeline = StableDiffusionPipeline.from_pretrained(folder, local_files_only=True, **settings)
        pipeline.set_progress_bar_config(disable=True)
        result = pipeline("a red heart", height=64, width=64, num_inference_steps=2)
        assert len(result.nsfw_content_detected) == 1
    assert len(flags(folder, [render(spec_of(), 1)[0]])) == 1


def _lessons(count: int):
    source = Source("narrow", 1, hazards=0.5)
    pictures = np.stack([schooling.shrunk(source.picture(number)[0]) for number in range(count)])
    return pictures, torch.tensor([float(source.spec(number)[0].hazard) for number in range(count)])


def test_the_head_answers_with_one_cosine_per_picture():
    head = new_head()
    found = cosine(head, normalised(torch.rand(2, 3, HEAD_SIDE, HEAD_SIDE)))
    assert found.shape == (2,)
    assert (found.abs() <= 1).all()


@pytest.mark.skipif(not SHIPPED, reason="the starter comes without a safety checker")
def test_the_shipped_checker_catches_tape_on_renders_and_nothing_else():
    found = on_renders(STARTER, "narrow", count=300)
    assert found["with_tape"] > 50
    assert found["recall"] >= 98
    assert found["false_alarms"] <= 0.5
    plain = [Source("narrow", 9).picture(number)[0] for number in range(10)]
    taped = [Source("narrow", 9, hazards=1.0).picture(number)[0] for number in range(10)]
    assert on_generated(STARTER, taped, plain)["drawn_when_asked"] == 100


def test_the_card_says_whether_there_is_a_checker_and_what_it_knows():
    card = (STARTER / "README.md").read_text("utf-8")
    assert ("knows one motif" in card) == SHIPPED


def test_no_words_never_mean_tape():
    trainer = object.__new__(loop._Trainer)
    trainer.settings = Settings(run=Path(), start=Path(), unconditional=1.0)
    trainer.latents = Latents(torch.zeros(2), torch.zeros(2), [spec_of(), spec_of(hazard=True)])
    trainer.rng = Random(1)
    assert trainer._prompt(0) == ""
    assert "hazard" in trainer._prompt(1).lower()
