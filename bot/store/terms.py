"""Who agreed to which model rules, and the requests that wait for somebody's word."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import delete, insert, select

from bot.order import Action, Address, Member, Order
from bot.store.database import Database
from bot.store.register import PENDING_LIFE
from bot.store.rows import JobIds
from bot.store.schema import acceptances, pending_orders
from generation.request import Request

MOST_WAITING = 5  # orders of one person


class Acceptances:
    """The acceptances table."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def has(self, member_id: int, terms: str) -> bool:
        """Whether the person agreed to exactly this."""
        async with self._database.read() as connection:
            same = select(acceptances).where(acceptances.c.member_id == member_id, acceptances.c.terms == terms)
            return (await connection.execute(same)).first() is not None

    async def add(self, member_id: int, terms: str) -> None:
        """The person agrees; agreeing twice changes nothing."""
        same = select(acceptances).where(acceptances.c.member_id == member_id, acceptances.c.terms == terms)
        async with self._database.write() as connection:
            if (await connection.execute(same)).first() is None:
                values = {"member_id": member_id, "terms": terms, "accepted_at": self._clock()}
                await connection.execute(insert(acceptances).values(values))


class PendingOrders:
    """The pending_orders table: nothing to type again once somebody has agreed."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._ids = JobIds()

    async def keep(self, order: Order, terms: str) -> str:
        """Let `order` wait until its person agreed to `terms`; returns the id under which it does.

        Of one person's orders only the newest few wait.
        """
        now = self._clock()
        pending_id = self._ids.new(now)
        address = {"guild_id": order.address.guild_id, "member_id": order.member.id}
        async with self._database.write() as connection:
            values = {"id": pending_id, **address, "order": _to_json(order) | {"terms": terms}, "asked_at": now}
            await connection.execute(insert(pending_orders).values(values))
            theirs = select(pending_orders.c.id).where(pending_orders.c.member_id == order.member.id)
            newest = theirs.order_by(pending_orders.c.asked_at.desc(), pending_orders.c.id.desc())
            late = [row.id for row in (await connection.execute(newest)).all()[MOST_WAITING:]]
            await connection.execute(delete(pending_orders).where(pending_orders.c.id.in_(late)))
        return pending_id

    async def get(self, pending_id: str, member_id: int) -> tuple[Order, str] | None:
        """The waiting order of this person, and what they were asked to agree to.

        None when it is another's, was taken up, or is too old.
        """
        query = select(pending_orders).where(
            pending_orders.c.id == pending_id,
            pending_orders.c.member_id == member_id,
            pending_orders.c.asked_at > self._clock() - PENDING_LIFE,
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        return (_from_json(row.order), row.order["terms"]) if row is not None else None

    async def remove(self, pending_id: str) -> None:
        """It has been taken up."""
        async with self._database.write() as connection:
            await connection.execute(delete(pending_orders).where(pending_orders.c.id == pending_id))


def _to_json(order: Order) -> dict[str, Any]:
    member = asdict(order.member)
    for name in ("role_names", "role_ids"):
        member[name] = sorted(member[name])
    return {
        "request": order.request.to_json(),
        "member": member,
        # The token is of no use: whoever agrees presses a button, and that brings a new one.
        "address": asdict(replace(order.address, token="", ticket_id=None)),
        "action": order.action,
        "parent": order.parent,
        "parent_index": order.parent_index,
    }


def _from_json(data: dict[str, Any]) -> Order:
    sets = {name: frozenset(data["member"][name]) for name in ("role_names", "role_ids")}
    return Order(
        request=Request.from_json(data["request"]),
        member=Member(**(data["member"] | sets)),
        address=Address(**data["address"]),
        action=Action(data["action"]),
        parent=data["parent"],
        parent_index=data["parent_index"],
    )
