"""A format is chosen by what was measured, once, and only where the owner left it open."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from generation.bench import identity
from generation.engine import device, serving, trying, weights
from generation.engine.formats import APART, FULL, GAIN, SHORT, Trial, Trials
from generation.engine.model import LoadedModel
from generation.engine.options import EngineOptions
from generation.engine.preview import Preview
from generation.models import STARTER, resolve
from generation.request import Request
from tests.generation.engine.easel import FAST, painted
from tests.generation.engine.served import engine, paint

Wish = Callable[..., Request]
QUICK, NO_GAIN = Trial(2.0, 1.0, 0.01), Trial(1.1, 1.0, 0.0)


def loaded(dtype: str = "auto") -> LoadedModel:
    return weights.load(resolve(str(STARTER)), device.choose("cpu", dtype, 1))


@pytest.fixture(autouse=True)
def units(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decisions are looked at here, so every machine is taken for one that may be quick in bfloat16."""
    monkeypatch.setattr(trying, "quick_in_short", lambda: True)


# -- deciding --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trial", "chosen"),
    [
        (Trial(1.0, 0.5, 0.01), SHORT),
        (Trial(GAIN, 1.0, APART), SHORT),
        (Trial(GAIN - 0.01, 1.0, 0.0), FULL),
        (Trial(1.0, 2.0, 0.0), FULL),
        (Trial(1.0, 0.1, APART * 1.01), FULL),
        (Trial(1.0, 0.1, float("inf")), FULL),
        (Trial(1.0, 0.1, float("nan")), FULL),
    ],
)
def test_short_is_chosen_where_it_is_clearly_faster_and_sound(trial: Trial, chosen: str) -> None:
    assert trial.chosen == chosen


times = st.floats(1e-6, 1e3)


@given(st.builds(Trial, times, times, st.floats(0, 1)), st.none() | st.builds(Trial, times, times, st.floats(0, 1)))
def test_trials_come_back_as_they_were_kept(first: Trial, second: Trial | None) -> None:
    trials = Trials(first, second)
    assert Trials.from_json(json.loads(json.dumps(trials.to_json()))) == trials


@pytest.mark.parametrize("broken", [{"full": 0, "short": 1, "apart": 0}, {"full": 1, "short": 1, "apart": -1}, {}, []])
def test_what_is_no_trial_is_refused(broken: Any) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        Trials.from_json({"denoiser": broken, "decoder": None})


# -- settling --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trials", "formats"),
    [
        (Trials(QUICK, QUICK), {"text": FULL, "denoiser": SHORT, "decoder": SHORT}),
        (Trials(QUICK, NO_GAIN), {"text": FULL, "denoiser": SHORT, "decoder": FULL}),
        (Trials(NO_GAIN, QUICK), {"text": FULL, "denoiser": FULL, "decoder": SHORT}),
        (Trials(NO_GAIN, NO_GAIN), dict.fromkeys(("text", "denoiser", "decoder"), FULL)),
    ],
)
def test_each_part_gets_its_own_format_and_paints(trials: Trials, formats: dict[str, str], wish: Wish) -> None:
    before = loaded()
    model, kept = trying.settle(before, trials)
    assert kept == trials
    assert model.dtypes == formats
    assert model.place.dtype_name == formats["denoiser"]
    assert model.pipeline.unet is model.denoiser  # the library, which puts LoRAs on, sees the same parts
    assert (model.bytes < before.bytes) == (SHORT in formats.values())
    Preview.fit(model)
    small = wish(width=64, height=64, steps=2)
    (same,) = painted(loaded(FULL), small)
    (other,) = painted(model, small)
    assert other.dtype == torch.float32  # samplers compute in full precision whatever the denoiser does
    assert (same - other).square().mean().sqrt() < 0.05 * same.square().mean().sqrt()
    assert torch.equal(same, other) == (formats["denoiser"] == FULL)


@pytest.mark.parametrize("dtype", [FULL, SHORT])
def test_an_owner_who_named_a_format_gets_it_untried(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying, "_tried", _never)
    model, _ = trying.settle(loaded(dtype), None)
    assert set(model.dtypes.values()) == {dtype}


def test_a_cpu_without_the_units_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying, "quick_in_short", lambda: False)
    monkeypatch.setattr(trying, "_tried", _never)
    model, _ = trying.settle(loaded(), Trials(QUICK, QUICK))  # kept by another machine, perhaps
    assert set(model.dtypes.values()) == {FULL}


def test_a_real_trial_looks_at_both_parts_and_leaves_them_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying, "PATIENCE", float("inf"))  # however busy this machine is
    model = loaded()
    before = {name: weight.clone() for name, weight in _weights(model).items()}
    trials = Trials(trying._denoiser(model), trying._decoder(model))
    for trial in (trials.denoiser, trials.decoder):
        assert trial is not None
        assert trial.full > 0
        assert trial.short > 0
        assert 0 < trial.apart < APART
    assert all(torch.equal(weight, before[name]) for name, weight in _weights(model).items())


def test_a_part_that_breaks_in_short_stays_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying, "PATIENCE", float("inf"))
    model = loaded()
    _weights(model)["denoiser.conv_out.bias"].fill_(3.4e38)  # rounds to infinity in bfloat16
    trial = trying._denoiser(model)
    assert trial is not None
    assert trial.apart == float("inf")
    assert trial.chosen == FULL


def test_what_is_too_slow_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying, "PATIENCE", 1e-6)
    model, trials = trying.settle(loaded(), None)
    assert trials == Trials(None, None)
    assert set(model.dtypes.values()) == {FULL}


def test_what_seemed_too_slow_on_a_busy_day_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[object] = []
    monkeypatch.setattr(trying, "_tried", lambda part, call, rows: tried.append(part) or QUICK)
    model, trials = trying.settle(loaded(), Trials(NO_GAIN, None))
    assert trials == Trials(NO_GAIN, QUICK)
    assert tried == [model.vae]


# -- in service ------------------------------------------------------------------------------------------------------


def test_a_format_is_chosen_once_kept_and_named_in_the_recipe(
    tmp_path: Path, wish: Wish, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Trials] = []

    def settle(model: LoadedModel, known: Trials | None) -> tuple[LoadedModel, Trials]:
        if known is None:
            made.append(Trials(QUICK, NO_GAIN))
        return trying.settle(model, known or made[-1])

    monkeypatch.setattr(serving, "settle", settle)
    options = EngineOptions(measure_seconds=0.1)
    settings: dict[str, Any] = {"options": options, "notebook": str(tmp_path / "measured.json")}
    request = wish(width=64, height=64, steps=2)
    first, second = (paint(engine(**settings), request) for _ in range(2))
    assert len(made) == 1  # the second start read it
    assert first.recipe["dtype"] == SHORT
    assert first.recipe["dtypes"] == {"text": FULL, "denoiser": SHORT, "decoder": FULL}
    assert second.recipe["dtypes"] == first.recipe["dtypes"]


def test_where_nothing_is_measured_nothing_is_tried(wish: Wish, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "settle", _never)
    recipe = paint(engine(options=EngineOptions(measure_seconds=0.0)), wish(width=64, height=64, steps=2)).recipe
    assert recipe["dtype"] == FULL
    assert "dtypes" not in recipe


def compared(**changes: Any) -> identity.Sameness:
    """Pictures in bfloat16, alone and in company."""
    model, _ = trying.settle(loaded(), Trials(QUICK, QUICK))
    asked = [replace(request, **changes) for request in identity.requests_of(model, count=8, seed=1, side=64)]
    patient = 60.0  # enough to measure several rows on a busy machine
    options = replace(identity.options_of("exact", 4), measure_seconds=patient)
    return identity.compare(model, options, asked, shuffles=2, seed=1, told=lambda what, done, total: None)


def test_exact_mode_holds_in_bfloat16() -> None:
    found = compared()
    assert (found.same_latents, found.same_pictures) == (16, 16)
    assert found.rows_per_call > 2  # they did share calls


def test_it_holds_on_a_cpu_whose_products_of_few_vectors_seldom_round_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """There a lone row of a small picture differs once in many calls: more seldom than any measurement sees."""
    monkeypatch.setattr(torch.nn.functional, "linear", _seldom_otherwise(torch.nn.functional.linear))
    found = compared(guidance=0.0, negative="", steps=12)  # pictures of one row
    assert (found.same_latents, found.same_pictures) == (16, 16)
    assert found.rows_per_call > 1


FEW = 8  # vectors, from which on that CPU's products are all of one kind
SELDOM = 1_000_000  # elements of which one has another last bit


def _seldom_otherwise(honest: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    """Products as on a CPU that takes another path for few vectors; which bits differ depends on the numbers alone."""

    def linear(given: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        product = honest(given, weight, bias)
        if product.dtype != torch.bfloat16 or given.shape[:-1].numel() >= FEW:
            return product
        bits = product.view(torch.int16)
        mixed = bits.long() * 65_537 + bits.roll(1, -1).long() * 257
        return (bits ^ (mixed % SELDOM == 0).to(torch.int16)).view(torch.bfloat16)

    return linear


def test_explicit_full_precision_is_what_it_was_before_formats_could_be_chosen(wish: Wish) -> None:
    """The same bits as a model that nobody ever settled."""
    request = wish(width=64, height=64, steps=2)
    settled, _ = trying.settle(loaded(FULL), None)
    (before,), (after,) = painted(loaded(FULL), request, options=FAST), painted(settled, request, options=FAST)
    assert torch.equal(before, after)


def _never(*_: object) -> Any:
    raise AssertionError("nothing was to be tried")


def _weights(model: LoadedModel) -> dict[str, torch.Tensor]:
    parts: dict[str, Any] = {"denoiser": model.denoiser, "decoder": model.vae}
    return {f"{part}.{name}": weight for part, one in parts.items() for name, weight in one.named_parameters()}
