"""The folder of a watermark: whatever is wrong with it is a sentence that names the file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from generation.errors import ConfigError
from generation.provenance.watermark import CONFIG, DECODER, ENCODER, check_folder
from tests.generation.engine.watermark.schooled import SCHOOLED


def written(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    config = json.loads((folder / CONFIG).read_text())
    change(config)
    (folder / CONFIG).write_text(json.dumps(config))


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)


HARMS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no configuration": (lambda folder: (folder / CONFIG).unlink(), "There is no watermark in"),
    "no JSON": (lambda folder: (folder / CONFIG).write_text("{"), "is no JSON"),
    "no text": (lambda folder: (folder / CONFIG).write_bytes(b"\xff\xfe\xff"), "is no JSON"),
    "a list": (lambda folder: (folder / CONFIG).write_text("[]"), "cannot be used"),
    "deep": (lambda folder: (folder / CONFIG).write_text("[" * 100_000), "is no JSON"),
    "unknown key": (lambda folder: written(folder, lambda config: config.update(colour=1)), "colour"),
    "huge": (lambda folder: written(folder, lambda config: config["encoder"].update(width=10**9)), "encoder.width"),
    "odd side": (
        lambda folder: written(folder, lambda config: config["encoder"].update(side=48, halvings=5)),
        "halved",
    ),
    "one hash": (lambda folder: written(folder, lambda config: config["sha256"].pop(DECODER)), "sha256"),
    "no encoder": (lambda folder: (folder / ENCODER).unlink(), ENCODER),
    "cut off": (lambda folder: (folder / DECODER).write_bytes((folder / DECODER).read_bytes()[:-1]), "cut off"),
    "a flipped bit": (lambda folder: flipped(folder / ENCODER), "SHA-256 begins with"),
    "pickle": (lambda folder: (folder / ENCODER).write_bytes(b"PK\x03\x04" * 100), "not a safetensors file"),
}


@pytest.mark.parametrize("harm", HARMS)
def test_a_folder_in_disorder_is_a_sentence(tmp_path: Path, harm: str) -> None:
    folder = Path(shutil.copytree(SCHOOLED, tmp_path / "mark"))
    change, words = HARMS[harm]
    change(folder)
    with pytest.raises(ConfigError) as caught:
        check_folder(folder)
    assert words in caught.value.sentence
    assert str(folder) in caught.value.sentence


def test_a_whole_folder_is_taken() -> None:
    card = check_folder(SCHOOLED)
    assert card.title == f"Schooled {card.sha256[ENCODER][:10]}"
