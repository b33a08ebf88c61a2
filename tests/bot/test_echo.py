"""Echoed words: nothing in them pings, links, formats, hides or leaves its line."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.echo import ECHO_LENGTH, NOTHING, echo, fenced, plain

ANYTHING = st.text(st.characters(codec=None, categories=None, exclude_categories=()), max_size=700)
WORDS = (
    "@everyone @here <@1> <@&2> <#3> <:a:4> </dream:5> <t:6:R> ``` ` ** __ || [a](https://b.c) https://d.e discord.gg/f"
)
MARKS = ["\n# g", "\u202e", "\u2066", "\u200b", "\r\n", "\\", "\ud800", "e\u0301\u0337\u031b\u035f\u035e", "שלום"]
FAMILY = "\U0001f469\u200d\U0001f469\u200d\U0001f467"
NASTY = st.lists(st.sampled_from([*WORDS.split(), *MARKS, FAMILY, "a " * 50]), max_size=40).map("".join)
UNESCAPED = re.compile(r"(?<!\\)(?:\\\\)*[`*_~|<>\[\]:/#]")


@given(ANYTHING | NASTY)
@example("@everyone " * 100)
@example("```\n@here```")
def test_echo_is_one_safe_line(text: str) -> None:
    shown = echo(text)

    assert 0 < len(shown) <= ECHO_LENGTH
    assert not re.search(r"@(everyone|here|[0-9&!])", shown)
    assert UNESCAPED.search(shown.replace(NOTHING, "")) is None
    assert not re.search(r"(?<!\\)(?:\\\\)*\\$", shown), "a backslash at the end would escape what follows"
    allowed = {"\u200b", "\u200d"}  # after an @, and inside emoji
    assert not [c for c in shown if unicodedata.category(c).startswith("C") and c not in allowed]
    assert not [c for c in shown if unicodedata.bidirectional(c) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI")]
    shown.encode()  # no lone surrogates


@given(ANYTHING | NASTY, st.integers(20, 1024))
def test_plain_keeps_its_limit(text: str, limit: int) -> None:
    shown = plain(text, limit)

    assert 0 < len(shown) <= limit
    assert "\n" not in shown


@given(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=200))
def test_ordinary_words_stay_as_they_are(text: str) -> None:
    assert echo(text) == text
    assert plain(text, 300) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("  two\n\n lines ", "two lines"),
        ("@everyone", "@\u200beveryone"),
        ("16:9", r"16\:9"),
        ("[click](https://evil.example)", r"\[click\](https\:\/\/evil.example)"),
        ("gpj.\u202eevil", "gpj.evil"),
        ("", NOTHING),
        ("\u202e\u200b\n", NOTHING),
        ("👩‍👩‍👧 family", "👩‍👩‍👧 family"),
        ("a\u200db", "ab"),
    ],
)
def test_echo_examples(text: str, shown: str) -> None:
    assert echo(text) == shown


def test_long_words_are_cut_with_an_ellipsis() -> None:
    assert echo("x" * 6000) == "x" * 299 + "…"


@given(ANYTHING | NASTY)
def test_a_code_block_cannot_be_closed_from_inside(text: str) -> None:
    assert "```" not in fenced(text)
