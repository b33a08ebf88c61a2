"""Which tier a member has: the best that a role opens, a smaller one while they are new, else everybody's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.order import Member
from bot.sections import Tier
from generation.limits import Allowance

MEMBER = "member"
NEWCOMER = "newcomer"
DAY = 86_400.0  # seconds
HOUR = 3_600.0  # seconds


@dataclass(frozen=True, slots=True)
class Grade:
    """A member's tier at this moment."""

    name: str
    allowance: Allowance
    newcomer_until: float | None = None  # epoch seconds at which it ends by itself; None: it does not


def grade_of(tiers: Mapping[str, Tier], member: Member, now: float) -> Grade:
    """The most generous tier (by refill) that a role opens; a role that somebody was given outweighs being new."""
    opened = [name for name, tier in tiers.items() if name not in (MEMBER, NEWCOMER) and _holds(member, tier)]
    until = None if opened or member.moderator else newcomer_until(tiers.get(NEWCOMER), member)
    if until is not None and until > now:
        return Grade(NEWCOMER, tiers[NEWCOMER].allowance(), until)
    best = max((MEMBER, *opened), key=lambda name: tiers[name].per_hour)
    return Grade(best, tiers[best].allowance())


def newcomer_until(tier: Tier | None, member: Member) -> float | None:
    """When somebody stops being new: account and membership both have to be old enough."""
    if tier is None:
        return None
    joined = member.joined_at if member.joined_at is not None else 0.0
    return max(member.created_at + tier.account_days * DAY, joined + tier.server_hours * HOUR)


def _holds(member: Member, tier: Tier) -> bool:
    ids = {*member.role_ids, *map(str, member.role_ids)}  # YAML may have an id with or without quotes
    return any(role in member.role_names or role in ids for role in tier.roles)
