"""Warnings expire and add up: for all times, counts and settings."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from bot.review.rules import ReviewRules, rules_text
from bot.review.strikes import DAY, HOUR, Ban, Consequence, Strike, active, ban_sentence, consequence, expiry, longest

TIMES = st.floats(0, 4e9)
RULES = st.builds(
    ReviewRules,
    strike_days=st.floats(0.1, 3650),
    pause_at=st.integers(0, 10),
    pause_hours=st.floats(0.1, 8760),
    ban_at=st.integers(0, 10),
)


def a_strike(given_at: float, rules: ReviewRules, cleared_at: float | None = None) -> Strike:
    return Strike(
        id=1,
        case_id=None,
        given_by=2,
        reason="",
        given_at=given_at,
        expires_at=expiry(given_at, rules),
        cleared_at=cleared_at,
    )


STRIKES = st.builds(a_strike, TIMES, RULES, st.none() | TIMES)
BANS = st.builds(
    Ban, id=st.just(1), given_by=st.just(2), reason=st.just(""), given_at=TIMES, until=st.none() | TIMES,
    lifted_at=st.none() | TIMES,
)  # fmt: skip


@given(TIMES, RULES)
def test_a_warning_counts_from_its_moment_until_it_expires(given_at, rules):
    strike = a_strike(given_at, rules)
    assert strike.active(given_at)
    assert not strike.active(given_at + rules.strike_days * DAY)


@given(st.lists(STRIKES), TIMES, TIMES)
def test_time_alone_never_makes_more_warnings_count(strikes, one, two):
    assert active(strikes, max(one, two)) <= active(strikes, min(one, two)) <= len(strikes)


@given(st.lists(STRIKES), TIMES, TIMES, RULES)
def test_clearing_one_takes_exactly_that_one_away(strikes, now, when, rules):
    fresh = a_strike(now, rules)
    assert active([*strikes, fresh], now) == active(strikes, now) + 1
    assert active([*strikes, a_strike(now, rules, cleared_at=when)], now) == active(strikes, now)


@given(st.integers(1, 20), RULES, TIMES)
def test_one_warning_more_never_leads_to_less(count, rules, now):
    def weight(follows: Consequence | None) -> float:
        return 0 if follows is None else math.inf if follows.until is None else 1

    assert weight(consequence(count + 1, rules, now)) >= weight(consequence(count, rules, now))
    follows = consequence(count, rules, now)
    assert (follows == Consequence(None)) == bool(rules.ban_at and count >= rules.ban_at)
    if follows is not None and follows.until is not None:
        assert rules.pause_at
        assert count >= rules.pause_at
        assert follows.until == now + rules.pause_hours * HOUR


@given(st.lists(BANS), TIMES)
def test_the_longest_ban_holds_and_no_other_outlasts_it(bans, now):
    found = longest(bans, now)
    held = [ban for ban in bans if ban.holds(now)]
    assert (found is None) == (not held)
    if found is not None and found.until is not None:
        assert all(ban.until is not None and ban.until <= found.until for ban in held)


def test_zero_switches_a_step_off():
    rules = ReviewRules(pause_at=0, ban_at=0, report_threshold=0)
    assert consequence(100, rules, 0.0) is None
    assert "Warnings pause nobody" in rules_text(rules)
    assert "Reports never remove" in rules_text(rules)


def test_who_may_not_paint_reads_until_when_why_and_what_to_do():
    sentence = ban_sentence(Ban(id=1, given_by=2, reason="3 active warnings", given_at=0.0, until=1000.4))
    assert "until <t:1001:f>" in sentence
    assert "3 active warnings" in sentence
    assert "Appeal" in sentence
    assert "until a moderator lifts it" in ban_sentence(Ban(id=1, given_by=2, reason="", given_at=0.0, until=None))
