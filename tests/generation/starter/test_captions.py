from __future__ import annotations

import re
from random import Random

import pytest
from transformers import CLIPTokenizer

from generation.models import STARTER
from generation.starter import words
from generation.starter.captions import caption, noun
from generation.starter.sampling import sample_spec
from generation.starter.world import (
    COLORS,
    FULL,
    NARROW,
    SCENES,
    STYLES,
    THINGS,
    TIMES,
    WEATHERS,
    WORLDS,
    Group,
    Layout,
    Spec,
    held_out,
)


@pytest.fixture(scope="module")
def tokenizer():
    return CLIPTokenizer.from_pretrained(STARTER / "tokenizer")


def known_words() -> set[str]:
    tables = (
        words.THING_WORDS,
        words.COLOR_WORDS,
        words.SCENE_PHRASES,
        words.SCENE_NAMES,
        words.TIME_PHRASES,
        words.WEATHER_PHRASES,
        words.STYLE_PHRASES,
        words.NUMBERS,
        words.SIZES,
        words.LAYOUT_WORDS,
    )
    phrases = [phrase for table in tables for choices in table.values() for phrase in choices]
    phrases += [*words.OPENINGS, *words.FILLERS, *words.STRANGERS, *THINGS, *COLORS]
    phrases += [noun(thing, 2, Random(seed)) for thing in THINGS for seed in range(12)]
    phrases += ["a an one the on a plain red background a view of landscape of a picture of in front of"]
    return {word for phrase in phrases for word in re.findall(r"[a-z]+", phrase.lower())}


def test_every_word_of_the_grammar_is_one_token(tokenizer):
    broken = {word: pieces for word in known_words() if len(pieces := tokenizer.tokenize(word)) > 1}
    assert broken == {}


def test_captions_never_outgrow_the_text_encoder(tokenizer):
    rng = Random(1)
    for _ in range(300):
        assert len(tokenizer(caption(sample_spec(rng, FULL), rng)).input_ids) <= 77


@pytest.mark.parametrize("world", WORLDS)
def test_held_out_pairs_never_reach_training(world):
    rng = Random(2)
    for _ in range(3000):
        for group in sample_spec(rng, WORLDS[world]).groups:
            assert not held_out(group.thing, group.color)


def test_held_out_pairs_exist_but_leave_every_thing_most_colours():
    for thing in NARROW.things:
        assert sum(held_out(thing, color) for color in NARROW.colors) <= len(NARROW.colors) // 2
    assert 4 <= sum(held_out(thing, color) for thing in NARROW.things for color in NARROW.colors) <= 16


def test_evaluation_may_ask_for_pairs_held_out():
    rng = Random(3)
    pairs = [group for _ in range(600) for group in sample_spec(rng, NARROW, keep_out=False).groups]
    assert any(held_out(group.thing, group.color) for group in pairs)


def test_the_full_world_samples_everything_it_has():
    rng = Random(4)
    specs = [sample_spec(rng, FULL) for _ in range(6000)]
    groups = [group for spec in specs for group in spec.groups]
    assert {spec.scene for spec in specs} == set(SCENES)
    assert {spec.style for spec in specs} == set(STYLES)
    assert {spec.time for spec in specs} == set(TIMES)
    assert {spec.weather for spec in specs} == {None, *WEATHERS}
    assert {group.thing for group in groups} == set(THINGS)
    assert {group.color for group in groups} == set(COLORS)
    assert {sum(group.count for group in spec.groups) for spec in specs} >= {0, 1, 2, 3, 4, 5}
    assert {spec.layout for spec in specs if len(spec.groups) == 2} == set(Layout)


def test_complete_captions_name_every_attribute():
    spec = Spec(
        scene="sea", style="ink", time="night", weather="rainbow", backdrop="red", groups=(Group("heart", "blue", 3),)
    )
    for seed in range(40):
        said = caption(spec, Random(seed), complete=True)
        assert "three" in said
        assert "blue" in said
        assert "hearts" in said
        for table, name in (
            (words.SCENE_PHRASES, "sea"),
            (words.STYLE_PHRASES, "ink"),
            (words.TIME_PHRASES, "night"),
            (words.WEATHER_PHRASES, "rainbow"),
        ):
            assert any(phrase in said for phrase in table[name]), said


def test_captions_are_reproducible_and_varied():
    spec = sample_spec(Random(6), NARROW)
    assert caption(spec, Random(1)) == caption(spec, Random(1))
    assert len({caption(spec, Random(seed)) for seed in range(30)}) > 20


def test_what_stands_behind_is_said_either_way():
    groups = (Group("house", "pink"), Group("cat", "blue"))
    spec = Spec(
        scene="plain", style="flat", time="day", weather=None, backdrop="white", groups=groups, layout=Layout.BEHIND
    )
    for seed in range(40):
        said = caption(spec, Random(seed), complete=True)
        first, last = re.split(" behind | in front of ", said, maxsplit=1)
        assert ("pink" in first) == (" behind " in said)
        assert ("pink" in last) == (" in front of " in said)
