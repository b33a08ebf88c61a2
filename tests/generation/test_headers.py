"""Headers of safetensors files, true and hostile."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from generation.errors import ModelUnavailable
from generation.headers import Entry, bytes_loaded, merged, read_header, weight_files

SD1_KEY = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"


def weights(path: Path, tensors: dict[str, list[int]], *, missing: int = 0, **header: Any) -> Path:
    """A safetensors file of float16 zeros, `missing` bytes short."""
    entries: dict[str, Any] = dict(header)
    end = 0
    for name, shape in tensors.items():
        size = 2
        for side in shape:
            size *= side
        entries[name] = {"dtype": "F16", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    raw = json.dumps(entries).encode()
    path.write_bytes(struct.pack("<Q", len(raw)) + raw + b"\0" * (end - missing))
    return path


def written(path: Path, header: Any, body: int) -> Path:
    raw = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(raw)) + raw + b"\0" * body)
    return path


def entry(start: int, end: int, shape: Any, dtype: Any = "F16") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04" + b"\0" * 100,
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 4) + b"{{{{",
        struct.pack("<Q", 100_000) + b"[" * 100_000,
        struct.pack("<Q", 20) + b'{"a":{"shape":[1]}} ',
    ],
)
def test_hostile_headers_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelUnavailable):
        read_header(path)


def test_a_cut_off_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="cut off"):
        read_header(weights(tmp_path / "x.safetensors", {SD1_KEY: [320, 768]}, missing=1))


@pytest.mark.parametrize(
    ("header", "body"),
    [
        ({"a": entry(0, 4, [3])}, 4),
        ({"a": entry(0, 4, [2]), "b": entry(2, 6, [2])}, 6),
        ({"a": entry(0, 4, [2]), "b": entry(6, 10, [2])}, 10),
        ({"a": entry(0, 4, [-2])}, 4),
        ({"a": entry(0, 4, [2.0])}, 4),
        ({"a": entry(0, 4, [True, 2])}, 4),
        ({"a": entry(0, 4, "22")}, 4),
        ({"a": entry(0, 4, [2], "F15")}, 4),
        ({"a": entry(0, 4, [2], ["F16"])}, 4),
        ({"a": entry(0, 4, [10**400])}, 4),
        ({"a": entry(-4, 0, [2]), "b": entry(0, 4, [2])}, 4),
    ],
)
def test_headers_that_lie_about_their_tensors_are_refused(tmp_path: Path, header: Any, body: int) -> None:
    with pytest.raises(ModelUnavailable, match="broken header"):
        read_header(written(tmp_path / "x.safetensors", header, body))


def test_what_a_file_holds_and_what_it_will_take(tmp_path: Path) -> None:
    header = {"__metadata__": {"format": "pt"}, "a": entry(0, 12, [2, 3]), "n": entry(12, 20, [1], "I64")}
    entries = read_header(written(tmp_path / "one.safetensors", header, 20))
    assert entries == {"a": Entry("F16", (2, 3)), "n": Entry("I64", (1,))}
    assert (bytes_loaded(entries, 4), bytes_loaded(entries, 2)) == (32, 20)
    written(tmp_path / "two.safetensors", {"b": entry(0, 0, [0])}, 0)
    assert set(merged(weight_files(tmp_path))) == {"a", "n", "b"}


def test_twins_in_half_precision_count_once(tmp_path: Path) -> None:
    for name in ("model.safetensors", "model.fp16.safetensors"):
        written(tmp_path / name, {"a": entry(0, 4, [2])}, 4)
    assert [path.name for path in weight_files(tmp_path)] == ["model.safetensors"]
    (tmp_path / "model.safetensors").unlink()
    assert [path.name for path in weight_files(tmp_path)] == ["model.fp16.safetensors"]


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="cannot be read"):
        read_header(tmp_path / "none.safetensors")
