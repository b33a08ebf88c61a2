"""Verdicts: match modes, allow lists, patterns, spans and what a member is told."""

from __future__ import annotations

import pytest

from bot.moderation.filter import Filter
from bot.moderation.rules import parse_rules
from bot.moderation.verdict import Decision, Reading


def filter_of(*lines: str) -> Filter:
    rules, errors = parse_rules(lines)
    assert not errors
    return Filter(rules)


def is_stopped(rule: str, text: str) -> bool:
    return filter_of(rule).check(text).verdict is Decision.BLOCK


@pytest.mark.parametrize(
    ("rule", "text", "stopped"),
    [
        ("cat", "a cat.", True),
        ("cat", "category", False),
        ("cat", "bobcat", False),
        ("cat*", "category", True),
        ("cat*", "bobcat", False),
        ("*cat", "bobcat", True),
        ("wal*", "a wall", True),
        ("wal*", "a walibi", True),
        ("wal*", "a wail", False),
        ("*lot", "a ballot", True),
        ("*nut*", "nutting", True),
        ("god*", "a good day", False),
        ("*cat", "category", False),
        ("*cat*", "concatenate", True),
        ("walnut oil", "Walnut\n  oil", True),
        ("walnut oil", "walnut-oil", True),
        ("walnut oil", "w a l n u t   o i l", True),
        ("walnut oil", "w.a.l.n.u.t.o.i.l", True),
        ("walnut oil", "walnut and oil", False),
        ("核桃", "一个核桃在桌子上", True),
        ("walnut", "walnut核桃", True),
        ("орех", "большой ОРЕХ", True),
        ("🥜", "a bowl of 🥜🥜", True),
        ("1488", "room 1488", True),
        ("1488", "room 14888", False),
    ],
)
def test_match_modes(rule: str, text: str, stopped: bool) -> None:
    assert is_stopped(rule, text) is stopped


@pytest.mark.parametrize(
    ("rule", "text", "stopped"),
    [
        ("strip", "strips", True),
        ("strip", "stripped", True),
        ("strip", "stripping", True),
        ("strip", "a striped shirt", False),
        ("gore", "goring", True),
        ("gore", "Edward Gorey", False),
        ("body", "bodies", True),
        ("kiss", "kisses", True),
        ("kill", "killing", True),
        ("kill", "the king", False),
        ("rape", "a rapping rapper", False),
        ("rat", "rated", False),
        ("god", "good", False),
        ("god", "goooood", True),
        ("prince", "princess", False),
        ("hell", "hall of Heil", False),
        ("heil", "hell", False),
        ("candle", "candies", False),
        ("nipple", "nlpple", True),
        ("tit", "tilted", False),
    ],
)
def test_forms_of_a_word(rule: str, text: str, stopped: bool) -> None:
    assert is_stopped(rule, text) is stopped


@pytest.mark.parametrize(
    ("rule", "text", "stopped"),
    [
        ("sock*", "<lora:SockPuppet_v2:1>", True),
        ("walnut", "<lora:WalnutTree_v2:1>", True),
        ("walnut", "walnutv2", True),
        ("walnut", "2walnut3", True),
        ("walnut", "walnut2x4y", False),
        ("fib", "f1.8", False),
        ("ass", "A55 and 455", False),
        ("boats", "80475 b0475", True),
        ("walnut", "w4lnut-tree saw", True),
        ("walnut", "saw-wa1nut", True),
        ("walnut", "sawwa1nut", False),
        ("*ship*", "bull(sh)ip", True),
        ("*ship*", "push-ip door", False),
    ],
)
def test_numbers_names_and_joined_words(rule: str, text: str, stopped: bool) -> None:
    assert is_stopped(rule, text) is stopped


def test_another_script_is_read_by_its_sound() -> None:
    verdict = filter_of("mandolin").check("старый мандолин")
    assert (verdict.match, verdict.view) == ("мандолин", Reading.PHONETIC)


def test_allow_excuses_only_its_own_span() -> None:
    birds = filter_of("tit", "allow:blue tit")
    assert birds.check("a Blue Tit and two blue tits").verdict is Decision.ALLOW
    found = birds.check("a blue tit and a tit")
    assert (found.verdict, found.match, found.span) == (Decision.BLOCK, "tit", (17, 20))


def test_allow_is_not_widened_by_disguises() -> None:
    birds = filter_of("tit", "allow:blue tit")
    assert birds.check("blue t1t").verdict is Decision.BLOCK


def test_patterns_see_the_text_and_its_folded_form() -> None:
    ducks = filter_of("re:ugly +duck(ling)?")
    assert ducks.check("An UGLY  Duckling").match == "UGLY  Duckling"
    folded = ducks.check("ｕｇｌｙ d\u200buck")
    assert (folded.match, folded.view) == ("ｕｇｌｙ d\u200buck", Reading.REGEX_FOLDED)
    assert ducks.check("a swan").verdict is Decision.ALLOW


def test_review_gives_way_to_block() -> None:
    both = filter_of("review:walnut", "pelican")
    assert both.check("walnut").verdict is Decision.REVIEW
    assert both.check("walnut, pelican").verdict is Decision.BLOCK


@pytest.mark.parametrize("control", "\u061c\u200e\u200f\u202a\u202d\u202e\u2066\u2069")
def test_bidi_controls_are_refused_whatever_the_rules(control: str) -> None:
    verdict = Filter([]).check(f"a red {control}house")
    assert (verdict.verdict, verdict.rule, verdict.match, verdict.view) == (Decision.BLOCK, None, control, Reading.BIDI)


def test_right_to_left_scripts_are_welcome() -> None:
    assert Filter([]).check("بيت أحمر تحت سماء مرصعة بالنجوم, בית אדום").verdict is Decision.ALLOW


@pytest.mark.parametrize(
    ("text", "match", "view"),
    [
        ("a Walnut tree", "Walnut", Reading.PLAIN),
        ("a ｗａｌｎｕｔ", "ｗａｌｎｕｔ", Reading.FOLDED),
        ("waaaalnut", "waaaalnut", Reading.REPEATED),
        ("(wal:1.2)(nut:0.9)", "wal:1.2)(nut", Reading.JOINED),
        ("a w-a-l-n-u-t tree", "w-a-l-n-u-t", Reading.SPACED),
        ("w4|nu+!", "w4|nu+", Reading.LEET),
        ("house" + "".join(chr(0xE0000 + ord(letter)) for letter in "walnut"), None, Reading.TAGS),
    ],
)
def test_the_view_and_the_original_span_are_told(text: str, match: str | None, view: Reading) -> None:
    verdict = filter_of("walnut").check(text)
    assert verdict.view is view
    assert verdict.span is not None
    assert verdict.match == text[slice(*verdict.span)]
    assert match is None or verdict.match == match
