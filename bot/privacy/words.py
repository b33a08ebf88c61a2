"""What members and owners are told of their data: made from the register and the settings, so that it stays true."""

from __future__ import annotations

import math
from collections.abc import Mapping

from bot.press import Deed, Press
from bot.privacy.erasure import Forgotten
from bot.privacy.export import Export
from bot.sections import Privacy
from bot.store.register import FAREWELLS, LOGS, TOLD, Kind
from bot.store.rows import ALPHABET

ID_DIGITS = 16  # of a button's id


def show_text(privacy: Privacy, counts: Mapping[Kind, int]) -> str:
    """What is kept about a person here, by kind, and for how long."""
    lines = ["**What is kept about you here**"]
    for kind in TOLD:
        if kind is LOGS:
            continue
        many = f" ({counts[kind]:,} now)" if counts.get(kind) else " (none now)" if kind in counts else ""
        lines.append(f"- {kind.title}{many}: {how_long(kind, privacy)}")
    lines += [
        f"- {LOGS.title}: {how_long(LOGS, privacy)}",
        "-# Discord has the messages themselves. Your prompts are never in the log; moderators see what is reported.",
        "**/privacy export** gives you all of it, **/privacy delete** deletes it.",
    ]
    return "\n".join(lines)


def how_long(kind: Kind, privacy: Privacy) -> str:
    """For example “7 days after the request ended”."""
    seconds = kind.seconds(privacy)
    return kind.endless or kind.until if seconds is None else f"{_span(seconds)} {kind.until}"


def table(privacy: Privacy) -> str:
    """The same as a table for TRUST.md."""
    lines = ["| What | How long | When its person deletes their data, it … |", "|---|---|---|"]
    for kind in (*TOLD, FAREWELLS):
        title = kind.title[0].upper() + kind.title[1:]
        lines.append(f"| {title} | {how_long(kind, privacy)} | {kind.fate} |")
    return "\n".join(lines)


def export_text(export: Export) -> str:
    """What is in the file that goes with these words."""
    pictures = "1 picture" if export.pictures == 1 else f"{export.pictures:,} pictures"
    lines = [f"Here is what is kept about you: all of it as JSON, and {pictures}."]
    if export.rows_left:
        lines.append(f"{export.rows_left:,} older entries had no room in a file of the size that Discord takes here.")
    if export.pictures_left:
        lines.append(
            f"{export.pictures_left:,} older pictures had no room in a file of the size that Discord takes here; "
            "they are in the messages where they were shown."
        )
    return "\n".join(lines)


def delete_text(privacy: Privacy, waiting: int) -> str:
    """What deleting does, before it is done."""
    line = f" {waiting} of your requests are under way and will be cancelled." if waiting else ""
    return "\n".join(
        [
            f"**Delete everything that is kept about you, in every server and in direct messages?**{line}",
            "- Your requests with words, settings and picture files go; the buttons under your pictures stop working.",
            "- Pictures that moderators are looking at are deleted, with their requests, once they have decided.",
            "- What you have reported stays for the moderators, without your name and your words.",
            f"- What you have spent of your allowance stays {_span(privacy.quota_hours * 3600)}, without your name.",
            "- Rules and settings you made for a server as a moderator stay, without your name.",
            "- Backups of the database lose it in time too, after 30 days at most.",
            "- The messages are Discord's. The second button also deletes those that show your pictures, one after "
            "another, where the bot still may; those that only you see are yours to dismiss, and what others made from "
            "your pictures is theirs.",
            "This cannot be undone.",
        ]
    )


def deleted_text(forgotten: Forgotten) -> str:
    """What was deleted."""
    requests = "1 request" if forgotten.requests == 1 else f"{forgotten.requests:,} requests"
    lines = [f"Done: {requests} deleted. Files that are a few minutes old follow within two hours."]
    if forgotten.undecided:
        those = (
            "1 request whose picture moderators are looking at is"
            if forgotten.undecided == 1
            else f"{forgotten.undecided:,} requests whose pictures moderators are looking at are"
        )
        lines.append(f"{those} deleted once they have decided.")
    if forgotten.messages:
        minutes = math.ceil(forgotten.messages * 1.2 / 60)
        told = "1 message is" if forgotten.messages == 1 else f"{forgotten.messages:,} messages are"
        lines.append(f"{told} being deleted in Discord, which takes about {minutes} min.")
    return "\n".join(lines)


def forget_press(deed: Deed, member_id: int) -> Press:
    """The button by which this person, and nobody else, has their data deleted."""
    digits = (ALPHABET[member_id >> shift & 31] for shift in range((ID_DIGITS - 1) * 5, -5, -5))
    return Press(deed, "".join(digits))


def _span(seconds: float) -> str:
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 2 * size or seconds == size:
            number = round(seconds / size)
            return f"{number} {name}" if number == 1 else f"{number} {name}s"
    return "0 days"
