"""The audit log as people and programs read it: deeds in plain words, and the files of an export."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from bot.review.case import Ruling
from bot.store.audit import THE_BOT, Act, Entry

FIELDS: Final = ("at", "action", "actor_id", "member_id", "case_id", "reason")
DEEDS: Final[dict[str, str]] = {
    Act.OPENED: "opened a case",
    Act.REPORTED: "reported a picture",
    Act.HIDDEN: "hid a reported picture",
    Act.APPEALED: "appealed",
    Act.WARNED: "warned",
    Act.CLEARED: "took warnings back",
    Act.PAUSED: "paused painting",
    Act.BANNED: "ended painting",
    Act.UNBANNED: "let paint again",
    Act.SETTINGS: "changed the review settings",
    Act.POLICY: "changed the policy",
    Act.RULE_ADDED: "added to the filter",
    Act.RULE_REMOVED: "removed from the filter",
    Act.EXEMPTED: "freed from the filter",
    Act.BOUND: "bound to the filter again",
    Act.ARTIST_ADDED: "put an artist on the list",
    Act.ARTIST_REMOVED: "took an artist from the list",
    Act.ARTIST_ACCEPTED: "accepted an artist's request",
    Act.ARTIST_DECLINED: "declined an artist's request",
    Act.CANCELLED: "cancelled a request",
    Act.HOUSE_PAUSED: "paused the painting for everybody",
    Act.HOUSE_RESUMED: "let the painting go on for everybody",
    Act.NOTICE: "changed the notice",
    Ruling.APPROVE: "approved a picture",
    Ruling.SPOILER: "put a picture behind a spoiler",
    Ruling.DELETE: "deleted a picture",
    Ruling.WARN: "warned, and removed a picture",
    Ruling.TIMEOUT: "timed out, and removed a picture",
    Ruling.UPHOLD: "kept a decision after an appeal",
    Ruling.OVERTURN: "granted an appeal",
}


def deed(action: str) -> str:
    """An action of the log in plain words."""
    return DEEDS.get(action, action)


def as_json(entries: Sequence[Entry]) -> bytes:
    """Entries for programs; ids as text, because they do not fit every program's numbers."""
    return json.dumps([_told(entry) for entry in entries], ensure_ascii=False, indent=1).encode()


def as_csv(entries: Sequence[Entry]) -> bytes:
    """Entries as a table; a reason that a spreadsheet would take for a formula stays words."""
    text = io.StringIO()
    table = csv.DictWriter(text, FIELDS, lineterminator="\r\n")
    table.writeheader()
    for entry in entries:
        told = _told(entry)
        if entry.reason.lstrip().startswith(("=", "+", "-", "@")):
            told["reason"] = f"'{entry.reason}"
        table.writerow(told)
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _told(entry: Entry) -> dict[str, object]:
    return {
        "at": datetime.fromtimestamp(entry.at, UTC).isoformat(timespec="seconds"),
        "action": str(entry.action),
        "actor_id": "bot" if entry.actor_id == THE_BOT else str(entry.actor_id),
        "member_id": str(entry.member_id) if entry.member_id is not None else "",
        "case_id": entry.case_id if entry.case_id is not None else "",
        "reason": entry.reason,
    }
