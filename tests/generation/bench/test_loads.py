"""Rates follow from capacities, and a trace is as long as the minutes allow."""

from __future__ import annotations

from dataclasses import replace

import pytest

from generation.bench.arms.choosing import Wanted, options, usual, wanted
from generation.bench.loads import LEAST, Plan, affordable, overloaded, planned, turned, work
from generation.bench.trace import SHORT, generate
from generation.errors import BadRequest
from generation.models import describe

CARD = describe("starter")
CAPACITY = {"fifo": 2.0, "ours-fast": 4.0}


def plan(**changes: object) -> Plan:
    values: dict[str, object] = {"arms": wanted("fifo,ours-fast"), "side": 64, "mix": SHORT}
    return Plan(**(values | changes))  # type: ignore[arg-type]


def test_common_rates_are_fifos_and_own_rates_everybodys_own():
    loads = planned(plan(loads=(0.5, 1.5), own_loads=(0.3,)), CAPACITY)
    assert [load.name for load in loads] == ["load_0.5", "load_1.5", "own_0.3"]
    assert loads[1].rates == {"fifo": 3.0, "ours-fast": 3.0}
    assert loads[2].rates == pytest.approx({"fifo": 0.6, "ours-fast": 1.2})
    assert loads[2].common is None


def test_more_time_makes_a_longer_trace():
    half, double = planned(plan(loads=(0.5, 2.0)), CAPACITY)
    sizes = [affordable(plan(), CAPACITY, half, seconds=seconds) for seconds in (450, 900)]
    # two arms at one picture a second, 1.9 pictures a request
    assert sizes[0] == pytest.approx(450 / 2 / 1.9, abs=1)
    assert sizes[1] == pytest.approx(2 * sizes[0], abs=2)
    # half a second a picture in fifo, which can do no more, a quarter in ours
    assert affordable(plan(), CAPACITY, double, seconds=450) == pytest.approx(450 / 0.75 / 1.9, abs=1)
    assert affordable(plan(), CAPACITY, half, seconds=1) == LEAST


def test_a_rate_is_a_multiple_of_what_fifo_can_do_with_the_very_trace_that_is_played():
    light, heavy = (
        generate(replace(SHORT, steps={(steps,): 1.0}, unguided=1.0), CARD, seed=1, requests=20, side=64)
        for steps in (4, 12)
    )
    assert work(heavy) == pytest.approx(2 * work(light))  # decoding counts like four more steps
    assert turned(CAPACITY, light, heavy) == pytest.approx({"fifo": 1.0, "ours-fast": 2.0})
    assert turned(CAPACITY, heavy, heavy) == pytest.approx(CAPACITY)


def test_who_is_asked_for_more_than_he_can_do_is_marked():
    half, more = planned(plan(loads=(0.5, 1.5)), CAPACITY)
    assert [overloaded(load, "fifo") for load in (half, more)] == [False, True]
    assert not overloaded(more, "ours-fast")


def test_loads_need_fifo():
    with pytest.raises(BadRequest, match="add fifo"):
        plan(arms=wanted("ours-fast")).check()
    plan(arms=wanted("ours-fast"), loads=(), own_loads=(0.9,)).check()


def test_names_of_arms_say_what_is_varied():
    assert wanted("fifo, ours-exact-r8-d4-e1 ,fifo") == [
        Wanted("fifo", "fifo"),
        Wanted("ours-exact-r8-d4-e1", "ours-exact", 8, 4, 1),
    ]
    chosen = options(wanted("ours-objects-d2")[0])
    assert (chosen.stepping, chosen.decode_batch, chosen.exact, chosen.rows) == ("objects", 2, "off", 0)
    assert not options(wanted("ours-unordered")[0]).preview_first
    assert options(wanted("ours-exact-r4")[0]).exact == "on"


@pytest.mark.parametrize("name", ["", ",", "ours-magic", "fifo-r8", "ours-fast-r", "ours-fast-r9999", "\0"])
def test_unknown_arms_are_refused(name: str):
    with pytest.raises(BadRequest):
        wanted(name)


def test_a_near_miss_is_named():
    with pytest.raises(BadRequest, match="did you mean ours-exact"):
        wanted("our-exact")


def test_compiling_is_left_to_gpus():
    import torch

    assert "fifo-compiled" not in usual(torch.device("cpu"))
    assert "fifo-compiled" in usual(torch.device("cuda"))
