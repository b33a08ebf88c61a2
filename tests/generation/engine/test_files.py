"""Picture files: lossless, labelled, and readable again; no torch."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image

from generation.engine.files import GRID_SIDE, compose_grid, encode, read_recipe
from generation.engine.recipe import as_parameters, parse_parameters
from generation.models import describe
from generation.request import Request, Variation

CARD = describe("starter")
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"], include_characters="\n "), max_size=200)


def noise(size: tuple[int, int] = (64, 48)) -> Image.Image:
    return Image.merge("RGB", [Image.effect_noise(size, 80) for _ in range(3)])


@pytest.mark.parametrize("kind", ["webp", "png"])
def test_pictures_are_kept_to_the_pixel(kind: str) -> None:
    image = noise()
    file = encode(image, kind, parameters=None, from_upload=False)
    assert Image.open(io.BytesIO(file.data)).convert("RGB").tobytes() == image.tobytes()
    assert file.media_type == f"image/{kind}"
    assert read_recipe(file.data) == {}


@pytest.mark.parametrize("kind", ["webp", "png", "jpeg"])
@pytest.mark.parametrize("from_upload", [False, True])
def test_the_recipe_and_the_label_are_inside(kind: str, from_upload: bool, wish: Callable[..., Request]) -> None:
    request = wish(
        prompt='a "red" house, at: night\nwith 星 and 🎨',
        negative="fog, rain",
        variations=(Variation(7, 0.25), Variation(8, 0.5)),
    )
    file = encode(noise(), kind, parameters=as_parameters(request, CARD), from_upload=from_upload)
    recipe = read_recipe(file.data)
    assert recipe["prompt"] == request.prompt
    assert recipe["negative"] == "fog, rain"
    assert (recipe["Steps"], recipe["Seed"], recipe["Size"], recipe["Sampler"]) == ("4", "1", "256x256", "DPM++ 2M")
    assert (recipe["Variation seed"], recipe["Variations"]) == ("8", "7:0.25 8:0.5")
    wanted = b"compositeWithTrainedAlgorithmicMedia" if from_upload else b"/trainedAlgorithmicMedia"
    assert wanted in file.data


@given(TEXT, TEXT)
def test_any_prompt_comes_back(words: str, without: str) -> None:
    prompt = f"a {words}".strip()
    assume("\nNegative prompt: " not in prompt)  # the text form itself cannot tell these apart
    request = Request(
        prompt=prompt,
        negative=without.strip(),
        width=64,
        height=64,
        steps=1,
        guidance=1.0,
        sampler="ddim",
        seed=0,
        model="starter",
    )
    recipe = parse_parameters(as_parameters(request, CARD))
    assert recipe["prompt"] == request.prompt
    assert recipe["negative"] == request.negative


@pytest.mark.parametrize(
    "data", [b"", b"nothing", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"\xff\xd8\xff\xe1\0\x10Exif"]
)
def test_files_without_a_recipe_have_none(data: bytes) -> None:
    assert read_recipe(data) == {}


def test_a_recipe_of_another_program_is_read() -> None:
    text = "a cat\nNegative prompt: dog\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 512x512, Model: x"
    assert parse_parameters(text)["Sampler"] == "Euler a"
    assert parse_parameters("just words") == {}


def test_the_grid_keeps_order_and_stays_small() -> None:
    colours = ["red", "lime", "blue"]
    grid = compose_grid([Image.new("RGB", (40, 30), colour) for colour in colours])
    assert grid.size == (80, 60)
    assert [grid.getpixel(place) for place in ((5, 5), (45, 5), (5, 35))] == [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    large = compose_grid([Image.new("RGB", (2048, 1024))] * 4)
    assert max(large.size) <= GRID_SIDE
