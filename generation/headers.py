"""Reads the headers of safetensors files without loading a tensor, trusting none of it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generation.errors import ModelUnavailable

HEADER_LIMIT = 100_000_000  # bytes; the safetensors format's own limit for its JSON header
BYTES_OF = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1,
    "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1,
}  # fmt: skip
FLOATS = frozenset(("F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"))


@dataclass(frozen=True, slots=True)
class Entry:
    """One tensor as a header describes it."""

    dtype: str  # as the format writes it, e.g. "BF16"
    shape: tuple[int, ...]

    @property
    def numbers(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)


def read_header(path: Path) -> dict[str, Entry]:
    """Tensor names → what they are; raises ModelUnavailable when `path` is no whole safetensors file."""
    raw, room = _raw(path)
    try:
        header = json.loads(raw)
        header.pop("__metadata__", None)
        spans = sorted((*map(int, tensor["data_offsets"]), name) for name, tensor in header.items())
        entries = {name: _entry(header[name], end - start) for start, end, name in spans}
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError) as error:
        raise ModelUnavailable(f"“{path.name}” has a broken header.") from error
    if not spans or spans[-1][1] != room:
        raise ModelUnavailable(f"“{path.name}” is cut off: it is shorter or longer than its header says.")
    if [start for start, _, _ in spans] != [0, *(end for _, end, _ in spans[:-1])]:
        raise ModelUnavailable(f"“{path.name}” has a broken header: its tensors overlap or leave gaps.")
    return entries


def weight_files(folder: Path) -> tuple[Path, ...]:
    """The safetensors files in `folder` that the library would load: not the half-precision twins of others."""
    found = sorted(folder.glob("*.safetensors"))
    plain = [path for path in found if ".fp16" not in path.name and ".non_ema" not in path.name]
    return tuple(plain or found)


def merged(paths: Iterable[Path]) -> dict[str, Entry]:
    """The tensors of several files together, for example of the shards of one part."""
    together: dict[str, Entry] = {}
    for path in paths:
        together |= read_header(path)
    return together


def bytes_loaded(entries: Mapping[str, Entry], bytes_per_number: int) -> int:
    """Memory that the tensors will need once they are in a number format of `bytes_per_number`."""
    return sum(
        entry.numbers * (bytes_per_number if entry.dtype in FLOATS else BYTES_OF[entry.dtype])
        for entry in entries.values()
    )


def _raw(path: Path) -> tuple[bytes, int]:
    """The header's bytes, and how many bytes follow it."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(HEADER_LIMIT, size - 8):
                raise ModelUnavailable(f"“{path.name}” is not a safetensors file, or it is cut off.")
            return file.read(length), size - 8 - length
    except OSError as error:
        raise ModelUnavailable(f"“{path.name}” cannot be read.") from error


def _entry(tensor: Mapping[str, Any], size: int) -> Entry:
    shape = tensor["shape"]
    if not isinstance(shape, list) or not all(type(side) is int and side >= 0 for side in shape):
        raise ValueError("a shape is a list of whole numbers")
    entry = Entry(str(tensor["dtype"]), tuple(shape))
    if entry.numbers * BYTES_OF[entry.dtype] != size:
        raise ValueError("a tensor is not as large as its shape says")
    return entry
