"""Who has which tier, and when a newcomer's ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.config import Config
from bot.order import Member
from bot.tiers import DAY, HOUR

NOW = 1_800_000_000.0
OLD = Member(id=1, guild_id=2, created_at=NOW - 100 * DAY, joined_at=NOW - 10 * DAY)
CONFIG = Config(
    limits={
        "member": {"burst": 20},
        "newcomer": {"burst": 5, "account_days": 7, "server_hours": 2},
        "booster": {"roles": ["Boosters", "42", 43], "burst": 40, "per_hour": 240},
        "tired": {"roles": ["Tired"], "burst": 1, "per_hour": 1},
    }
)


@pytest.mark.parametrize(
    ("member", "name", "until"),
    [
        (OLD, "member", None),
        (replace(OLD, created_at=NOW - DAY), "newcomer", NOW + 6 * DAY),
        (replace(OLD, joined_at=NOW - HOUR), "newcomer", NOW + HOUR),
        (replace(OLD, joined_at=None, guild_id=None), "member", None),
        (replace(OLD, joined_at=NOW, moderator=True), "member", None),
        (replace(OLD, joined_at=NOW, role_names=frozenset({"Boosters"})), "booster", None),
        (replace(OLD, role_ids=frozenset({42})), "booster", None),
        (replace(OLD, role_ids=frozenset({43})), "booster", None),
        (replace(OLD, role_names=frozenset({"42"})), "booster", None),  # a role may be called like that
        (replace(OLD, role_names=frozenset({"Tired"})), "member", None),  # no role makes anybody poorer
    ],
)
def test_the_tier_of(member, name, until):
    grade = CONFIG.tier_of(member, NOW)
    assert (grade.name, grade.newcomer_until) == (name, until)
    assert grade.allowance == CONFIG.limits[name].allowance()


def test_a_newcomer_becomes_a_member_by_waiting():
    young = replace(OLD, created_at=NOW - DAY)
    until = CONFIG.tier_of(young, NOW).newcomer_until
    assert CONFIG.tier_of(young, until - 1).name == "newcomer"
    assert CONFIG.tier_of(young, until).name == "member"


def test_without_the_tier_nobody_is_new():
    assert Config().tier_of(replace(OLD, created_at=NOW, joined_at=NOW), NOW).name == "member"
