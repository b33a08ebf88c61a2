"""The command line, as a person at a terminal meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from generation.__main__ import app
from generation.engine.files import read_recipe

COMMAND = (sys.executable, "-m", "generation")


def test_paints_a_file_that_knows_its_recipe_and_then_one_from_it(tmp_path: Path) -> None:
    first, second = tmp_path / "first.webp", tmp_path / "second.png"
    words = [*COMMAND, "paint", "a red house at night", "--seed", "3", "--steps", "4"]
    done = subprocess.run([*words, "--out", str(first)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "checked by: starter closed world" in done.stderr
    recipe = read_recipe(first.read_bytes())
    assert (recipe["prompt"], recipe["Seed"], recipe["Steps"]) == ("a red house at night", "3", "4")

    more = ["--count", "2", "--size", "128x64", "--image", str(first), "--strength", "0.5", "--out", str(second)]
    done = subprocess.run([*words, *more], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "NOT CHECKED" in done.stderr
    sizes = []
    for path in (second, tmp_path / "second-1.png", tmp_path / "second-2.png"):
        with Image.open(path) as image:
            sizes.append(image.size)
    assert sizes == [(256, 64), (128, 64), (128, 64)]


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["x", "--out", "a.gif"], 2, "must end in .webp"),
        (["x", "--out", "nowhere/a.png"], 2, "no folder"),
        (["x", "--out", "a.png", "--steps", "0"], 2, "Steps must be between"),
        (["x", "--out", "a.png", "--size", "1x100000"], 2, "Width and height"),
        (["x", "--out", "a.png", "--size", "big"], 2, "must look like 512x768"),
        (["x", "--out", "a.png", "--seed", str(2**64)], 2, "The seed must be between"),
        (["x", "--out", "a.png", "--guidance", "nan"], 2, "Guidance must be between"),
        (["x", "--out", "a.png", "--sampler", "magic"], 2, "no sampler called"),
        (["x", "--out", "a.png", "--sampler", "eulr"], 2, "did you mean euler"),
        (["x", "--out", "a.png", "--model", "startr"], 78, "did you mean “starter”"),
        (["x <lora:ink:1>", "--out", "a.png"], 78, "no LoRA called “ink”"),
        (["x", "--out", "a.png", "--clip-skip", "9"], 2, "Clip skip must be between"),
        (["x", "--out", "a.png", "--strength", "0.5"], 2, "Strength belongs to a picture"),
        (["x", "--out", "a.png", "--image", "nowhere.png"], 2, "cannot be read"),
        (["x", "--out", "a.png", "--image", "not-a-picture.png"], 2, "not a PNG, JPEG or WebP"),
        (["", "--out", "a.png"], 2, "prompt is empty"),
        (["x" * 6000, "--out", "a.png"], 2, "6,000 characters"),
        (["x", "--out", "a.png", "--model", "magic"], 78, "no model called"),
        (["x", "--out", "a.png", "--model", "weights.ckpt"], 78, "pickle"),
    ],
)
def test_a_mistake_gets_one_sentence_and_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], code: int, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    (tmp_path / "not-a-picture.png").write_text("<svg/>")
    result = CliRunner().invoke(app, ["paint", *words])
    assert result.exit_code == code, result.output
    assert sentence in " ".join(result.output.split())
    assert "Traceback" not in result.output
    assert not (tmp_path / "a.png").exists()


def test_bench_writes_its_figures(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    done = subprocess.run([*COMMAND, "bench", "--rounds", "1", "--json", str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    data = json.loads(path.read_text())
    assert set(data) == {"figures", "environment", "command"}
    figures = data["figures"]
    for name in ("picture_20_steps", "picture_8_steps", "set_of_4_20_steps"):
        assert 0 < figures[f"{name}_first_preview_s"] < figures[f"{name}_total_s"]
    assert data["command"].startswith("python -m generation bench")
    assert data["environment"]["torch"]
