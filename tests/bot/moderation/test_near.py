"""Two-term rules: near:A, B in any order, any disguise, and only where the two stand close."""

from __future__ import annotations

import time

import pytest

from bot.moderation.filter import Filter
from bot.moderation.rules import NEAR, Mode, RuleError, parse_rule, parse_rules
from bot.moderation.verdict import Decision, Reading


def filter_of(*lines: str) -> Filter:
    rules, errors = parse_rules(lines)
    assert not errors
    return Filter(rules)


def fill(words: int) -> str:
    return " ".join(["filler"] * words)


@pytest.mark.parametrize(
    ("rule", "text", "stopped"),
    [
        ("near:walnut, pelican", "a walnut beside a pelican", True),
        ("near:walnut, pelican", "pelicans eating walnuts", True),
        ("near:walnut, pelican", "a walnut", False),
        ("near:walnut, pelican", "a pelican", False),
        ("near:walnut, pelican", f"walnut {fill(NEAR)} pelican", True),
        ("near:walnut, pelican", f"walnut {fill(NEAR + 1)} pelican", False),
        ("near 2:walnut, pelican", f"pelican {fill(2)} walnut", True),
        ("near 2:walnut, pelican", f"pelican {fill(3)} walnut", False),
        ("near 0:walnut, pelican", "walnut pelican", True),
        ("near 0:walnut, pelican", "walnut and pelican", False),
        ("near:waln*, *can", "walnuttree with toucan", True),
        ("near:walnut tree, pelican", "a pelican under the walnut trees", True),
        ("near:walnut, pelican", "a w4lnut with a p.e.l.i.c.a.n", True),
        ("near:walnut, pelican", "ｗａｌｎｕｔ, (peli:1.2)(can:0.8)", True),
        ("near:walnut, pelican", "<lora:walnut_v2:1> pelican", True),
        ("near:walnut, walnut", "a walnut", False),
        ("near:walnut, walnut", "a walnut and a walnut", True),
    ],
)
def test_both_terms_close_together(rule: str, text: str, stopped: bool) -> None:
    verdict = filter_of(rule).check(text)
    assert (verdict.verdict is Decision.BLOCK) == stopped, verdict


def test_padding_with_letters_is_no_distance() -> None:
    """Letters that stand alone do not count, or a spaced-out word would push the terms apart."""
    assert filter_of("near 1:walnut, pelican").check("walnut f i l l e r w o r d pelican").verdict is Decision.BLOCK


def test_invisible_characters_are_no_distance() -> None:
    padded = "\u200b".join("filler")
    rule = filter_of("near 1:walnut, pelican")
    assert rule.check(f"walnut {padded} pelican").verdict is Decision.BLOCK
    assert rule.check(f"walnut {padded} {padded} pelican").verdict is Decision.ALLOW


def test_the_span_holds_both_and_the_view_is_the_stranger_one() -> None:
    text = "some w4lnut by a pelican there"
    verdict = filter_of("review:near:walnut, pelican").check(text)
    assert (verdict.verdict, verdict.rule) == (Decision.REVIEW, "review:near:walnut, pelican")
    assert (verdict.match, verdict.view) == ("w4lnut by a pelican", Reading.LEET)


def test_an_excused_term_does_not_count() -> None:
    rules = filter_of("near:walnut, pelican", "allow:walnut oil")
    assert rules.check("walnut oil on a pelican").verdict is Decision.ALLOW
    assert rules.check("walnut oil, a walnut, a pelican").verdict is Decision.BLOCK


def test_the_order_of_the_terms_makes_no_other_rule() -> None:
    one, other = parse_rule("near:walnut, pelican"), parse_rule("near:pelican, walnut")
    assert one == other
    assert one is not None
    assert one.mode is Mode.NEAR


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("near:walnut", "a comma"),
        ("near:walnut, pelican, kestrel", "a comma"),
        ("near:walnut,", "a comma"),
        ("near 51:walnut, pelican", "At most 50"),
        ("near 999999999999:walnut, pelican", "At most 50"),
        ("near:wal*nut, pelican", "A star"),
        ("near:🍆, pelican", "words, not symbols"),
        ("allow:near:walnut, pelican", "allow: takes words"),
    ],
)
def test_bad_pairs_are_explained(text: str, hint: str) -> None:
    with pytest.raises(RuleError, match=hint):
        parse_rule(text)


def test_a_thousand_pairs_with_a_common_term_cost_little() -> None:
    """Work goes with what is found in the text, not with pairs times finds."""
    many = Filter(parse_rules(f"near:walnut, {chr(97 + a)}{chr(97 + b)}rix{c}on" for a in range(26) for b in range(26)
                              for c in "xz")[0])  # fmt: skip
    text = ("walnut aarixxon bbrixzon " * 40)[:1000]
    many.check(text)
    taken = []
    for _ in range(5):
        start = time.thread_time()
        assert many.check(text).verdict is Decision.BLOCK
        taken.append(time.thread_time() - start)
    assert min(taken) < 0.02
