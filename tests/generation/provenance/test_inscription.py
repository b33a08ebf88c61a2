"""The line of settings inside a file: there by default, without the prompt unless its author wants it."""

from __future__ import annotations

import pytest

from generation.engine.files import read_recipe
from generation.intake import inspect
from tests.generation.provenance.pictures import a_file, a_job, saved, starter_pictures

SECRET = "a very secret lighthouse"
KINDS = ["webp", "png", "jpeg"]


def tells(data: bytes) -> bool:
    return any(SECRET.encode(code) in data for code in ("utf-8", "utf-16-be", "utf-16-le"))


@pytest.mark.parametrize("kind", KINDS)
def test_without_the_prompt_by_default(kind: str) -> None:
    file = a_file(job=a_job(SECRET, negative="fog and rain"), file_format=kind)
    told = read_recipe(file.data)
    assert (told["Seed"], told["Steps"], told["Model"]) == ("7", "20", "starter")
    assert (told["prompt"], told["negative"]) == ("", "")
    assert not tells(file.data)
    assert b"fog" not in file.data


@pytest.mark.parametrize("kind", KINDS)
def test_with_the_prompt_for_those_who_want_it(kind: str) -> None:
    file = a_file(job=a_job(SECRET, embed_prompt=True, negative="fog and rain"), file_format=kind)
    assert read_recipe(file.data)["prompt"] == SECRET
    assert read_recipe(file.data)["negative"] == "fog and rain"


@pytest.mark.parametrize("kind", KINDS)
def test_not_at_all_where_the_owner_wants_none(kind: str) -> None:
    file = a_file(job=a_job(SECRET, embed_prompt=True), file_format=kind, embed_recipe=False)
    assert read_recipe(file.data) == {}
    assert not tells(file.data)


async def test_it_is_read_back_as_a_claim_that_proves_nothing() -> None:
    ours = (await inspect(a_file().data, "")).inscription
    assert ours is not None
    assert (ours.ours, ours.generated, ours.model, ours.seed) == (True, True, "starter", "7")
    assert (await inspect(saved(starter_pictures()[0], "PNG"), "")).inscription is None


async def test_another_programs_picture_says_so() -> None:
    from PIL import PngImagePlugin

    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", "a cat\nSteps: 20, Sampler: Euler a, Seed: 5, Model: other, Version: v1.9.4")
    found = (await inspect(saved(starter_pictures()[0], "PNG", pnginfo=info), "")).inscription
    assert found is not None
    assert (found.ours, found.generated, found.model) == (False, True, "other")
