"""Orders and requests as tests need them: complete, valid, and easy to vary."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

from bot.order import Action, Address, Member, Order
from generation.request import Request

_interactions = itertools.count(1_000_000)

GUILD = 77
CHANNEL = 78


def a_request(**changes: Any) -> Request:
    """One small picture of the starter model."""
    plain = Request(
        prompt="a red house",
        width=256,
        height=256,
        steps=20,
        guidance=4.0,
        sampler="dpmpp_2m",
        seed=1,
        model="starter",
    )
    return replace(plain, **changes)


def an_order(
    member_id: int = 1, *, action: Action = Action.DREAM, guild_id: int | None = GUILD, **changes: Any
) -> Order:
    """An order of one member, each with an interaction of its own."""
    address_changes = {key: changes.pop(key) for key in ("interaction_id", "private") if key in changes}
    request = changes.pop("request", None) or a_request()
    address = Address(
        channel_id=CHANNEL,
        guild_id=guild_id,
        interaction_id=address_changes.get("interaction_id") or next(_interactions),
        token="interaction-token",
        token_expires=4e9,
        application_id=5,
        private=address_changes.get("private", False),
    )
    return Order(
        request=request, member=Member(id=member_id, guild_id=guild_id), address=address, action=action, **changes
    )
