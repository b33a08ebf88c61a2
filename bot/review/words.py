"""What moderators and members read about a case; everything that members wrote is shown as plain words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.card import Face, Rows
from bot.echo import echo
from bot.order import Commission
from bot.press import CaseDeed, CasePress
from bot.review.case import Case, Kind, Ruling
from bot.review.strikes import Strike, active
from bot.store.pictures import StoredPicture

WORDS = 300  # characters of what one person wrote
MESSAGE = 2000  # characters of a message, by Discord
SHOWN_REASONS = 3  # of reporters
HIDDEN = "This picture was reported. It is hidden until a moderator has looked at it."
LABELS = {
    Ruling.APPROVE: "Approve",
    Ruling.SPOILER: "Spoiler",
    Ruling.DELETE: "Delete",
    Ruling.WARN: "Warn",
    Ruling.TIMEOUT: "Time out",
    Ruling.UPHOLD: "Keep the decision",
    Ruling.OVERTURN: "Overturn",
}
DANGEROUS = frozenset({Ruling.DELETE, Ruling.WARN, Ruling.TIMEOUT})
DONE = {
    Ruling.APPROVE: "approved",
    Ruling.SPOILER: "shown behind a spoiler",
    Ruling.DELETE: "deleted",
    Ruling.WARN: "removed, with a warning",
    Ruling.TIMEOUT: "removed, with a warning and a time-out",
    Ruling.UPHOLD: "appeal looked at, decision kept",
    Ruling.OVERTURN: "appeal granted",
}
WHY = {
    Kind.WITHHELD: "withheld by a checker",
    Kind.REVIEW: "kept back by a filter rule that asks for a look",
    Kind.REPORTED: "reported",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """Characters for each of the texts of a case, escapes included."""

    prompt: int = WORDS
    negative: int = 150
    seen: int = 400
    report: int = 150  # each reporter's reason
    person: int = WORDS  # the moderator's reason, the member's appeal
    note: int = 250


# Tried in turn until the whole fits one message: what people wrote about the picture gives way before the picture's
# own words do.
ROOMS = (
    Rooms(),
    Rooms(report=100, person=200, note=150),
    Rooms(report=60, person=130, note=100),
    Rooms(report=40, person=80, note=60, seen=200),
    Rooms(report=30, person=50, note=40, seen=100, prompt=150, negative=50),
)


def case_text(
    case: Case,
    commission: Commission,
    pictures: Sequence[StoredPicture],
    *,
    strikes: Sequence[Strike],
    reasons: Sequence[str],
    notes: Sequence[str],
    now: float,
    remark: str = "",
) -> str:
    """A case as moderators see it, open or decided; at most 2,000 characters.

    `remark` is a sentence of ours, of 250 characters at most, about the picture.
    """
    text = ""
    for rooms in ROOMS:
        text = _case_text(case, commission, pictures, strikes, reasons, notes, now, remark, rooms)
        if len(text) <= MESSAGE:
            return text
    raise AssertionError(f"case {case.id} takes {len(text)} characters at the least")


def _case_text(
    case: Case,
    commission: Commission,
    pictures: Sequence[StoredPicture],
    strikes: Sequence[Strike],
    reasons: Sequence[str],
    notes: Sequence[str],
    now: float,
    remark: str,
    rooms: Rooms,
) -> str:
    lines = [
        f"**Case {case.id}** · {WHY[case.kind]}{' · **appeal**' if case.round > 1 else ''}",
        f"By <@{case.author_id}> in <#{case.channel_id}> <t:{int(commission.accepted_at)}:R>",
        f"> {echo(commission.request.prompt, rooms.prompt)}",
    ]
    if commission.request.negative:
        lines.append(f"> without: {echo(commission.request.negative, rooms.negative)}")
    lines += _seen(case, pictures, rooms)
    lines += _reported(case, reasons, rooms)
    if remark:
        lines.append(f"-# {remark}")
    counting = active(strikes, now)
    if strikes:
        lines.append(f"Warnings: {counting} active, {len(strikes)} in all")
    else:
        lines.append("Warnings: none so far")
    lines += _contested(case, rooms)
    if case.ruling is not None:
        lines.append(f"**Decided** by <@{case.ruled_by}>: {DONE[case.ruling]}{_because(case.reason, rooms)}")
    elif case.round == 1:
        lines.append("-# Warn and Time out also remove the picture. Approve shows it where it was asked for.")
    lines += [f"-# {echo(note, rooms.note)}" for note in notes[:2]]
    return "\n".join(lines)


def case_rows(case: Case) -> Rows:
    """The rulings that are possible now, as buttons."""
    faces = tuple(
        Face(CasePress(CaseDeed(ruling), case.id), LABELS[ruling], danger=ruling in DANGEROUS)
        for ruling in case.choices
    )
    return (faces,) if faces else ()


def told_text(case: Case, commission: Commission, *, banned: str, now: float) -> str:
    """What the member is told about a decision."""
    assert case.ruling is not None, "the case is decided"
    lines = [_TOLD[case.ruling].format(what=f"your picture “{echo(commission.request.prompt, WORDS)}”")]
    if case.ruling is Ruling.TIMEOUT and case.hours is not None:
        lines.append(f"A time-out of {case.hours:g} hours was asked for as well.")
    if case.reason:
        lines.append(f"The moderator's words: {echo(case.reason, WORDS)}")
    if banned:
        lines.append(banned)
    if case.appealable(now):
        lines.append("If you think that this is a mistake you can appeal once; somebody else will decide then.")
    return "\n".join(lines)


def told_rows(case: Case, now: float) -> Rows:
    """The button under what the member is told."""
    return ((Face(CasePress(CaseDeed.APPEAL, case.id), "Appeal"),),) if case.appealable(now) else ()


def decided_text(case: Case) -> str:
    """What a moderator is told who came second."""
    if case.ruling is None:
        return f"Case {case.id} has changed meanwhile; please use its newest message, or /review open."
    return f"<@{case.ruled_by}> has decided case {case.id} already: {DONE[case.ruling]}."


def line_text(case: Case) -> str:
    """A case as one line of a list."""
    place = ""
    if case.queue is not None:
        place = f" https://discord.com/channels/{case.guild_id or '@me'}/{case.queue[0]}/{case.queue[1]}"
    marks = " · appeal" if case.round > 1 else ""
    return f"- **{case.id}** {WHY[case.kind]}{marks}, by <@{case.author_id}> <t:{int(case.opened_at)}:R>{place}"


_TOLD = {
    Ruling.APPROVE: "A moderator let {what} through.",
    Ruling.SPOILER: "A moderator shows {what} behind a spoiler.",
    Ruling.DELETE: "A moderator looked at {what} and decided that it is not shown here.",
    Ruling.WARN: "A moderator looked at {what} and gave you a warning for it; it is not shown here.",
    Ruling.TIMEOUT: "A moderator looked at {what} and gave you a warning for it; it is not shown here.",
    Ruling.UPHOLD: "Another moderator looked at {what} again and keeps the decision.",
    Ruling.OVERTURN: "Another moderator looked at {what} again: you were right. The warning, if there was one, is gone,"
    " and the picture is shown if it is still kept; otherwise please paint it again.",
}


def _seen(case: Case, pictures: Sequence[StoredPicture], rooms: Rooms) -> list[str]:
    picture = next((picture for picture in pictures if picture.index == case.place), None)
    if picture is None:
        return []
    seen = f": {echo('; '.join(picture.seen), rooms.seen)}" if picture.seen else ""
    return [f"Picture {picture.index + 1}, level {picture.level.name.lower()}{seen}"]


def _reported(case: Case, reasons: Sequence[str], rooms: Rooms) -> list[str]:
    if case.kind is not Kind.REPORTED:
        return []
    people = "1 member" if case.reports == 1 else f"{case.reports} members"
    hidden = ", hidden for everybody until you decide" if case.hidden and case.open else ""
    return [f"Reported by {people}{hidden}", *(f"- {echo(reason, rooms.report)}" for reason in reasons[:SHOWN_REASONS])]


def _contested(case: Case, rooms: Rooms) -> list[str]:
    if case.contested is None:
        return []
    because = _because(case.reason if case.open else "", rooms)
    lines = [
        f"First decided by <@{case.contested_by}>: {DONE[case.contested]}{because}",
        f"Appeal: {echo(case.appeal, rooms.person)}",
    ]
    if case.open:
        lines.append("-# Whoever decided first cannot decide again: another moderator or the owner of the server does.")
    return lines


def _because(reason: str, rooms: Rooms) -> str:
    return f" ({echo(reason, rooms.person)})" if reason else ""
