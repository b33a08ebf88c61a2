"""How a guild wants its reviews: where moderators look, when reports hide a picture, what warnings add up to."""

from __future__ import annotations

from dataclasses import dataclass

MOST_PEOPLE = 100  # reports, or warnings, that a step can wait for
MOST_DAYS = 3650  # of a warning
MOST_HOURS = 8760  # of a pause


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRules:
    """The settings of one guild; 0 switches a step off."""

    channel: int | None = None  # where the queue is shown
    reviewers: int | None = None  # role whose members decide cases beside moderators
    report_threshold: int = 2  # different members whose reports remove a picture at once until it was looked at
    strike_days: float = 30.0  # days after which a warning counts no longer
    pause_at: int = 3  # active warnings from which a new one pauses painting
    pause_hours: float = 24.0
    ban_at: int = 5  # active warnings from which painting stops until a moderator lifts it


def rules_text(rules: ReviewRules) -> str:
    """The settings as moderators read them."""
    hides = f"{rules.report_threshold} different reports remove a picture until a moderator has looked"
    pauses = f"{rules.pause_at} active warnings pause painting for {rules.pause_hours:g} hours"
    bans = f"{rules.ban_at} active warnings end painting until a moderator lifts it"
    lines = [
        "Moderators decide cases" + (f", and members with <@&{rules.reviewers}>" if rules.reviewers else ""),
        hides if rules.report_threshold else "Reports never remove a picture by themselves",
        f"Warnings expire after {rules.strike_days:g} days",
        pauses if rules.pause_at else "Warnings pause nobody",
        bans if rules.ban_at else "Warnings ban nobody",
    ]
    return "\n".join(f"- {line}." for line in lines)
