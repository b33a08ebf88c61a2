"""What /quota says: what one can paint now, today and in the line, as a person would say it."""

from __future__ import annotations

import math

from bot.order import Quota
from bot.tiers import MEMBER, NEWCOMER

MANY = 10_000  # pictures; above it a number says nothing


def quota_text(quota: Quota) -> str:
    """The quota in sentences; a picture means one default picture, which costs one credit."""
    lines = [_now(quota), _today(quota), "While nobody else waits, only the day's limit binds you."]
    lines += _shared(quota)
    lines.append(f"In the line: {quota.waiting} of {quota.waiting_limit} requests at once.")
    if quota.newcomer_until is not None:
        until = f"<t:{math.ceil(quota.newcomer_until)}:R>"
        lines.append(f"You are new here, so this is a little less than others have; that ends by itself {until}.")
    elif quota.tier not in (MEMBER, NEWCOMER):
        lines.append(f"Your tier: {quota.tier}.")
    return "\n".join(lines)


def _now(quota: Quota) -> str:
    full = f"<t:{math.ceil(quota.full_at)}:R>"
    if quota.available < 1:
        one = quota.full_at - (quota.burst - 1) * 3600.0 / quota.per_hour if quota.burst > 1 else quota.full_at
        return f"You have painted all you can for now; the next picture is yours <t:{math.ceil(one)}:R>, all {full}."
    if quota.available >= quota.burst - 1e-6:
        return f"You can paint **{_pictures(quota.available)}** right now, the most at once."
    return f"You can paint about **{_pictures(quota.available, more=True)}** right now; full again {full}."


def _today(quota: Quota) -> str:
    return f"Today: {_number(quota.spent_today)} of {_number(quota.daily)}, in all servers together."


def _shared(quota: Quota) -> list[str]:
    found = []
    for left, whose in ((quota.guild_left, "This server"), (quota.house_left, "Everybody together")):
        if left is not None and left < MANY:
            found.append(f"{whose} can paint about {_pictures(left, more=True)} for now.")
    return found


def _pictures(count: float, *, more: bool = False) -> str:
    """Whole pictures: half a picture helps nobody, so it is rounded down."""
    whole = math.floor(count + 1e-6)
    return f"{whole:,} {'more ' if more else ''}{'picture' if whole == 1 else 'pictures'}"


def _number(count: float) -> str:
    return f"{count:,.0f}" if count >= 10 or count == round(count) else f"{count:.1f}"
