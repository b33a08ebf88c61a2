"""Models within a budget: who stays, who goes, and what a broken file changes."""

from __future__ import annotations

import gc
import shutil
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from generation.engine import device, weights
from generation.engine.plain import PlainModel
from generation.engine.shelf import Resident, Shelf
from generation.errors import ModelUnavailable
from generation.models import resolve
from tests.generation import tiny, tiny_plain

PLACE = device.choose("cpu", "auto", 1)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Three models of the same size, and a pipeline."""
    folder = tmp_path_factory.mktemp("models")
    first = tiny.stable_diffusion(folder / "one")
    for name in ("two", "three"):
        shutil.copytree(first, folder / name)
    tiny_plain.pixart(folder / "plain")
    return {name: str(folder / name) for name in ("one", "two", "three", "plain")}


@pytest.fixture(scope="module")
def size(places: dict[str, str]) -> int:
    return weights.load(resolve(places["one"]), PLACE).bytes


@pytest.fixture
def shelf(places: dict[str, str], size: int) -> Shelf:
    return Shelf(places, PLACE, budget=int(2.5 * size))


def names(shelf: Shelf) -> list[str]:
    return [resident.name for resident in shelf.resident]


def test_the_least_recently_used_goes(shelf: Shelf, size: int) -> None:
    one = shelf.take("one")
    shelf.take("two")
    assert shelf.take("one") is one
    assert shelf.resident == (Resident("two", size), Resident("one", size))
    shelf.take("three")
    assert names(shelf) == ["one", "three"]
    assert shelf.take("one") is one


def test_its_memory_comes_back(places: dict[str, str], size: int) -> None:
    told: list[str] = []
    shelf = Shelf(places, PLACE, budget=int(1.5 * size), evicted=told.append)
    denoiser: Any = shelf.take("one").pipeline.unet
    alive = weakref.ref(denoiser)
    del denoiser
    shelf.take("two")
    gc.collect()
    assert told == ["one"]
    assert alive() is None


def test_both_kinds_of_models_and_the_starter_are_there(shelf: Shelf) -> None:
    assert shelf.names == ("starter", "one", "two", "three", "plain")
    assert isinstance(shelf.take("plain"), PlainModel)
    said: list[str] = []
    assert shelf.take("one", said.append).card.name == "one"
    assert said == ["checking “one”", *(f"loading “one”, part {i} of 3" for i in (1, 2, 3))]


def test_models_in_use_stay(shelf: Shelf) -> None:
    shelf.take("one")
    shelf.take("two")
    shelf.take("three", in_use=("one",))
    assert names(shelf) == ["one", "three"]
    with pytest.raises(ModelUnavailable, match=r"needs .* left beside the models in use"):
        shelf.take("two", in_use=("one", "three"))
    assert names(shelf) == ["one", "three"]


def test_one_that_can_never_fit_is_refused_and_nobody_has_to_go(places: dict[str, str], size: int) -> None:
    shelf = Shelf(places, PLACE, budget=int(1.2 * size))
    shelf.take("one")
    with pytest.raises(ModelUnavailable, match=r"“starter” needs 3\d\.\d MB of memory, and 5\.5 MB are there"):
        shelf.take("starter")
    assert names(shelf) == ["one"]


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: (folder / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(b"\x10" + b"\0" * 40),
        lambda folder: (folder / "vae" / "config.json").write_text('{"latent_channels": 99}'),
        lambda folder: (folder / "model_index.json").write_text("{"),
        lambda folder: shutil.rmtree(folder / "text_encoder"),
        lambda folder: (folder / "unet" / "more.py").write_text("x"),
    ],
)
def test_a_broken_model_is_refused_and_the_others_keep_serving(
    places: dict[str, str], size: int, tmp_path: Path, harm: Callable[[Path], object]
) -> None:
    folder = Path(shutil.copytree(places["one"], tmp_path / "broken"))
    harm(folder)
    shelf = Shelf({**places, "broken": str(folder)}, PLACE, budget=int(1.5 * size))
    one = shelf.take("one")
    for _ in range(2):
        with pytest.raises(ModelUnavailable):
            shelf.take("broken")
        assert names(shelf) == ["one"]
        assert shelf.take("one") is one


def test_unknown_names_name_the_nearest_and_paths_are_no_names(shelf: Shelf, places: dict[str, str]) -> None:
    with pytest.raises(ModelUnavailable, match="did you mean “three”"):
        shelf.take("tree")
    with pytest.raises(ModelUnavailable, match="There is no model called"):
        shelf.take(places["one"])


def test_without_a_budget_free_memory_decides(places: dict[str, str], size: int) -> None:
    total = int(2.4 * size)
    shelf = Shelf(places, PLACE, free=lambda _: total - sum(resident.bytes for resident in shelf.resident))
    assert shelf.budget == int(0.9 * total)
    shelf.take("one")
    shelf.take("two")
    assert names(shelf) == ["one", "two"]
    assert shelf.budget == int(0.9 * total)
    shelf.take("three")
    assert names(shelf) == ["two", "three"]
    assert Shelf(places, PLACE).budget > 0


def test_a_dropped_model_loads_again(shelf: Shelf) -> None:
    one = shelf.take("one")
    shelf.drop("one")
    assert names(shelf) == []
    assert shelf.take("one") is not one
