"""Folding to plain letters, and properties that must hold for any text and any rules."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.moderation.filter import Filter
from bot.moderation.letters import LOOKS, SOUNDS
from bot.moderation.rules import parse_rule, parse_rules
from bot.moderation.verdict import Decision
from bot.moderation.views import normalise, pages, views

RULES = [
    "walnut",
    "oboe*",
    "*anvil*",
    "two words",
    "kill",
    "ill",
    "re:b.t",
    "allow:oboe case",
    "review:fig",
    "shadow:know*",
    "near:wal*, saw",
    "review:near 2:ale, *ink*",
    "核桃",
    "🥜",
]
# Close to the rules, so that matches are common and not one in a million.
NEAR = st.text(alphabet="walnutobevkdsI1!|l0@$ .-_()[]:{}<>'\\9\u200b\u0301\u0456аоｗ🄰核桃🥜\ud800\n", max_size=60)


def test_folding_twice_is_folding_once_for_every_character() -> None:
    # Above these planes lie only unassigned and private characters, which all fold to nothing.
    for code in (*range(0x2000), *range(0x2000, 0x20000, 3), *range(0xE0000, 0xE0200), sys.maxunicode):
        folded = LOOKS[chr(code)]
        assert folded == "".join(LOOKS[part] for part in folded), hex(code)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("ＷＡＬＮＵＴ", "walnut"),
        ("𝔀𝖆𝓁𝐧𝕦𝚝", "walnut"),
        ("ⓦ🅐🄻🅽🆄🇹", "walnut"),
        ("ᴡᴀʟɴᴜᴛ", "walnut"),
        ("w\u200ba\u00adl\ufe0fn\U000e0061u\u0336t", "walnut"),
        ("ŵāļňüť", "walnut"),
        ("ԝаⅼոυт", "walnut"),
        ("  a\u3000b\u2028c ", "a b c"),
        ("ガ 한글 핫", "ガ 한글 핫"),
    ],
)
def test_normalise(text: str, plain: str) -> None:
    assert normalise(text) == plain


def test_sound_of_another_script() -> None:
    assert "".join(SOUNDS[letter] for letter in "валнут") == "valnut"


@given(st.text() | NEAR)
def test_normalise_is_idempotent(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once


@given(st.text() | NEAR)
def test_no_text_has_many_views(text: str) -> None:
    every = [view for page, override in pages(text) for view in views(page, override)]
    assert len(every) <= 27
    assert sum(len(view.text) for view in every) <= 27 * 6 * (2 * len(text) + 4)


@settings(max_examples=300)
@given(st.text() | NEAR)
def test_any_text_gets_a_verdict_whose_span_is_in_the_text(text: str) -> None:
    verdict = FILTER.check(text)
    if verdict.verdict is Decision.ALLOW:
        assert (verdict.rule, verdict.match, verdict.view, verdict.span) == (None, None, None, None)
    else:
        assert verdict.span is not None
        start, end = verdict.span
        assert 0 <= start < end <= len(text)
        assert verdict.match == text[start:end]


@settings(max_examples=200)
@given(NEAR, st.permutations(RULES))
def test_the_order_of_rules_does_not_matter(text: str, order: list[str]) -> None:
    assert Filter(parse_rules(order)[0]).check(text) == FILTER.check(text)


@given(st.text(max_size=80) | st.from_regex(r"\*?[a-zé1!$ ]{1,8}\*?"))
def test_any_line_is_a_rule_nothing_or_an_explained_error(line: str) -> None:
    rules, errors = parse_rules([line])
    assert all(str(error).startswith("Line 1: ") for error in errors)
    Filter(rules).check(line)


@given(st.from_regex(r"[b-z]{5,9}", fullmatch=True), st.sampled_from(["{}", "a {}.", "({}:1.2)", "<lora:{}_v2:1>"]))
def test_a_rule_finds_its_own_word(word: str, frame: str) -> None:
    rule = parse_rule(word)
    assert rule is not None
    verdict = Filter([rule]).check(frame.format(word))
    assert (verdict.verdict, verdict.rule, verdict.match) == (Decision.BLOCK, word, word)


FILTER = Filter(parse_rules(RULES)[0])
