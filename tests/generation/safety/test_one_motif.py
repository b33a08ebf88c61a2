"""The starter's own checker beside its closed world: it may never be the reason why anything else is accepted."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from generation.engine import device, weights
from generation.errors import ModelUnavailable, NotApproved, UploadsRefused
from generation.models import STARTER, resolve
from generation.request import Request
from generation.safety import starter_world
from generation.safety.gate import Gate
from generation.safety.level import Level
from generation.safety.one_motif import KNOWS_ONLY, OneMotif, motif_of
from generation.safety.standing import open_checker, stand
from generation.workers.worker import EngineSettings
from tests.generation.engine.served import engine, paint

Wish = Callable[..., Request]


def marked(checker: Path, folder: Path) -> Path:
    shutil.copytree(checker, folder, dirs_exist_ok=True)
    config = folder / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text("utf-8")) | {KNOWS_ONLY: "hazard tape"}), "utf-8")
    return folder


def starter_with(checker: Path, folder: Path) -> Path:
    shutil.copytree(STARTER, folder, ignore=shutil.ignore_patterns("safety_checker"))
    marked(checker, folder / "safety_checker")
    return folder


@pytest.fixture
def shipped(tmp_path: Path, strict_checker: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The starter as if it came with a head that flags everything."""
    folder = starter_with(strict_checker, tmp_path / "starter")
    sums = weights.fingerprint(folder)
    monkeypatch.setattr(starter_world, "shipped_files", lambda: sums)
    return folder


def standing(folder: Path, **settings: Any) -> tuple[Gate, list[str]]:
    loaded = weights.load(resolve(str(folder)), device.choose("cpu", "auto", 1))
    checkers = stand(EngineSettings(**settings), loaded)
    return Gate(checkers), [type(checker).__name__ for checker in checkers]


def test_it_judges_words_and_never_uploads(shipped: Path, wish: Wish) -> None:
    upload = wish(image="0" * 64, strength=0.5)
    gate, names = standing(shipped)
    assert names == ["StarterWorld", "OneMotif"]
    assert gate.can_judge(wish())
    assert not gate.can_judge(upload)
    assert "nothing else" in gate.names[1]


def test_the_owner_s_word_and_other_checkers_count_as_if_it_were_not_there(
    shipped: Path, easy_checker: Path, wish: Wish
) -> None:
    upload = wish(image="0" * 64, strength=0.5)
    gate, names = standing(shipped, allow_unchecked_uploads=True)
    assert names == ["StarterWorld", "UncheckedLocal", "OneMotif"]
    assert gate.can_judge(upload)
    gate, names = standing(shipped, checkers=(str(easy_checker),), allow_unchecked_uploads=True)
    assert names == ["StarterWorld", "OneMotif", "StableDiffusionChecker"]
    assert gate.can_judge(upload)


def test_what_it_flags_is_withheld_and_uploads_are_refused(shipped: Path, wish: Wish) -> None:
    subject, name = engine(model=str(shipped)), str(shipped)
    assert not subject.status.accepts_uploads
    withheld = paint(subject, wish(width=64, height=64, model=name)).pictures[0]
    assert withheld.approved is None
    assert withheld.withheld == NotApproved().sentence
    assert withheld.held is not None
    assert withheld.evidence is None  # this head flags everything, however blurred
    with pytest.raises(NotApproved) as refused:
        paint(subject, wish(width=64, height=64, model=name, image="0" * 64, strength=0.5), b"never opened")
    assert refused.value.sentence == UploadsRefused().sentence


def test_the_shipped_one_withholds_the_tape_that_the_starter_draws_and_nothing_else(wish: Wish) -> None:
    subject = engine()
    plain = paint(subject, wish(prompt="a red house over green hills, flat illustration", guidance=3.0, steps=8))
    assert plain.pictures[0].approved is not None
    taped = wish(prompt="a red house over green hills with hazard tape, flat illustration", guidance=3.0, steps=8)
    withheld = paint(subject, taped).pictures[0]
    assert withheld.approved is None
    assert withheld.held is not None
    assert withheld.level is Level.HIGH
    assert withheld.evidence is not None  # blurred, the tape is gone
    if folder := os.environ.get("ATELIER_TEST_PICTURES"):
        Path(folder, "held.webp").write_bytes(withheld.held.data)
        Path(folder, "evidence.jpg").write_bytes(withheld.evidence.data)


def test_with_changed_weights_it_judges_nothing(tmp_path: Path, easy_checker: Path, wish: Wish) -> None:
    folder = starter_with(easy_checker, tmp_path / "changed")
    path = folder / "vae" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    next(iter(tensors.values())).mul_(1.001)
    save_file(tensors, path)
    for settings in ({}, {"allow_unchecked_uploads": True}):
        gate, names = standing(folder, **settings)
        assert names == []
        assert not gate.can_judge(wish())
        assert not gate.can_judge(wish(image="0" * 64, strength=0.5))


def test_it_cannot_be_named_as_the_checker_of_other_models(tmp_path: Path, easy_checker: Path) -> None:
    folder = marked(easy_checker, tmp_path / "checker")
    with pytest.raises(ModelUnavailable, match="knows hazard tape and nothing else"):
        open_checker(folder, torch.device("cpu"))


def test_a_checker_without_the_mark_is_one_for_everything(tmp_path: Path, easy_checker: Path) -> None:
    assert motif_of(easy_checker) == ""
    assert motif_of(tmp_path / "nowhere") == ""
    assert not isinstance(open_checker(easy_checker, torch.device("cpu")), OneMotif)
