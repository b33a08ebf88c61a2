"""Reading how long a member is timed out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.playground.documents import Problems
from bot.playground.rules.form import Form

LONGEST = 28 * 86_400.0  # seconds; Discord, "Modify Guild Member"
FIELD = "communication_disabled_until"


def read_timeout(document: Any, *, now: float) -> float | None:
    """The end in epoch seconds; None ends a time-out. Raises `ApiError` 50035."""
    problems = Problems()
    form = Form(document, problems)
    text = form.text(FIELD, 64)
    until = None
    if text is not None:
        until = _moment(text)
        if until is None:
            form.refuse("DATE_TIME_TYPE_PARSE", f"Could not parse {text[:40]}. Should be ISO8601.", FIELD)
        elif until - now > LONGEST:
            message = "Timeout duration must be within 28 days."
            form.refuse("INVALID_COMMUNICATION_DISABLED_TIMESTAMP", message, FIELD)
    problems.raise_if_any()
    return until


def _moment(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo is not None else None
