"""From a settled job to the messages that show it: result, pages of a result that is too large for one, notice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.card import (
    Rows,
    alt_text,
    file_name,
    notice_text,
    result_rows,
    result_text,
    retry_rows,
    single_rows,
    single_text,
)
from bot.courier import Enclosure, Parcel, TooLarge
from bot.moderation.policy import Policy
from bot.order import Commission
from bot.press import Deed, Press
from bot.store.pictures import GRID, PictureStore, StoredPicture
from generation.errors import NotApproved
from generation.job import JobState
from generation.safety.approved import Approved
from generation.safety.level import Level

RESULT = "result"
NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One message that a job owes, with its name in the outbox and the nonce that keeps it single."""

    kind: str
    nonce: str
    parcel: Parcel
    quiet_text: str  # the words where nobody needs to be mentioned
    mark: str | None  # a custom_id that only this message carries
    in_channel: bool = True  # False: the channel is the second choice
    in_ticket: bool = True  # whether the ticket may become this message
    author_alone: bool = False


def nonce_of(job_id: str, letter: str) -> str:
    """At most 25 characters, Discord's limit; different for everything a job may have to say."""
    return f"a1{job_id}{letter}"


async def results_of(commission: Commission, store: PictureStore, limit: int, policy: Policy) -> list[Outcome]:
    """The messages of a painted job in order.

    Raises TooLarge when every file has more than `limit` bytes, NotApproved when no approved file is left.
    """
    stored = await store.of(commission.id)
    loaded = [(picture, await store.load(commission.id, picture.index)) for picture in _to_post(stored)]
    found = [(picture, approved) for picture, approved in loaded if approved is not None]
    if len(found) == 1 and len(found[0][1].data) <= limit:
        return [_result(commission, stored, policy, *found[0])]
    singles = [picture for picture in stored if picture.index != GRID and picture.sha256 is not None]
    pages: list[tuple[StoredPicture, Approved]] = []
    for picture in singles:
        approved = await store.load(commission.id, picture.index)
        if approved is not None and len(approved.data) <= limit:
            pages.append((picture, approved))
    if not pages:
        raise TooLarge if found else NotApproved
    first, *others = pages
    return [_result(commission, stored, policy, *first), *(_page(commission, policy, *page) for page in others)]


def max_level(outcomes: Sequence[Outcome]) -> Level:
    """The most that any checker saw in any of the pictures; NEUTRAL where there are none."""
    levels = [enclosure.picture.level for outcome in outcomes for enclosure in outcome.parcel.enclosures]
    return max(levels, default=Level.NEUTRAL)


def notice_of(commission: Commission) -> Outcome:
    """The message of a job that ended without a picture; what was blocked is told to its author alone."""
    blocked = commission.state is JobState.BLOCKED
    rows: Rows = retry_rows(commission.id) if commission.state is JobState.FAILED else ()
    mark = rows[0][0].press.custom_id if rows else None
    return Outcome(
        kind=NOTICE,
        nonce=nonce_of(commission.id, "n"),
        parcel=Parcel(text=notice_text(commission, mention=True), rows=rows, mention=commission.author_id),
        quiet_text=notice_text(commission, mention=False),
        mark=mark,
        in_channel=False,
        in_ticket=not blocked or commission.address.private,
        author_alone=blocked,
    )


def _to_post(stored: Sequence[StoredPicture]) -> list[StoredPicture]:
    grid = [picture for picture in stored if picture.index == GRID and picture.sha256 is not None]
    return grid or [picture for picture in stored if picture.sha256 is not None]


def _result(
    commission: Commission, stored: Sequence[StoredPicture], policy: Policy, picture: StoredPicture, approved: Approved
) -> Outcome:
    return Outcome(
        kind=RESULT,
        nonce=nonce_of(commission.id, "r"),
        parcel=Parcel(
            text=result_text(commission, stored),
            enclosures=(enclosure(commission, policy, picture, approved),),
            rows=result_rows(commission, stored),
            mention=commission.author_id,
        ),
        quiet_text=result_text(commission, stored, mention=False),
        mark=Press(Deed.DELETE, commission.id).custom_id,
    )


def _page(commission: Commission, policy: Policy, picture: StoredPicture, approved: Approved) -> Outcome:
    text = single_text(commission, picture)
    return Outcome(
        kind=f"page{picture.index}",
        nonce=nonce_of(commission.id, f"p{picture.index}"),
        parcel=Parcel(
            text=text,
            enclosures=(enclosure(commission, policy, picture, approved),),
            rows=single_rows(commission, picture.index),
        ),
        quiet_text=text,
        mark=Press(Deed.DELETE, commission.id, picture.index).custom_id,
        in_ticket=False,
    )


def enclosure(commission: Commission, policy: Policy, picture: StoredPicture, approved: Approved) -> Enclosure:
    """The approved file with its name and alt text, behind a spoiler where the policy says so."""
    name = file_name(commission, picture, spoiler=policy.hides(approved.level))
    return Enclosure(picture=approved, name=name, alt=alt_text(commission, picture))
