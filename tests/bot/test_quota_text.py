"""What /quota says, word for word."""

from __future__ import annotations

from dataclasses import replace

from bot.order import Quota
from bot.quota_text import quota_text

NOW = 1_800_000_000
FULL = Quota(
    available=20, burst=20, per_hour=120, spent_today=0, daily=400, waiting=0, waiting_limit=3, full_at=float(NOW)
)


def test_with_everything_to_spend():
    assert quota_text(FULL) == (
        "You can paint **20 pictures** right now, the most at once.\n"
        "Today: 0 of 400, in all servers together.\n"
        "While nobody else waits, only the day's limit binds you.\n"
        "In the line: 0 of 3 requests at once."
    )


def test_with_some_left():
    text = quota_text(replace(FULL, available=12.4, full_at=NOW + 228.0, spent_today=34.2, waiting=1))
    assert text.startswith(f"You can paint about **12 more pictures** right now; full again <t:{NOW + 228}:R>.")
    assert "Today: 34 of 400, in all servers together." in text
    assert "In the line: 1 of 3 requests at once." in text


def test_with_nothing_left_it_says_when_the_next_picture_is_possible():
    text = quota_text(replace(FULL, available=0.0, full_at=NOW + 600.0))
    assert text.startswith("You have painted all you can for now; the next picture is yours ")
    assert f"<t:{NOW + 30}:R>, all <t:{NOW + 600}:R>." in text


def test_one_picture_is_no_plural():
    assert "about **1 more picture** right" in quota_text(replace(FULL, available=1.9, full_at=NOW + 600.0))
    assert "Today: 1.5 of 400" in quota_text(replace(FULL, spent_today=1.5))


def test_budgets_of_others_are_told_when_there_are_any():
    text = quota_text(replace(FULL, guild_left=40.5, house_left=1e6))
    assert "This server can paint about 40 more pictures for now." in text
    assert "Everybody together" not in text


def test_tiers_are_named_and_newcomers_hear_when_that_ends():
    assert quota_text(replace(FULL, tier="booster")).endswith("Your tier: booster.")
    text = quota_text(replace(FULL, tier="newcomer", newcomer_until=NOW + 86_400.0))
    assert text.endswith(f"a little less than others have; that ends by itself <t:{NOW + 86_400}:R>.")
