"""Names of models and LoRAs, known and unknown."""

from __future__ import annotations

from pathlib import Path

import pytest

from generation.catalogue import find_lora, find_model, lora_names, model_names
from generation.errors import ModelUnavailable
from generation.models import STARTER, SourceKind

PLACES = {"Dream": "someone/dream", "fast": "stabilityai/sd-turbo@v1", "broken": "nowhere.ckpt"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("Ink Wash.safetensors", "neon.safetensors", "notes.txt", "bad.ckpt", "x.v1.2.safetensors"):
        (tmp_path / name).touch()
    (tmp_path / "folder.safetensors").mkdir()
    return tmp_path


def test_models_are_found_by_name_and_the_starter_is_always_there() -> None:
    assert model_names(PLACES) == ("starter", "Dream", "fast", "broken")
    source = find_model("fast", PLACES)
    assert (source.name, source.kind, source.place, source.revision) == (
        "fast",
        SourceKind.HUB,
        "stabilityai/sd-turbo",
        "v1",
    )
    assert find_model("DREAM", PLACES).name == "Dream"
    assert find_model("starter", {}).place == str(STARTER)
    assert find_model("starter", {"starter": "a/b"}).place == "a/b"
    assert model_names({"starter": "a/b"}) == ("starter",)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("dreem", "did you mean “Dream”"),
        ("zzz", "there are “starter”, “Dream”, “fast”"),
        ("someone/dream", "There is no model called"),
        ("/etc", "There is no model called"),
        ("", "There is no model called"),
        ("x" * 5000, "xxx…”"),
        ("broken", "pickle"),
    ],
)
def test_unknown_models_name_the_nearest(name: str, words: str) -> None:
    with pytest.raises(ModelUnavailable, match=words) as caught:
        find_model(name, PLACES)
    assert len(str(caught.value)) < 300


def test_loras_are_the_safetensors_files_of_a_folder(folder: Path) -> None:
    assert lora_names(folder) == ("Ink Wash", "neon", "x.v1.2")
    assert find_lora("ink wash", folder).name == "Ink Wash.safetensors"
    assert find_lora("x.v1.2", folder).is_file()
    assert lora_names(None) == lora_names(folder / "none") == ()


@pytest.mark.parametrize(
    "name", ["../neon", "./neon", "neon.safetensors", "/etc/passwd", "neon\0", "sub/neon", "..", ""]
)
def test_names_with_parts_of_paths_are_unknown(folder: Path, name: str) -> None:
    (folder.parent / "neon.safetensors").touch()
    with pytest.raises(ModelUnavailable, match="There is no LoRA"):
        find_lora(name, folder)


def test_unknown_loras_name_the_nearest(folder: Path) -> None:
    with pytest.raises(ModelUnavailable, match="did you mean “Ink Wash”"):
        find_lora("inkwash", folder)
    with pytest.raises(ModelUnavailable, match="put none there"):
        find_lora("ink", None)


def test_names_that_differ_in_case_alone_need_the_right_case(tmp_path: Path) -> None:
    for name in ("Ink", "ink"):
        (tmp_path / f"{name}.safetensors").touch()
    assert find_lora("Ink", tmp_path).stem == "Ink"
    with pytest.raises(ModelUnavailable, match="did you mean"):
        find_lora("INK", tmp_path)
