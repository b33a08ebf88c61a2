"""Every arm serves every request, plain pipelines and ours alike, on one text encoder and on two."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from generation.bench import configurations
from generation.bench.architectures import build
from generation.bench.arms import choosing
from generation.bench.arms.arm import Arm
from generation.bench.arms.choosing import Models, make, wanted
from generation.bench.arms.plain import Plain, kind
from generation.bench.configurations import SDXL, SMALL
from generation.bench.drive import drive
from generation.bench.trace import Arrival
from generation.engine.device import Place
from generation.engine.formats import Trial, Trials
from generation.engine.trying import quick_in_short, settle
from generation.request import Request

CPU = Place(torch.device("cpu"), torch.float32, "CPU")
TEXT = dict(SMALL.texts[0]) | {"hidden_size": 32, "intermediate_size": 64}
TINY_XL = replace(
    SDXL,
    name="tiny-xl",
    native=64,
    unet=dict(SDXL.unet)
    | {
        "sample_size": 8,
        "block_out_channels": (16, 32, 32),
        "attention_head_dim": [2, 2, 2],
        "transformer_layers_per_block": [1, 1, 1],
        "cross_attention_dim": 64,
        "norm_num_groups": 4,
        "addition_time_embed_dim": 8,
        "projection_class_embeddings_input_dim": 32 + 6 * 8,
    },
    vae=SMALL.vae,
    tiny_vae=True,
    texts=(TEXT, TEXT | {"projection_dim": 32}),
)


@pytest.fixture(params=["small", "tiny-xl"])
def models(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Models:
    shapes = {"small": SMALL, "tiny-xl": TINY_XL}
    monkeypatch.setattr(configurations, "ARCHITECTURES", shapes)
    return Models(lambda place, plain: build(request.param, place), CPU)


@pytest.fixture
def single_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def requests(model: str) -> list[Request]:
    first = Request(
        prompt="a red house", width=64, height=64, steps=2, guidance=5.0, sampler="euler_a", seed=1, model=model
    )
    return [first, replace(first, guidance=0.0, count=4, seed=5), replace(first, seed=9, negative="dark")]


@pytest.mark.usefixtures("single_thread")
@pytest.mark.parametrize("name", ["fifo", "static4", "roof", "ours-fast-r4", "ours-exact-r2", "ours-objects-r4-d2-e1"])
def test_everybody_is_served(models: Models, name: str):
    arm: Arm = make(wanted(name)[0], models, 64, seconds=0.1)
    try:
        arrivals = [Arrival(0.0, wish) for wish in requests(models.plain().card.name)]
        served = drive(arm, arrivals)
        assert [item.pictures for item in served] == [1, 4, 1]
        assert all(item.done > 0 for item in served)
        if name != "roof":
            assert all(item.first is not None and 0 < item.first <= item.done for item in served)
        counted = arm.counted()
        assert counted.rows >= 2 * (2 + 4 + 2)  # two steps, and two rows where guided
        assert not arm.ripen()
        assert not arm.work()
    finally:
        arm.close()


@pytest.mark.usefixtures("single_thread")
def test_only_likes_share_a_static_batch(models: Models):
    arm = Plain("static4", models.plain(), together=4)
    wishes = requests(models.plain().card.name)
    assert kind(wishes[0]) == kind(wishes[2])
    drive(arm, [Arrival(0.0, wish) for wish in wishes])
    assert arm.counted().calls == 4  # the guided two together, the set of four by itself


def test_exact_mode_has_layers_of_its_own():
    models = Models(lambda place, plain: build("small", CPU), CPU)
    assert len({id(models.plain()), id(models.ours(exact=True)), id(models.ours(exact=False))}) == 3
    on_a_card = Models(lambda place, plain: build("small", CPU), replace(CPU, device=torch.device("cuda")))
    assert on_a_card.ours(exact=True) is on_a_card.ours(exact=False)


@pytest.mark.usefixtures("single_thread")
def test_plain_calls_are_measured_in_their_own_format_and_in_that_of_ours(monkeypatch: pytest.MonkeyPatch):
    """Whatever this machine would choose for ours: the trial is said to have spoken for bfloat16."""
    gains = Trials(Trial(2.0, 1.0, 0.0), Trial(2.0, 1.0, 0.0))
    monkeypatch.setattr(choosing, "settle", lambda model, known: settle(model, gains))
    models = Models(lambda place, plain: build("small", place), replace(CPU, undecided=True))
    formats = {
        "fifo": models.plain().pipeline.unet.dtype,
        "fifo-alike": models.alike().pipeline.unet.dtype,
        "ours": models.ours(exact=True).denoiser.dtype,
    }
    if quick_in_short():
        assert formats == {"fifo": torch.float32, "fifo-alike": torch.bfloat16, "ours": torch.bfloat16}
    else:
        assert set(formats.values()) == {torch.float32}
    arm = make(wanted("fifo-alike")[0], models, 64, seconds=0.1)
    served = drive(arm, [Arrival(0.0, wish) for wish in requests("small")])
    assert [item.pictures for item in served] == [1, 4, 1]


def test_without_another_format_both_are_the_same():
    models = Models(lambda place, plain: build("small", place), CPU)
    assert models.alike() is models.plain()
