"""Models that are slow enough to make that every test shares them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from generation.request import Request


@pytest.fixture
def wish() -> Callable[..., Request]:
    """Makes a request for the starter model; any value can be changed."""

    def make(**changes: Any) -> Request:
        values: dict[str, Any] = {
            "prompt": "a red house on the hill at night",
            "width": 256,
            "height": 256,
            "steps": 4,
            "guidance": 4.0,
            "sampler": "dpmpp_2m",
            "seed": 1,
            "model": "starter",
        }
        return Request(**values | changes)

    return make


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny random Stable Diffusion model with AutoencoderKL."""
    from tests.generation.tiny import stable_diffusion

    return stable_diffusion(tmp_path_factory.mktemp("models") / "tiny-sd")


@pytest.fixture(scope="session")
def easy_checker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny safety checker that approves everything finite."""
    from tests.generation.tiny import safety_checker

    return safety_checker(tmp_path_factory.mktemp("checkers") / "easy", threshold=1.0)


@pytest.fixture(scope="session")
def strict_checker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny safety checker that flags everything."""
    from tests.generation.tiny import safety_checker

    return safety_checker(tmp_path_factory.mktemp("checkers") / "strict", threshold=-1.0)
