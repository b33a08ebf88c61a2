"""Which writings of a name count, and which words stay free."""

from __future__ import annotations

import pytest

from bot.moderation.artists import Artist, artist_rules, parse_artist
from bot.moderation.benign import benign_prompts
from bot.moderation.filter import Filter
from bot.moderation.rules import RuleError
from bot.moderation.verdict import Decision


def filter_of(*names: str) -> Filter:
    artists = [artist for name in names if (artist := parse_artist(name)) is not None]
    assert len(artists) == len(names)
    return Filter(artist_rules(artists))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Wilma Quandel", "a house in the style of Wilma Quandel"),
        ("Wilma Quandel", "by WILMA QUANDEL, oil"),
        ("Wilma Quandel", "by W. Quandel"),
        ("Wilma Quandel", "W.Quandel"),
        ("Wilma Quandel", "Quandel, Wilma"),
        ("Wilma Quandel", "wilmaquandel style"),
        ("Wilma Quandel", "<lora:wilma_quandel_v2:0.8>"),
        ("Wilma Quandel", "Wilma Quandel's brush"),
        ("Wilma Quandel", "Wilma Qu4nd3l"),
        ("Wilma Quandel", "w i l m a  q u a n d e l"),
        ("Wilma Quandel", "Ｗｉｌｍａ　Ｑｕａｎｄｅｌ"),
        ("Wilma Rosa Quandel", "Wilma Quandel"),
        ("Wilma Rosa Quandel", "W. R. Quandel"),
        ("surname: Wilma Quandel", "a quandel landscape"),
        ("surname: Paula Vint-Hale", "by Vint-Hale"),
        ("Frieda O'Malley", "Frieda O’Malley"),
        ("Frieda O'Malley", "frieda omalley"),
        ("Frieda O'Malley", "F. O'Malley"),
        ("Brixenella", "in the manner of Brixenella"),
        ("林檎子", "林檎子の絵"),
    ],
)
def test_writings_of_a_name(name: str, text: str) -> None:
    verdict = filter_of(name).check(text)
    assert verdict.verdict is Decision.BLOCK
    assert verdict.rule == name.removeprefix("surname: ")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Wilma Quandel", "a quandel landscape"),
        ("Wilma Quandel", "Wilma at the lake"),
        ("Anna Rose", "a rose in a garden"),
        ("Sam Rose", "it's rose season"),
        ("Anna Rose", "roses for Anna"),
        ("surname: Anna Rose", "two roses"),
        ("surname: Paula Vint-Hale", "hale and hearty"),
        ("Wilma Quandel", "Wilma Lake, Otto Quandel"),
    ],
)
def test_words_that_stay_free(name: str, text: str) -> None:
    assert filter_of(name).check(text).verdict is Decision.ALLOW


def test_ordinary_prompts_pass_by_a_long_list() -> None:
    names = [f"{first} {last}" for first in ("Rose", "Iris", "Hunter") for last in ("Fox", "Forest", "Stone")]
    artists = filter_of(*names)
    stopped = [prompt for prompt in benign_prompts(11, 3_000) if artists.check(prompt).rule is not None]
    assert len(stopped) <= 3, stopped


@pytest.mark.parametrize(
    ("line", "artist"),
    [
        ("Wilma  Quandel # wrote to us", Artist("Wilma Quandel")),
        ("Surname: Wilma Quandel", Artist("Wilma Quandel", surname=True)),
        ("", None),
        ("# nobody", None),
    ],
)
def test_lines_of_a_list(line: str, artist: Artist | None) -> None:
    assert parse_artist(line) == artist
    assert artist is None or parse_artist(artist.shown) == artist


@pytest.mark.parametrize("line", ["surname:", "x" * 61, "!!", "J"])
def test_what_is_no_name_is_explained(line: str) -> None:
    with pytest.raises(RuleError):
        parse_artist(line)
