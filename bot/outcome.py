"""From a settled job to the message that shows it: its result, or a notice of why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.card import (
    Face,
    Rows,
    alt_text,
    file_name,
    notice_text,
    result_rows,
    result_text,
    retry_rows,
)
from bot.courier import Enclosure, Parcel, TooLarge
from bot.moderation.policy import Policy
from bot.order import Commission
from bot.packing import Packing, as_sent
from bot.press import Deed, Press
from bot.store.pictures import GRID, StoredPicture
from generation.errors import NotApproved
from generation.job import JobState
from generation.safety.approved import Approved
from generation.safety.level import Level

RESULT = "result"
NOTICE = "notice"
ALONE_READY = "<@{}> A picture that only you may see is ready, and I can reach you neither there nor directly."
ALONE_ENDED = "<@{}> A request of yours ended without a picture, and I can tell you why neither there nor directly."
MAYBE_TOLD = "You may have been told this already."
MAYBE_ABOVE = (
    "I was interrupted while I posted this, and I may not read back here: the picture may stand above already."
    " If it does not, the buttons bring it."
)


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


async def result_of(commission: Commission, packing: Packing, limit: int, policy: Policy) -> Outcome:
    """The message of a painted job; no file in it has more than `limit` bytes.

    A file that is larger is encoded again. A sheet that would lose more than detail by it is split into its pictures.
    Raises TooLarge when nothing can be made that small, NotApproved when no approved file is left.
    """
    stored = await packing.of(commission)
    whole = [picture for picture in stored if picture.index == GRID and picture.sha256 is not None]
    singles = [picture for picture in stored if picture.index != GRID and picture.sha256 is not None]
    found = False
    for wanted in filter(None, (whole, singles)):
        enclosures, all_as_large = [], True
        for picture in wanted:
            approved = await packing.load(commission, picture.index)
            if approved is None:
                continue
            found = True
            smaller = await packing.fitting(commission, approved, limit)
            all_as_large = all_as_large and smaller is not None and smaller.width == approved.width
            if smaller is not None:
                enclosures.append(enclosure(commission, policy, picture, smaller))
        if enclosures and (all_as_large or wanted is singles):
            return _result(commission, stored, tuple(enclosures))
    raise TooLarge if found else NotApproved


def max_level(outcome: Outcome) -> Level:
    """The most that any checker saw in any of the pictures; NEUTRAL where there are none."""
    return max((enclosure.picture.level for enclosure in outcome.parcel.enclosures), default=Level.NEUTRAL)


def unsure(outcome: Outcome) -> Outcome:
    """In place of an outcome that may have been shown already, where nobody can look: its words and buttons.

    The picture itself would perhaps be shown a second time; with the buttons its author has it in either case.
    """
    if not outcome.parcel.enclosures:
        return _asked(outcome, outcome.parcel, MAYBE_TOLD)
    rows = outcome.parcel.rows
    if not _pictures(outcome):  # a result of one picture has no button to show it
        show = Face(Press(Deed.SINGLE, _job_of(outcome), 0), "Show")
        rows = ((show, *rows[0]), *rows[1:])
    return _asked(outcome, replace(outcome.parcel, enclosures=(), rows=rows), MAYBE_ABOVE)


def hint_of(commission: Commission, outcome: Outcome) -> Outcome:
    """In the channel where others read too, for who can be reached nowhere alone: no word and no picture of theirs.

    A press of its author's on the button shows the picture to them alone.
    """
    ready = bool(outcome.parcel.enclosures)
    text = (ALONE_READY if ready else ALONE_ENDED).format(commission.author_id)
    rows: Rows = ()
    if ready:
        labels = _pictures(outcome) or {0: "Show"}
        faces = [Face(Press(Deed.ALONE, commission.id, index), label) for index, label in labels.items()]
        rows = (tuple(faces),)
    parcel = Parcel(text=text, rows=rows, mention=commission.author_id)
    mark = rows[0][0].press.custom_id if rows else None
    return replace(outcome, nonce=f"{outcome.nonce}h", parcel=parcel, quiet_text=text, mark=mark)


def _pictures(outcome: Outcome) -> dict[int, str]:
    """Which single pictures of a set its buttons show, and how these are called."""
    faces = [face for row in outcome.parcel.rows for face in row]
    presses = [(face.press, face.label) for face in faces if isinstance(face.press, Press)]
    return {press.index or 0: label for press, label in presses if press.deed is Deed.SINGLE}


def _job_of(outcome: Outcome) -> str:
    return next(face.press.job_id for row in outcome.parcel.rows for face in row if isinstance(face.press, Press))


def _asked(outcome: Outcome, parcel: Parcel, doubt: str) -> Outcome:
    text, quiet = (f"{words}\n-# {doubt}" for words in (outcome.parcel.text, outcome.quiet_text))
    return replace(outcome, nonce=f"{outcome.nonce}u", parcel=replace(parcel, text=text), quiet_text=quiet)


def notice_of(commission: Commission, *, quoting: bool = True) -> Outcome:
    """The message of a job that ended without a picture; what was blocked is told to its author alone.

    `quoting`: with the words that it was asked with.
    """
    blocked = commission.state is JobState.BLOCKED
    rows: Rows = retry_rows(commission.id) if commission.state is JobState.FAILED else ()
    mark = rows[0][0].press.custom_id if rows else None
    return Outcome(
        kind=NOTICE,
        nonce=nonce_of(commission.id, "n"),
        parcel=Parcel(
            text=notice_text(commission, mention=True, quoting=quoting), rows=rows, mention=commission.author_id
        ),
        quiet_text=notice_text(commission, mention=False, quoting=quoting),
        mark=mark,
        in_channel=False,
        in_ticket=not blocked or commission.address.private,
        author_alone=blocked,
    )


def _result(commission: Commission, stored: Sequence[StoredPicture], enclosures: tuple[Enclosure, ...]) -> Outcome:
    return Outcome(
        kind=RESULT,
        nonce=nonce_of(commission.id, "r"),
        parcel=Parcel(
            text=result_text(commission, stored),
            enclosures=enclosures,
            rows=result_rows(commission, stored),
            mention=commission.author_id,
        ),
        quiet_text=result_text(commission, stored, mention=False),
        mark=Press(Deed.DELETE, commission.id).custom_id,
    )


def enclosure(commission: Commission, policy: Policy, picture: StoredPicture, approved: Approved) -> Enclosure:
    """The approved file with its name and alt text, behind a spoiler where the policy says so."""
    picture = as_sent(picture, approved)
    name = file_name(commission, picture, spoiler=policy.hides(approved.level))
    return Enclosure(picture=approved, name=name, alt=alt_text(commission, picture))
