"""Stress, weights and LoRA tags in prompts."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.prompt import HEAVIEST, LIGHTEST, phrases, split_loras
from generation.request import Lora


def read(prompt: str) -> list[tuple[str, float]]:
    return [(phrase.text, round(phrase.weight, 4)) for phrase in phrases(prompt)]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("", []),
        ("a red house", [("a red house", 1.0)]),
        ("a (red) house", [("a ", 1.0), ("red", 1.1), (" house", 1.0)]),
        ("a ((red)) house", [("a ", 1.0), ("red", 1.21), (" house", 1.0)]),
        ("[fog]", [("fog", 0.9091)]),
        ("(red:1.3) house", [("red", 1.3), (" house", 1.0)]),
        ("(a (red:1.5) house:0.5)", [("a ", 0.5), ("red", 0.75), (" house", 0.5)]),
        ("([red])", [("red", 1.0)]),
        ("(red: 1.3 )", [("red", 1.3)]),
        ("(red:.5)", [("red", 0.5)]),
        ("(red:)", [("red:", 1.1)]),
        ("(red:blue)", [("red:blue", 1.1)]),
        ("[red:1.3]", [("red:1.3", 0.9091)]),
        ("red:1.3", [("red:1.3", 1.0)]),
        ("((red):1.3)", [("red", 1.43)]),
        ("(:1.3)", []),
        ("()", []),
        (r"a \(red\) house", [("a (red) house", 1.0)]),
        (r"(a \(red\):1.2)", [("a (red)", 1.2)]),
        (r"(\(red:1.2)", [("(red", 1.2)]),
        (r"a \ b", [(r"a \ b", 1.0)]),
        (":) :( a smile", [(":) :( a smile", 1.0)]),
        ("(a smile", [("(a smile", 1.0)]),
        ("a (b [c) d]", [("a ", 1.0), ("b [c", 1.1), (" d]", 1.0)]),
        ("(loud:900)", [("loud", HEAVIEST)]),
        ("(gone:-2)", [("gone", LIGHTEST)]),
    ],
)
def test_the_grammar(prompt: str, expected: list[tuple[str, float]]) -> None:
    assert read(prompt) == expected


@given(st.text(alphabet=st.sampled_from("ab ([:1.3])\\"), max_size=60))
def test_any_text_can_be_read_and_weights_stay_in_range(prompt: str) -> None:
    found = phrases(prompt)
    assert all(LIGHTEST <= phrase.weight <= HEAVIEST and phrase.text for phrase in found)
    assert all(one.weight != two.weight for one, two in pairwise(found))
    assert "".join(phrase.text for phrase in found).count("a") == prompt.count("a")


@given(st.text(max_size=80).filter(lambda text: not set("()[]") & set(text)))
def test_text_without_brackets_is_one_untouched_phrase(prompt: str) -> None:
    assert [phrase.text for phrase in phrases(prompt)] == ([prompt] if prompt else [])


@pytest.mark.parametrize("prompt", ["(" * 500 + "a" + ")" * 500, "(" * 1000, "()" * 500, "[(" * 250 + ")]" * 250])
def test_a_thousand_brackets_take_no_time(prompt: str) -> None:
    began = time.process_time()
    phrases(prompt)
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    ("prompt", "clean", "loras"),
    [
        ("a house", "a house", ()),
        ("a house <lora:ink:0.8> at night", "a house  at night", (Lora("ink", 0.8),)),
        ("<lora:ink><LoRA:Neon Sign:-1>x", "x", (Lora("ink", 1.0), Lora("Neon Sign", -1.0))),
        ("<lora:ink:.5>", "", (Lora("ink", 0.5),)),
        ("(a <lora:ink:1> b:1.2)", "(a  b:1.2)", (Lora("ink", 1.0),)),
        ("<lora::1> <lora:x:much> <lora:x:1:2> <lora:x", "<lora::1> <lora:x:much> <lora:x:1:2> <lora:x", ()),
        ("a < b > c <hypernet:x:1>", "a < b > c <hypernet:x:1>", ()),
    ],
)
def test_lora_tags(prompt: str, clean: str, loras: tuple[Lora, ...]) -> None:
    assert split_loras(prompt) == (clean, loras)
