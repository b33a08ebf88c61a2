"""Where rules hold, and which of several counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.moderation.filter import Filter
from bot.moderation.rules import Rule, parse_rule
from bot.moderation.scope import EVERYWHERE, Scope
from bot.moderation.verdict import Decision
from bot.order import Place

CHANNEL, THREAD, ROLE = 10, 11, 20


def scoped(text: str, scope: Scope = EVERYWHERE) -> Rule:
    rule = parse_rule(text)
    assert rule is not None
    return replace(rule, scope=scope)


def at(*channels: int, roles: tuple[int, ...] = ()) -> Place:
    return Place(guild_id=1, channel_ids=frozenset(channels), role_ids=frozenset(roles))


@pytest.mark.parametrize("text", ["walnut", "*walnut*", "re:waln.t", "near:walnut, tree", "🍆"])
def test_a_rule_holds_in_its_channel_and_its_threads(text: str) -> None:
    rules = Filter([scoped(text, Scope(channel_id=CHANNEL))])
    prompt = "a walnut tree 🍆"
    assert rules.check(prompt, at(CHANNEL)).verdict is Decision.BLOCK
    assert rules.check(prompt, at(THREAD, CHANNEL)).verdict is Decision.BLOCK
    assert rules.check(prompt, at(THREAD)).verdict is Decision.ALLOW
    assert rules.check(prompt, at()).verdict is Decision.ALLOW
    assert rules.check(prompt).scope == Scope(channel_id=CHANNEL)


def test_a_rule_for_a_role_in_a_channel_needs_both() -> None:
    rules = Filter([scoped("walnut", Scope(CHANNEL, ROLE))])
    assert rules.check("walnut", at(CHANNEL, roles=(ROLE,))).verdict is Decision.BLOCK
    assert rules.check("walnut", at(CHANNEL)).verdict is Decision.ALLOW
    assert rules.check("walnut", at(THREAD, roles=(ROLE,))).verdict is Decision.ALLOW


def test_the_gravest_rule_that_holds_counts() -> None:
    rules = Filter(
        [
            scoped("shadow:walnut"),
            scoped("review:walnut", Scope(channel_id=CHANNEL)),
            scoped("walnut", Scope(role_id=ROLE)),
        ]
    )
    assert rules.check("walnut", at()).verdict is Decision.SHADOW
    assert rules.check("walnut", at(CHANNEL)).verdict is Decision.REVIEW
    assert rules.check("walnut", at(CHANNEL, roles=(ROLE,))).verdict is Decision.BLOCK


def test_an_excuse_holds_only_in_its_scope() -> None:
    rules = Filter([scoped("walnut"), scoped("allow:walnut tree", Scope(channel_id=CHANNEL))])
    assert rules.check("a walnut tree", at(CHANNEL)).verdict is Decision.ALLOW
    assert rules.check("a walnut tree", at(THREAD)).verdict is Decision.BLOCK


def test_shadow_gives_way_to_review_and_both_to_block() -> None:
    rules = Filter([scoped("shadow:walnut"), scoped("review:pelican"), scoped("kestrel")])
    assert rules.check("walnut").verdict is Decision.SHADOW
    assert rules.check("walnut, pelican").verdict is Decision.REVIEW
    assert rules.check("walnut, pelican, kestrel").verdict is Decision.BLOCK
    assert rules.check("kestrel, pelican, walnut").verdict is Decision.BLOCK


def test_one_word_in_a_thousand_scopes_is_judged_once() -> None:
    rules = Filter([scoped("walnut", Scope(channel_id=channel)) for channel in range(1, 1001)])
    assert rules.check("walnut " * 100, at(1000)).scope == Scope(channel_id=1000)
    assert rules.check("walnut " * 100, at(2000)).verdict is Decision.ALLOW
