"""The words of a ticket: place in line, honest estimate, and how far the painting has come."""

from __future__ import annotations

from bot.echo import echo
from bot.order import Commission, Standing
from generation.job import JobState, Progress

BAR = 12  # cells
DOING = 120  # letters of what the engine says it is doing


def waiting_text(commission: Commission, standing: Standing) -> str:
    """What a ticket says before the first step."""
    if standing.state is JobState.RUNNING:
        place = "Painting begins"
    elif standing.ahead == 0:
        place = "Next in the line"
    else:
        place = f"Number {standing.ahead + 1} in the line"
    words = f"\n{standing.words}" if standing.words else ""
    return f"🎨 **{echo(commission.request.prompt)}**\n{place}{estimate(standing.seconds)}{words}"


def painting_text(commission: Commission, progress: Progress) -> str:
    """What a ticket says while the picture is painted."""
    if progress.doing and not progress.step:
        return f"🎨 **{echo(commission.request.prompt)}**\n{echo(progress.doing, DOING).capitalize()} …"
    return f"🎨 **{echo(commission.request.prompt)}**\n{bar(progress)} step {progress.step} of {progress.steps}"


def farewell_text(commission: Commission) -> str:
    """What a ticket says when it can no longer be changed but the job goes on."""
    return (
        f"🎨 **{echo(commission.request.prompt)}**\n"
        "Still in the line. This note cannot follow it any longer; the picture will be posted as soon as it is done."
    )


def bar(progress: Progress) -> str:
    """The share that is done, as a row of cells."""
    done = round(BAR * progress.step / max(1, progress.steps))
    return "▰" * done + "▱" * (BAR - done)


def estimate(seconds: float | None) -> str:
    """“ · about 20 s”, rounded to what can be known; nothing while nothing was measured."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f" · about {max(1, round(seconds))} s"
    if seconds < 3600:
        return f" · about {round(seconds / 60)} min"
    return f" · about {seconds / 3600:.1f} h"
