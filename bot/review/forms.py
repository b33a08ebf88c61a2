"""The forms of moderators and of members who appeal."""

from __future__ import annotations

from collections.abc import Mapping

import discord

from bot.forms import REASON_LENGTH, Form
from bot.press import CaseDeed, CasePress
from generation.errors import BadRequest

USUAL_HOURS = 24.0
MOST_HOURS = 28 * 24.0  # Discord, "Modify Guild Member": a time-out ends within 28 days


def ruling_form(press: CasePress) -> Form:
    """Why somebody is warned or timed out, and for how long."""
    timeout = press.deed is CaseDeed.TIMEOUT
    form = Form("Time out" if timeout else "Warn", press)
    form.ask(
        "reason",
        "Why?",
        "Optional; the member reads it",
        style=discord.TextStyle.paragraph,
        required=False,
        max_length=REASON_LENGTH,
    )
    if timeout:
        form.ask("hours", "For how many hours?", f"Up to {MOST_HOURS:g}", default=f"{USUAL_HOURS:g}", max_length=10)
    return form


def appeal_form(press: CasePress) -> Form:
    """Why a decision was a mistake."""
    form = Form("Appeal", press)
    form.ask(
        "words",
        "Why should it be looked at again?",
        "Other moderators than the one who decided read this",
        style=discord.TextStyle.paragraph,
        max_length=REASON_LENGTH,
    )
    return form


def hours_of(values: Mapping[str, str]) -> float:
    """The hours of a time-out; raises BadRequest."""
    text = values.get("hours", "").strip().replace(",", ".")
    try:
        hours = float(text) if text else USUAL_HOURS
    except ValueError:
        hours = 0.0
    if not 0 < hours <= MOST_HOURS:
        raise BadRequest(f"A time-out takes more than 0 and at most {MOST_HOURS:g} hours.")
    return hours
