"""The same approved picture in a smaller file: label, recipe and signature move over, and nobody else can make one."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generation.engine.files import encode, read_recipe
from generation.errors import NotApproved
from generation.provenance.keyring import Keyring
from generation.provenance.phash import distance, perceptual_hash
from generation.safety.approved import Approved
from generation.safety.level import Level
from generation.safety.recoding import MEDIA_TYPE, Origin, Recoder

ORIGIN = Origin(model="starter", model_sha256="0" * 64, from_upload=False)
PARAMETERS = "a red house\nSteps: 20, Seed: 7"


def approved(side: int = 256, file_format: str = "webp") -> Approved:
    """Noise over a slope: large without loss, and of features that last."""
    dice = np.random.default_rng(1)
    slope = np.linspace(0, 200, side)[:, None, None] * np.ones((1, side, 3))
    pixels = (slope + dice.integers(0, 55, (side, side, 3))).astype(np.uint8)
    file = encode(Image.fromarray(pixels), file_format, parameters=PARAMETERS, from_upload=False)
    return Approved.of(
        file.data,
        media_type=file.media_type,
        width=side,
        height=side,
        checked_by=("test checker 1",),
        level=Level.LOW,
    )


@pytest.mark.parametrize("file_format", ["webp", "png", "jpeg"])
def test_detail_goes_before_size(file_format: str) -> None:
    first = approved(file_format=file_format)
    limit = len(first.data) // 2
    smaller = Recoder(None).within(first, limit, ORIGIN)

    assert smaller is not None
    assert len(smaller.data) <= limit
    assert (smaller.width, smaller.height, smaller.media_type) == (256, 256, MEDIA_TYPE)
    assert (smaller.level, smaller.checked_by) == (first.level, first.checked_by)
    assert smaller.sha256 != first.sha256
    assert read_recipe(smaller.data)["Seed"] == "7"
    with Image.open(io.BytesIO(smaller.data)) as shown, Image.open(io.BytesIO(first.data)) as original:
        assert b"trainedAlgorithmicMedia" in shown.info["xmp"]
        one, other = perceptual_hash(shown.convert("RGB")), perceptual_hash(original.convert("RGB"))
    assert one is not None
    assert other is not None
    assert distance(one, other) <= 7
    assert smaller.mark.phash == other


def test_what_is_too_large_at_any_quality_is_shrunk() -> None:
    smaller = Recoder(None).within(approved(), 3000, ORIGIN)

    assert smaller is not None
    assert len(smaller.data) <= 3000
    assert 32 <= smaller.width < 256


def test_nothing_is_left_of_a_picture_in_no_bytes() -> None:
    assert Recoder(None).within(approved(), 50, ORIGIN) is None


def test_the_smaller_file_is_signed(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path)
    first = approved()
    smaller = Recoder(keyring.open()).within(first, len(first.data) // 2, ORIGIN)

    assert smaller is not None
    assert smaller.mark.manifest.startswith("urn:c2pa:")
    assert len(smaller.data) <= len(first.data) // 2
    assert smaller.mark.manifest.encode() in smaller.data


def test_bytes_that_are_no_picture_are_not_approved_again() -> None:
    broken = replace(approved(), data=b"x", sha256="2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881")
    with pytest.raises(NotApproved):
        Recoder(None).within(broken, 10_000, ORIGIN)
