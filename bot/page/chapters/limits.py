"""Limits: the tiers as the owner set them, and who used most today."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from bot.page.visit import Chapter, Route, Visit


async def show(visit: Visit) -> web.StreamResponse:
    """Tiers by name; roles are shown as this server calls them."""
    tiers = [
        {"name": name, "tier": tier, "roles": [_role(visit, role) for role in tier.roles]}
        for name, tier in visit.site.studio.config.limits.items()
    ]
    spent = await visit.site.desk.lookback.spent_today(visit.guild.id)
    names = await visit.names([member_id for member_id, _ in spent])
    most = max((amount for _, amount in spent), default=0.0)
    users = [{"who": names[member_id], "spent": amount, "share": amount / most} for member_id, amount in spent]
    return await visit.page("limits.html", tiers=tiers, users=users)


def _role(visit: Visit, role: str | int) -> str:
    found = visit.guild.get_role(role) if isinstance(role, int) else None
    return found.name if found is not None else str(role)


CHAPTER: Final = Chapter("limits", "Limits", (Route("GET", "", show),))
