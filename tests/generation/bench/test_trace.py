"""The trace repeats itself, keeps its mix, survives a file, and refuses what is none."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import CLIPTokenizer

from generation.bench.trace import AGAINST, BURST_SECONDS, FEW, FULL, MIXES, SHORT, WORDS, Trace, generate, suited
from generation.errors import BadRequest
from generation.models import STARTER, describe

CARD = describe("starter")


def test_the_same_seed_gives_the_same_trace_and_another_seed_another():
    one, two, other = (generate(FULL, CARD, seed=seed, requests=40, side=256) for seed in (5, 5, 6))
    assert one == two
    assert one.requests != other.requests
    assert one.moments != other.moments


def test_the_mix_is_what_it_says():
    trace = generate(FULL, CARD, seed=1, requests=4000, side=256)
    steps = Counter("few" if request.steps <= 4 else request.steps for request in trace.requests)
    shares = {name: count / 4000 for name, count in steps.items()}
    assert shares == pytest.approx({"few": 0.2, 20: 0.4, 25: 0.2, 30: 0.15, 50: 0.05}, abs=0.03)
    assert sum(request.guidance == 0 for request in trace.requests) / 4000 == pytest.approx(0.25, abs=0.03)
    assert sum(bool(request.negative) for request in trace.requests) / 4000 == pytest.approx(0.3, abs=0.03)
    assert trace.pictures / 4000 == pytest.approx(1.9, abs=0.1)
    assert trace.pictures / trace.moments[-1] == pytest.approx(1.0, abs=0.1)


def test_models_get_a_mix_that_suits_them():
    assert suited(CARD, cpu=True) is FULL  # the starter was made for CPUs
    assert suited(describe("someone/sd15-like"), cpu=True) is SHORT
    assert suited(describe("someone/sd15-like"), cpu=False) is FULL
    assert suited(describe("stabilityai/sd-turbo"), cpu=False) is FEW


def test_every_word_is_one_token():
    tokenizer = CLIPTokenizer.from_pretrained(str(STARTER / "tokenizer"))
    long = [word for word in {*WORDS, *AGAINST} if len(tokenizer(word, add_special_tokens=False).input_ids) != 1]
    assert long == []


def test_a_burst_comes_within_its_second_and_nobody_overtakes():
    trace = generate(SHORT, CARD, seed=2, requests=60, side=256, bursty=True)
    assert trace.burst == (20, 40)
    arrivals = trace.at_rate(0.2)
    moments = [arrival.at for arrival in arrivals]
    assert moments == sorted(moments)
    assert moments[39] - moments[20] == pytest.approx(BURST_SECONDS)
    assert [arrival.request for arrival in arrivals] == list(trace.requests)
    part = trace.part(30, 60)
    assert part.moments[0] == 0.0
    assert part.burst == (0, 10)


def test_the_first_requests_of_a_trace_keep_its_rate():
    trace = generate(FULL, CARD, seed=3, requests=60, side=256)
    first = trace.first(20)
    assert first.requests == trace.requests[:20]
    assert trace.first(60) is trace
    until = trace.moments[20] * first.moments[10] / trace.moments[10]  # when the next one would have come
    assert first.pictures / until == pytest.approx(1.0)
    assert list(first.moments) == sorted(first.moments)


def test_a_trace_comes_back_from_its_file(tmp_path: Path):
    trace = generate(FEW, CARD, seed=3, requests=12, side=256, bursty=True)
    path = tmp_path / "trace.json"
    trace.write(path)
    assert Trace.read(path) == trace


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    wild=st.recursive(
        st.none() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["seed", "mix", "burst", "arrivals", "at", "request"]), inner)
        ),
        max_leaves=12,
    )
)
def test_what_is_no_trace_is_refused_in_a_sentence(tmp_path: Path, wild: object):
    path = tmp_path / "wild.json"
    path.write_text(json.dumps(wild))
    with pytest.raises(BadRequest, match="is not a trace"):
        Trace.read(path)


@given(
    mix=st.sampled_from(sorted(MIXES)),
    seed=st.integers(0, 2**32),
    requests=st.integers(4, 40),
    rate=st.floats(0.01, 1000),
    bursty=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_moments_rise_at_any_rate(mix: str, seed: int, requests: int, rate: float, bursty: bool):
    trace = generate(MIXES[mix], CARD, seed=seed, requests=requests, side=64, bursty=bursty)
    moments = [arrival.at for arrival in trace.at_rate(rate)]
    assert moments == sorted(moments)
    assert moments[0] == 0.0
