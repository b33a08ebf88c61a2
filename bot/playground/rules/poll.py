"""Polls: their limits, and the form they are kept in."""

from __future__ import annotations

from bot.playground.documents import Json
from bot.playground.rules.controls import read_emoji
from bot.playground.rules.form import Form

MOST_HOURS = 32 * 24


def read_poll(form: Form) -> Json | None:
    """The poll of a message, if there is one; `hours` is how long it runs."""
    inner = form.form("poll")
    if inner is None:
        return None
    question = inner.form("question", required=True)
    text = None if question is None else question.text("text", 300, least=1, required=True)
    answers = []
    for number, each in enumerate(inner.forms("answers", 10, least=1, required=True), 1):
        media = each.form("poll_media", required=True)
        if media is not None:
            answer: Json = {"text": media.text("text", 55, least=1, required=True)}
            emoji = read_emoji(media)
            shown = {} if emoji is None else {"emoji": {"id": None, **emoji}}
            answers.append({"answer_id": number, "poll_media": {**answer, **shown}})
    return {
        "question": {"text": text},
        "answers": answers,
        "allow_multiselect": inner.flag("allow_multiselect"),
        "layout_type": inner.choice("layout_type", (1,), required=False) or 1,
        "hours": inner.number("duration", 1, MOST_HOURS) or 24,
    }
