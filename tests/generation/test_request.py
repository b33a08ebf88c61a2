"""Requests refuse what is out of range with a sentence, and survive storage unchanged."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation import request as r
from generation.errors import BadRequest
from generation.options import ASPECTS, SAMPLERS, size_of
from generation.request import Request, Variation
from tests.orders import a_request


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"prompt": ""}, "prompt is empty"),
        ({"prompt": " \n\t"}, "prompt is empty"),
        ({"prompt": "x" * 6000}, "6,000 characters; at most 1,000"),
        ({"negative": "x" * 1001}, "1,001 characters"),
        ({"prompt": "\u200b\u2060\u00ad"}, "prompt is empty"),
        ({"prompt": "a\0b"}, "cannot be used"),
        ({"prompt": "a \ud800 b"}, "cannot be used"),
        ({"negative": "\udfff"}, "cannot be used"),
        ({"seed": 2**64}, "seed must be between 0 and 4,294,967,295"),
        ({"seed": -1}, "seed must be between"),
        ({"seed": 10**400}, "seed must be between .*; you asked for something beyond all measure"),
        ({"width": 1, "height": 100000}, "Width and height must be between"),
        ({"width": 2048, "height": 2048}, "area"),
        ({"width": 64, "height": 1024}, "times as long"),
        ({"width": 257}, "multiples of 8"),
        ({"steps": 2.5}, "Steps must be a whole number"),
        ({"seed": "7"}, "seed must be a number"),
        ({"prompt": 7}, "prompt must be text"),
        ({"steps": 0}, "Steps must be between 1 and 100"),
        ({"steps": 10**6}, "Steps must be between"),
        ({"guidance": math.nan}, "Guidance must be between .*; you asked for something that is no number"),
        ({"guidance": math.inf}, "Guidance must be between"),
        ({"count": 5}, "number of pictures must be between 1 and 4"),
        ({"sampler": "magic"}, "no sampler called “magic”"),
        ({"strength": 0.5}, "give both or neither"),
        ({"image": "ab", "strength": 0.0}, "Strength must be between"),
        ({"variations": (Variation(1, 0.5),) * 17}, "too many variations"),
        ({"variations": (Variation(1, 1.5),)}, "Variation strength"),
    ],
)
def test_what_is_out_of_range_is_refused_with_a_sentence(changes, sentence):
    with pytest.raises(BadRequest, match=sentence) as refused:
        a_request(**changes)
    assert refused.value.sentence.endswith(".")


CHARACTERS = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
requests = st.builds(
    Request,
    prompt=st.text(CHARACTERS, max_size=200).map(lambda text: f"a {text}"),
    negative=st.text(CHARACTERS, max_size=50),
    width=st.integers(32, 96).map(lambda n: n * 8),
    height=st.integers(32, 96).map(lambda n: n * 8),
    steps=st.integers(1, 100),
    guidance=st.floats(0, 30),
    sampler=st.sampled_from(list(SAMPLERS)),
    seed=st.integers(0, 2**32 - 1),
    model=st.just("starter"),
    count=st.integers(1, 4),
    variations=st.lists(st.builds(Variation, st.integers(0, 2**32 - 1), st.floats(0, 1)), max_size=3).map(tuple),
)


@given(requests)
def test_json_round_trip(request):
    assert Request.from_json(request.to_json()) == request


@given(requests, st.integers(0, 3))
def test_a_single_paints_one_picture_of_the_set(request, index):
    if index >= request.count:
        with pytest.raises(BadRequest):
            request.single(index)
        return
    single = request.single(index)
    assert single.count == 1
    assert single.single(0) == single
    moved = (
        (single.seed - request.seed)
        if not request.variations
        else single.variations[-1].seed - request.variations[-1].seed
    )
    assert moved % 2**32 == index


def test_unknown_keys_of_older_or_newer_versions_are_ignored():
    data = a_request().to_json() | {"from_the_future": 1}
    assert Request.from_json(data) == a_request()


def test_image_to_image_costs_only_the_steps_it_runs():
    plain = a_request()
    assert replace(plain, image="ab", strength=0.5).megapixel_steps == pytest.approx(plain.megapixel_steps / 2)


@given(st.sampled_from(list(ASPECTS)), st.sampled_from([256, 512, 768, 1024]))
def test_every_aspect_is_paintable_and_about_the_native_area(aspect, native):
    width, height = size_of(aspect, native)
    assert a_request(width=width, height=height).width == width
    assert width % 32 == height % 32 == 0
    assert 0.8 < width * height / native**2 < 1.25


def test_ranges_are_shared_with_the_command():
    assert (r.STEPS.low, r.STEPS.high, r.COUNT.high) == (1, 100, 4)
