"""Real, tiny runs of every command on the small architecture; only what they write is looked at, never how fast."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from generation.__main__ import app
from generation.bench.overhead import REQUESTS, beside_the_denoiser
from generation.engine.device import Place


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """The small architecture is measured on one thread; other tests have as many as before."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def figures(tmp_path: Path, *words: str) -> dict[str, Any]:
    path = tmp_path / "figures.json"
    result = CliRunner().invoke(app, ["bench", *words, "--json", str(path), "--markdown", str(tmp_path / "a.md")])
    assert result.exit_code == 0, result.output
    data = json.loads(path.read_text())
    assert {"figures", "environment", "command"} <= set(data)
    assert (tmp_path / "a.md").read_text().startswith("`python -m generation")
    found: dict[str, Any] = data["figures"]
    return found


def test_curves(tmp_path: Path):
    found = figures(tmp_path, "curves", "--arch", "small", "--rows", "1,2", "--budget", "2")
    assert found["denoiser.eager.rows_1_s"] > 0
    assert 0 < found["denoiser.eager.rows_1_of_gemm"] < 2
    assert found["denoiser.eager.knee_rows"] in (1, 2)
    assert found["decoder.eager.pictures_1_s"] > 0


def test_trace(tmp_path: Path):
    saved = tmp_path / "trace.json"
    words = ("--arch", "small", "--arms", "fifo,static4,roof,ours-fast-r4", "--loads", "3", "--minutes", "0.05")
    found = figures(tmp_path, "trace", *words, "--requests", "4", "--save-trace", str(saved))
    assert len(json.loads(saved.read_text())["arrivals"]) == 4
    for arm in ("fifo", "static4", "ours-fast-r4"):
        assert found[f"load_3.{arm}.pictures_per_s"] > 0
        assert found[f"load_3.{arm}.first_preview_p95_s"] <= found[f"load_3.{arm}.latency_p95_s"]
        assert found[f"load_3.{arm}.share_of_roof"] > 0
    assert found["load_3.fifo.pictures_per_s_to_fifo"] == 1.0
    assert found["load_3.fifo.padded_share"] == 0.0
    assert 1.0 <= found["load_3.ours-fast-r4.rows_per_call"] <= 4.0
    assert found["capacity.roof.pictures_per_s"] > 0
    assert not [name for name in found if name.startswith("load_3.roof")]

    again = figures(tmp_path, "trace", *words[:3], "fifo", *words[4:], "--trace", str(saved))
    assert again["load_3.fifo.requests"] == 4


def test_identity(tmp_path: Path):
    words = ("--arch", "small", "--requests", "4", "--shuffles", "1", "--rows", "4")
    found = figures(tmp_path, "identity", *words, "--dtypes", "float32,bfloat16")
    for name, most in (("float32", 8), ("bfloat16", 64)):
        for mode in ("exact", "fast"):
            assert found[f"identity.{mode}.{name}.compared"] == 4
            assert found[f"identity.{mode}.{name}.pixel_difference"] <= most
        assert found[f"identity.exact.{name}.same_latents"] == 4
        assert found[f"identity.exact.{name}.same_pictures"] == 4


def test_stages(tmp_path: Path):
    found = figures(tmp_path, "stages", "--arch", "small", "--no-overhead", "--budget", "0.2", "--steps", "4")
    shares = [value for name, value in found.items() if name.endswith("_share")]
    assert sum(shares) == pytest.approx(1.0)
    assert not [name for name in found if name.startswith("overhead")]


def test_the_engine_beside_the_denoiser():
    found = beside_the_denoiser(Place(torch.device("cpu"), torch.float32, "CPU"))
    assert REQUESTS * 0.8 < found.rows <= REQUESTS  # but for the first calls, in which they join
    assert found.tables > 0
    assert found.step is None


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["curves", "--arch", "sd1.5"], "did you mean sd15"),
        (["curves", "--arch", "small", "--rows", "0"], "from 1 to 256"),
        (["curves", "--arch", "small", "--rows", "two"], "numbers separated by commas"),
        (["curves", "--arch", "small", "--variants", "egaer"], "did you mean eager"),
        (["curves", "--arch", "small", "--size", "100"], "multiple of 8"),
        (["curves", "--arch", "small", "--json", "nowhere/a.json"], "cannot be written"),
        (["trace", "--arch", "small", "--arms", "fif"], "did you mean fifo"),
        (["trace", "--arch", "small", "--arms", "ours-fast"], "add fifo"),
        (["trace", "--arch", "small", "--loads", "nan"], "from 0.01 to 100"),
        (["trace", "--arch", "small", "--trace", "nowhere.json"], "is not a trace"),
        (["identity", "--arch", "small", "--modes", "exakt"], "one of exact, fast"),
        (["identity", "--arch", "small", "--dtypes", "float8"], "one of auto, float32"),
    ],
)
def test_a_mistake_gets_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], sentence: str):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["bench", *words])
    assert result.exit_code == 2, result.output
    assert sentence in " ".join(result.output.split())
    assert "Traceback" not in result.output


def test_provenance(tmp_path: Path):
    found = figures(tmp_path, "provenance", "--budget", "1")
    for kind in ("webp", "png", "jpeg"):
        assert 0 < found[f"provenance.{kind}_1024.sign_s"] < 1
        assert 2000 < found[f"provenance.{kind}_1024.bytes_added"] < 5000
    assert found["looks.pictures"] == 24
    assert found["looks.JPEG_50.most"] <= 4
    assert found["looks.different_pictures.least"] > 6


def test_provenance_of_no_picture(tmp_path: Path):
    (tmp_path / "sheet.png").write_text("no picture")
    result = CliRunner().invoke(app, ["bench", "provenance", "--sheet", str(tmp_path / "sheet.png")])
    assert result.exit_code == 2
    assert "cannot be read as a picture" in result.output
