"""Samplers as tables against the library's own steps."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from generation.engine import samplers, tables
from generation.engine.stepping import ObjectStepping, TableStepping
from generation.engine.tables import Table, Tables
from generation.errors import BadRequest
from generation.options import SAMPLERS

NOISE = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012, "steps_offset": 1}
FLOW = {"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3.0}
CPU = torch.device("cpu")


def config(name: str, prediction: str = "epsilon") -> dict[str, Any]:
    return FLOW if name == "flow_euler" else NOISE | {"prediction_type": prediction}


def walk(
    kind: type[TableStepping | ObjectStepping], name: str, prediction: str, steps: int, strength: float | None
) -> torch.Tensor:
    """Latents after all steps with a denoiser that answers with fixed random numbers."""
    stepping = kind(config(name, prediction), CPU)
    rng = torch.Generator().manual_seed(1)
    picture = torch.randn((4, 8, 8), generator=torch.Generator().manual_seed(2)) if strength else None
    course = stepping.begin(
        name, steps, strength, rng=rng, noise=lambda: torch.randn((4, 8, 8), generator=rng), picture=picture
    )
    answers = torch.Generator().manual_seed(3)
    for _ in range(course.calls):
        given, timesteps = stepping.given([course])
        assert given.shape == (1, 4, 8, 8)
        assert timesteps.shape == (1,)
        stepping.advance([course], torch.randn((1, 4, 8, 8), generator=answers) + 0.1 * given)
    return course.latents


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize(("steps", "strength"), [(1, None), (4, None), (25, None), (12, 0.5), (6, 0.05)])
def test_tables_follow_the_library(name: str, prediction: str, steps: int, strength: float | None) -> None:
    by_table = walk(TableStepping, name, prediction, steps, strength)
    by_object = walk(ObjectStepping, name, prediction, steps, strength)
    assert float((by_table - by_object).abs().max()) <= 1e-4 * float(by_object.square().mean().sqrt())


def test_tables_are_kept_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "KEPT", 2)
    kept = Tables(config("euler"))
    first = kept.of("euler", 3)
    assert kept.of("euler", 3) is first
    kept.of("euler", 4)
    kept.of("euler", 5)
    assert kept.of("euler", 3) is not first


def test_a_sampler_that_is_not_linear_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(samplers.LATENT, "thresholding", True)  # clips by quantiles of the picture
    with pytest.raises(BadRequest, match="DPM\\+\\+ 2M cannot take 4 steps together"):
        Tables(config("dpmpp_2m")).of("dpmpp_2m", 4)


@pytest.mark.parametrize("name", ["euler", "unipc", "heun"])
def test_a_sampler_of_the_wrong_kind_names_those_that_fit(name: str) -> None:
    with pytest.raises(BadRequest, match="choose flow_euler"):
        Tables(FLOW).of(name, 4)
    with pytest.raises(BadRequest, match="does not fit this model; choose dpmpp_2m"):
        Tables(config(name)).of("flow_euler", 4)


def test_the_library_s_noise_is_given_back_after_probing() -> None:
    import diffusers.schedulers.scheduling_euler_ancestral_discrete as module

    before = module.randn_tensor
    Tables(config("euler_a")).of("euler_a", 2)
    assert module.randn_tensor is before


def test_steps_that_take_no_noise_draw_none() -> None:
    quiet: Table = Tables(config("ddim")).of("ddim", 4)
    noisy = Tables(config("euler_a")).of("euler_a", 4)
    assert not any(quiet.noisy(at) for at in range(4))
    assert [noisy.noisy(at) for at in range(4)] == [True, True, True, False]
