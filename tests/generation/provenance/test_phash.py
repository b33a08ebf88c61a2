"""The perceptual hash: near for what people do to a copy, far for other pictures, absent where nothing would last."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from bot.verify import COPY, RESEMBLANCE
from generation.provenance.phash import BITS, distance, perceptual_hash
from tests.generation.provenance.pictures import opened, saved, starter_pictures

KINDS = st.sampled_from(["JPEG", "WEBP"])
WHICH = st.integers(0, 23)


def hashed(image: Image.Image) -> int:
    found = perceptual_hash(image)
    assert found is not None
    return found


def test_it_has_64_bits_and_half_of_them_are_set() -> None:
    for picture in starter_pictures():
        assert 0 <= hashed(picture) < 2**BITS
        assert hashed(picture).bit_count() == BITS // 2


@given(WHICH, KINDS, st.integers(30, 100))
def test_saving_with_loss_keeps_it_near(which: int, kind: str, quality: int) -> None:
    picture = starter_pictures()[which]
    assert distance(hashed(picture), hashed(opened(saved(picture, kind, quality=quality)))) <= COPY


@given(WHICH, st.integers(96, 1500), st.sampled_from([Image.Resampling.BILINEAR, Image.Resampling.LANCZOS]))
def test_another_size_keeps_it_near(which: int, side: int, how: Image.Resampling) -> None:
    picture = starter_pictures()[which]
    bound = COPY if side >= picture.width else RESEMBLANCE + 2  # small copies lose a little more
    assert distance(hashed(picture), hashed(picture.resize((side, side), how))) <= bound


@given(WHICH, st.integers(96, 700), KINDS, st.integers(40, 95))
def test_resized_and_saved_anew_it_is_still_near(which: int, side: int, kind: str, quality: int) -> None:
    picture = starter_pictures()[which]
    copy = opened(saved(picture.resize((side, side)), kind, quality=quality))
    good = side >= picture.width and quality >= 60
    assert distance(hashed(picture), hashed(copy)) <= (RESEMBLANCE if good else RESEMBLANCE + 2)


def test_greys_and_a_little_contrast_keep_it_near() -> None:
    for picture in starter_pictures():
        assert distance(hashed(picture), hashed(picture.convert("L"))) <= COPY
        assert distance(hashed(picture), hashed(ImageEnhance.Contrast(picture).enhance(0.8))) <= COPY


def test_different_pictures_are_far_apart() -> None:
    hashes = [hashed(picture) for picture in starter_pictures()]
    apart = [distance(one, other) for one, other in combinations(hashes, 2)]
    assert min(apart) > RESEMBLANCE
    assert 28 <= sum(apart) / len(apart) <= 36  # as far as chance has it


def test_what_was_turned_or_mirrored_is_another_picture() -> None:
    picture = starter_pictures()[0]
    for how in (Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_90):
        assert distance(hashed(picture), hashed(picture.transpose(how))) > RESEMBLANCE


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (200, 30, 40)])
def test_a_plain_surface_has_none(colour: tuple[int, int, int]) -> None:
    assert perceptual_hash(Image.new("RGB", (256, 256), colour)) is None


def test_any_mode_and_shape_can_be_hashed() -> None:
    wide = starter_pictures()[3].resize((640, 80))
    for mode in ("RGB", "L", "RGBA", "P"):
        assert perceptual_hash(wide.convert(mode)) is not None
    assert perceptual_hash(wide.resize((1, 1))) is None
