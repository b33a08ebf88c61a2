"""`python -m generation provenance …` as its owner types it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from generation.__main__ import app
from generation.engine.watermark import published
from generation.engine.watermark.hiding import Hider
from generation.provenance.keyring import Keyring
from generation.provenance.payload import Payload, issuers
from tests.generation.engine.watermark.schooled import SCHOOLED
from tests.generation.provenance.pictures import a_file, saved, starter_pictures

CODES = {"usage": 2, "config": 78}


def run(*arguments: object) -> tuple[int, list[str]]:
    result = CliRunner().invoke(app, ["provenance", *map(str, arguments)])
    return result.exit_code, result.output.splitlines()


def test_a_file_is_examined_by_signature_metadata_and_watermark(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path / "keys")
    identity = keyring.open()
    payload = Payload(issuers(identity.chain)[-1], 0x123456789A)
    marked = Hider.open(SCHOOLED).hide(np.asarray(starter_pictures()[0]), payload)
    (tmp_path / "copy.jpg").write_bytes(saved(Image.fromarray(marked), "JPEG"))
    (tmp_path / "ours.webp").write_bytes(a_file(identity=identity).data)
    code, lines = run("examine", tmp_path / "copy.jpg", "--keys", tmp_path / "keys", "--watermark", SCHOOLED)
    assert code == 0, lines
    assert [line[:12].strip() for line in lines] == ["signature", "metadata", "watermark"]
    assert [line[12:] for line in lines[:2]] == ["none", "none"]
    assert "of this bot" in lines[2]
    assert "123456789a" in lines[2]
    assert "proves nothing" in lines[2]
    code, lines = run("examine", tmp_path / "copy.jpg", "--keys", tmp_path / "others", "--watermark", SCHOOLED)
    assert lines[2].endswith("none of this bot was found")  # the same mark, but another bot asks
    code, lines = run("examine", tmp_path / "ours.webp", "--keys", tmp_path / "keys")
    assert code == 0
    assert lines[0].endswith("of this bot, unchanged since")
    assert "an Atelier bot (model starter, seed 7)" in lines[1]
    assert "not looked for" in lines[2]


def test_what_cannot_be_examined_is_a_sentence_and_a_code(tmp_path: Path) -> None:
    code, lines = run("examine", tmp_path / "gone.png")
    assert (code, "cannot be read" in " ".join(lines)) == (CODES["usage"], True)
    (tmp_path / "picture.png").write_bytes(saved(starter_pictures()[0], "PNG"))
    code, lines = run("examine", tmp_path / "picture.png", "--keys", tmp_path, "--watermark", tmp_path / "gone")
    assert (code, "There is no watermark in" in " ".join(lines)) == (CODES["config"], True)


def test_converting_says_what_came_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, lines = run("convert-watermark", tmp_path, tmp_path / "mark", "--variant", "P")
    assert (code, "trustmark_P.yaml" in "".join(lines)) == (CODES["config"], True)
    card = Hider.open(SCHOOLED).card
    for known in (True, False):
        monkeypatch.setattr(published, "convert", lambda *_, known=known: published.Converted(card, known))
        code, lines = run("convert-watermark", tmp_path, tmp_path / "mark")
        assert code == 0
        assert "files.watermark" in " ".join(lines)
        assert ("not the files that TrustMark's authors published" in " ".join(lines)) is not known
    code, lines = run("convert-watermark", tmp_path, tmp_path / "mark", "--variant", "X")
    assert code == CODES["usage"]
