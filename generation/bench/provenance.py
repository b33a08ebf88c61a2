"""What signing and recognising a picture cost, and how well its looks are recognised; no model is painted with."""

from __future__ import annotations

import asyncio
import io
import statistics
import tempfile
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path

import torch
from PIL import Image

import generation
from generation.bench.report import Report, Sheet, shown
from generation.bench.timing import seconds_of
from generation.engine.files import encode
from generation.errors import BadRequest
from generation.intake import inspect
from generation.provenance.keyring import Keyring
from generation.provenance.phash import distance, perceptual_hash
from generation.provenance.signing import Facts, Signer

SHEET = Path(generation.__file__).parent / "starter" / "record" / "sheet.webp"
TILE = 192  # pixels along a side of one picture on the sheet
FORMATS = ("webp", "png", "jpeg")
SIDES = (512, 1024)
CPU = torch.device("cpu")
LINE = "Steps: 20, Sampler: DPM++ 2M, CFG scale: 4.0, Seed: 7, Size: 512x512, Model: starter, Version: Atelier"

Told = Callable[[str, int, int], None]


def measure(report: Report, *, sheet: Path | None, budget: float, told: Told) -> None:
    """Fill `report`; `sheet` is a picture of pictures as `generation.starter sheet` writes it."""
    pictures = _pictures(sheet or SHEET)
    with tempfile.TemporaryDirectory() as folder:
        keyring = Keyring(Path(folder))
        signer = Signer(keyring.open())
        cases = [(kind, side) for kind in FORMATS for side in SIDES]
        rows = []
        for place, (kind, side) in enumerate(cases):
            told(f"{kind}, {side} pixels", place, len(cases))
            picture = pictures[place % len(pictures)].resize((side, side), Image.Resampling.BICUBIC)
            rows.append(_cost(report, signer, keyring, picture, kind, budget / len(cases)))
    columns = ("format", "encode, ms", "sign, ms", "bytes added", "perceptual hash, ms", "examine in a child, ms")
    report.sheets.append(Sheet("Cost of one file", columns, rows))
    told("Looks", len(cases), len(cases))
    report.sheets.append(_looks(report, pictures))


def _pictures(sheet: Path) -> list[Image.Image]:
    try:
        with Image.open(sheet) as opened:
            whole = opened.convert("RGB")
    except OSError as error:
        raise BadRequest(f"“{sheet}” cannot be read as a picture.") from error
    corners = [(x, y) for y in range(0, whole.height, TILE) for x in range(0, whole.width, TILE)]
    return [whole.crop((x, y, x + TILE, y + TILE)) for x, y in corners]


def _cost(
    report: Report, signer: Signer, keyring: Keyring, picture: Image.Image, kind: str, budget: float
) -> list[str]:
    plain = encode(picture, kind, parameters=LINE, from_upload=False)

    def signed() -> bytes:
        facts = Facts(model="starter", model_sha256="0" * 64, from_upload=False)
        done = signer.sign(plain.data, plain.media_type, facts)
        assert done is not None, "the log says why"
        return done.data

    file, roots = signed(), keyring.roots()
    found = {
        "encode_s": _timed(lambda: encode(picture, kind, parameters=LINE, from_upload=False), budget),
        "sign_s": _timed(signed, budget),
        "bytes_added": float(len(file) - len(plain.data)),
        "phash_s": _timed(lambda: perceptual_hash(picture), budget),
        "examine_s": _timed(lambda: asyncio.run(inspect(file, roots)), budget),
    }
    name = f"{kind}_{picture.width}"
    report.figures |= {f"provenance.{name}.{key}": value for key, value in found.items()}
    cells = [shown(value * 1000) if key.endswith("_s") else f"{value:,.0f}" for key, value in found.items()]
    return [f"{kind}, {picture.width} × {picture.height}", *cells]


def _timed(work: Callable[[], object], budget: float) -> float:
    return seconds_of(work, CPU, budget=budget / 4)


def _looks(report: Report, pictures: Sequence[Image.Image]) -> Sheet:
    """How far copies are from their pictures, and different pictures from each other, in bits of 64."""
    large = [picture.resize((512, 512), Image.Resampling.LANCZOS) for picture in pictures]
    hashes = [perceptual_hash(picture) for picture in large]
    kept = [(picture, phash) for picture, phash in zip(large, hashes, strict=True) if phash is not None]
    report.figures |= {"looks.pictures": len(pictures), "looks.without_a_hash": hashes.count(None)}
    rows = []
    for name, change in COPIES.items():
        apart = sorted(distance(phash, perceptual_hash(change(picture)) or 0) for picture, phash in kept)
        rows.append(_row(report, name, apart))
    different = sorted(distance(one, other) for (_, one), (_, other) in combinations(kept, 2))
    rows.append(_row(report, "different pictures", different))
    return Sheet(f"Difference in looks, {len(kept)} pictures", ("", "least", "median", "95 %", "most"), rows)


def _row(report: Report, name: str, apart: Sequence[int]) -> list[str]:
    values = (apart[0], statistics.median(apart), apart[int(0.95 * (len(apart) - 1))], apart[-1])
    key = name.replace(",", "").replace(" ", "_")
    labels = ("least", "median", "p95", "most")
    report.figures |= {f"looks.{key}.{label}": float(value) for label, value in zip(labels, values, strict=True)}
    return [name, *(f"{value:g}" for value in values)]


def _saved(picture: Image.Image, kind: str, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, kind, quality=quality)
    copy = Image.open(io.BytesIO(buffer.getvalue()))
    copy.load()
    return copy


def _cropped(picture: Image.Image, percent: int) -> Image.Image:
    edge = picture.width * percent // 200
    return picture.crop((edge, edge, picture.width - edge, picture.height - edge))


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "JPEG 90": lambda picture: _saved(picture, "JPEG", 90),
    "JPEG 50": lambda picture: _saved(picture, "JPEG", 50),
    "WebP 75": lambda picture: _saved(picture, "WEBP", 75),
    "half the size": lambda picture: picture.resize((256, 256)),
    "three quarters, JPEG 75": lambda picture: _saved(picture.resize((384, 384)), "JPEG", 75),
    "grey": lambda picture: picture.convert("L"),
    "cropped by 2 %": lambda picture: _cropped(picture, 4),
    "cropped by 5 %": lambda picture: _cropped(picture, 10),
    "mirrored": lambda picture: picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
}
