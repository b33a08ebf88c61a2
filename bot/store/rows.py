"""Between the jobs table and the values the house works with."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Row

from bot.order import Action, Address, Commission, Order
from bot.store.schema import jobs
from generation.errors import AtelierError, Refusal
from generation.job import JobState
from generation.request import Request

# Columns that a new job leaves to the database.
_UNSET: dict[str, Any] = {column.name: None for column in jobs.columns} | {"refunded": 0.0, "crashes": 0}
ALPHABET = "0123456789abcdefghijklmnopqrstuv"  # base32hex: text order is number order


_UNREADABLE = (Refusal, TypeError, ValueError, KeyError, AttributeError)
_BLANK = Request(
    prompt="(no longer readable)", width=64, height=64, steps=1, guidance=0.0, sampler="euler", seed=0, model=""
)


class UnreadableRequest(AtelierError):
    """It was asked of another version, which allowed what this one does not; please ask again."""

    def __init__(self, job_id: str) -> None:
        super().__init__()
        self.job_id = job_id


class JobIds:
    """Makes ids of 16 base32 characters (48 bits of milliseconds, 32 random bits) that sort as they were made."""

    def __init__(self) -> None:
        self._last = 0

    def after(self, job_id: str) -> None:
        """Begin behind an id that there is already."""
        self._last = max(self._last, int(job_id, 32))

    def new(self, now: float) -> str:
        """The next id at `now` (epoch seconds); after every former one even when the clock stands or steps back.

        Then it goes on by chance, so that two processes that began behind the same id do not make the same next one.
        """
        behind = self._last + 1 + secrets.randbits(32)
        timely = int(now * 1000) << 32 | secrets.randbits(32)
        self._last = timely if timely > self._last else behind
        return _written(self._last)


def first_id(moment: float) -> str:
    """No job made since `moment` (epoch seconds) has a smaller id: with it, times are looked up by primary key."""
    return _written(max(0, int(moment * 1000)) << 32)


def _written(number: int) -> str:
    return "".join(ALPHABET[number >> shift & 31] for shift in range(75, -5, -5))


def press_of(order: Order) -> str | None:
    """The key of a button press: the same person pressing the same button has one live job of it."""
    if order.parent is None or order.action is Action.EDIT:
        return None
    return f"{order.parent}:{order.action}:{order.parent_index}:{order.member.id}"


def job_values(
    order: Order, *, job_id: str, cost: float, start_tag: float, now: float, **charged: float
) -> dict[str, Any]:
    """The columns of a newly admitted job; `charged` are the seconds taken from each account."""
    request, address = order.request, order.address
    return {
        "id": job_id,
        "state": JobState.ACCEPTED,
        "action": order.action,
        "guild_id": address.guild_id,
        "lane": address.guild_id or 0,
        "channel_id": address.channel_id,
        "author_id": order.member.id,
        "interaction_id": address.interaction_id,
        "press": press_of(order),
        "application_id": address.application_id,
        "token": address.token,
        "token_expires": address.token_expires,
        "ticket_id": address.ticket_id,
        "private": address.private,
        "parent_channel_id": address.parent_channel_id,
        "age_restricted": address.age_restricted,
        "role_ids": sorted(order.member.role_ids),
        "channel_reachable": address.channel_reachable,
        "request": request.to_json(),
        "work": request.megapixel_steps,
        "pictures": request.count,
        "cost": cost,
        **charged,
        "start_tag": start_tag,
        "attempt": 0,
        "parent": order.parent,
        "parent_index": order.parent_index,
        "reason": "",
        "recipe": {},
        "seconds": 0.0,
        "accepted_at": now,
    }


def request_of(row: Row[Any]) -> Request:
    """The request of a stored job, checked again; raises UnreadableRequest."""
    try:
        return Request.from_json(row.request)
    except _UNREADABLE as error:
        raise UnreadableRequest(row.id) from error


def _shown_request(data: Any) -> Request:
    """The stored request; of one that this version refuses its words, so that its author can be told of it."""
    with suppress(*_UNREADABLE):
        return Request.from_json(data)
    with suppress(*_UNREADABLE):
        return replace(_BLANK, prompt=data["prompt"])
    return _BLANK


def new_commission(values: dict[str, Any]) -> Commission:
    """What `job_values` says of a job, as if it had been read back."""
    return commission_of(SimpleNamespace(**(_UNSET | values)))


def commission_of(row: Row[Any] | SimpleNamespace) -> Commission:
    """A stored job as tickets, delivery and buttons see it."""
    address = Address(
        channel_id=row.channel_id,
        guild_id=row.guild_id,
        interaction_id=row.interaction_id,
        token=row.token,
        token_expires=row.token_expires,
        application_id=row.application_id,
        private=row.private,
        ticket_id=row.ticket_id,
        parent_channel_id=row.parent_channel_id,
        age_restricted=row.age_restricted,
        channel_reachable=row.channel_reachable,
    )
    return Commission(
        id=row.id,
        state=JobState(row.state),
        request=_shown_request(row.request),
        author_id=row.author_id,
        address=address,
        action=Action(row.action),
        parent=row.parent,
        parent_index=row.parent_index,
        reason=row.reason,
        accepted_at=row.accepted_at,
        recipe=dict(row.recipe),
        seconds=row.seconds,
        role_ids=frozenset(row.role_ids),
        erased=row.erased_at is not None,
        cost=row.cost,
        refunded=row.refunded,
        holder=row.holder,
        stopping=row.cancel_asked_at is not None,
    )
