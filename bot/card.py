"""What a result looks like: its words, its files' alt texts and its buttons, from what is stored; sends nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from bot.echo import echo, fenced, plain
from bot.order import Action, Commission
from bot.press import Deed, Meaning, Press
from bot.store.pictures import GRID, StoredPicture
from generation.job import JobState
from generation.options import SAMPLERS
from generation.request import Request

MESSAGE_LENGTH = 2000  # characters; Discord, "Message"
ALT_LENGTH = 1024  # characters of an attachment's description
ROW = 5  # buttons side by side
UNCHECKED = "NOT CHECKED"  # how the name of the stand-in for a checker begins, see generation.safety.unchecked_local
ENDINGS = {"image/webp": "webp", "image/png": "png", "image/jpeg": "jpg"}


@dataclass(frozen=True, slots=True)
class Face:
    """One button as members see it."""

    press: Meaning
    label: str
    emoji: str | None = None
    danger: bool = False


Rows = tuple[tuple[Face, ...], ...]


def result_text(commission: Commission, pictures: Sequence[StoredPicture], *, mention: bool = True) -> str:
    """The words above a result: whose it is, what was asked, how it was made, and what is missing."""
    request = commission.request
    who = f"<@{commission.author_id}> " if mention else ""
    lines = [f"{who}**{echo(request.prompt)}**", *_notes(commission, pictures)]
    return "\n".join([*lines, f"-# {_quiet_recipe(commission)}"])


def single_text(commission: Commission, picture: StoredPicture) -> str:
    """The words above one picture taken out of a set."""
    single = commission.request.single(picture.index)
    lines = [f"**{echo(commission.request.prompt)}**", *_unchecked(commission, [picture])]
    facts = [
        f"Picture {picture.index + 1}",
        f"seed {_seed(single)}",
        f"{picture.width}×{picture.height}",
        "AI-generated",
    ]
    return "\n".join([*lines, f"-# {' · '.join(facts)}"])


def alt_text(commission: Commission, picture: StoredPicture) -> str:
    """What a screen reader says of a picture."""
    several = commission.request.count > 1
    what = (
        f"{commission.request.count} AI-generated pictures side by side"
        if picture.index == GRID
        else "AI-generated picture"
    )
    which = f" {picture.index + 1} of {commission.request.count}" if several and picture.index != GRID else ""
    return plain(f"{what}{which}: {commission.request.prompt}", ALT_LENGTH)


def file_name(commission: Commission, picture: StoredPicture, *, spoiler: bool = False) -> str:
    """A file name that says nothing but job and place; Discord hides a file whose name begins with SPOILER_."""
    hidden = "SPOILER_" if spoiler else ""
    place = "" if picture.index == GRID or commission.request.count == 1 else f"-{picture.index + 1}"
    return f"{hidden}atelier-{commission.id}{place}.{ENDINGS.get(picture.media_type, 'bin')}"


def result_rows(commission: Commission, pictures: Sequence[StoredPicture]) -> Rows:
    """The buttons under a result; withheld pictures have none."""
    shown = [picture.index for picture in pictures if picture.index != GRID and picture.sha256 is not None]
    job = commission.id
    if commission.request.count == 1:
        first = tuple(_vary(job, index) for index in shown)
        return (first + _making(job), _keeping(job))
    singles = tuple(Face(Press(Deed.SINGLE, job, index), f"U{index + 1}") for index in shown)
    varies = tuple(_vary(job, index) for index in shown)
    return (singles, varies, _making(job) + _keeping(job))


def single_rows(commission: Commission, index: int) -> Rows:
    """The buttons under one picture taken out of a set."""
    job = commission.id
    return ((_vary(job, index), *_making(job)), _keeping(job, index))


def ticket_rows(job_id: str) -> Rows:
    """The button under a ticket."""
    return ((Face(Press(Deed.CANCEL, job_id), "Cancel", danger=True),),)


def retry_rows(job_id: str) -> Rows:
    """The buttons under a notice of failure."""
    return ((Face(Press(Deed.AGAIN, job_id), "Try again", "🔁"), Face(Press(Deed.EDIT, job_id), "Edit", "✏️")),)


def notice_text(commission: Commission, *, mention: bool, quoting: bool = True) -> str:
    """What is said of a job that ended without a picture."""
    who = f"<@{commission.author_id}> " if mention else ""
    sentence = commission.reason or "That did not work."
    if commission.state is JobState.BLOCKED or not quoting:
        return f"{who}{echo(sentence, 600)}"  # what a filter stopped is not said again
    return f"{who}{echo(sentence, 600)}\n-# {echo(commission.request.prompt)}"


def recipe_text(commission: Commission, pictures: Sequence[StoredPicture]) -> str:
    """The whole recipe as a code block that fits one message; `recipe_json` has what did not fit."""
    lines = [f"{name}: {value}" for name, value in _facts(commission, pictures)]
    body = fenced("\n".join(lines))
    room = MESSAGE_LENGTH - 20
    return f"```\n{body if len(body) <= room else body[: room - 1].rstrip('`') + '…'}\n```"


def recipe_json(commission: Commission, pictures: Sequence[StoredPicture]) -> bytes:
    """The whole recipe for programs."""
    checked = {str(picture.index): list(picture.checked_by) for picture in pictures if picture.sha256 is not None}
    data = {"request": commission.request.to_json(), "made_with": commission.recipe, "checked_by": checked}
    return json.dumps(data, ensure_ascii=False, indent=1).encode()


def _vary(job: str, index: int) -> Face:
    return Face(Press(Deed.VARY, job, index), f"V{index + 1}")


def _making(job: str) -> tuple[Face, ...]:
    return (Face(Press(Deed.AGAIN, job), "Again", "🔁"), Face(Press(Deed.EDIT, job), "Edit", "✏️"))


def _keeping(job: str, index: int | None = None) -> tuple[Face, ...]:
    return (
        Face(Press(Deed.RECIPE, job, index), "Recipe", "📋"),
        Face(Press(Deed.DELETE, job, index), "Delete", "🗑️"),
        Face(Press(Deed.REPORT, job, index), "Report", "🚩"),
    )


def _quiet_recipe(commission: Commission) -> str:
    request = commission.request
    facts = [
        "AI-generated",
        echo(_model_name(request.model), 40),
        f"{request.width}×{request.height}",
        f"{request.steps} steps",
        SAMPLERS.get(request.sampler, request.sampler),
        f"guidance {request.guidance:g}",
        f"seed {_seed(request)}",
    ]
    if commission.seconds:
        facts.append(f"{commission.seconds:.1f} s")
    return " · ".join(facts)


def _notes(commission: Commission, pictures: Sequence[StoredPicture]) -> list[str]:
    notes = []
    if commission.action is Action.VARIATION and commission.parent_index is not None:
        notes.append(f"Variations of picture {commission.parent_index + 1}")
    if commission.action is Action.REPAINT and commission.parent_index is not None:
        notes.append(f"Picture {commission.parent_index + 1} of a set, painted again from its recipe")
    withheld = [picture for picture in pictures if picture.index != GRID and picture.sha256 is None]
    if withheld:
        reasons = {picture.withheld for picture in withheld if picture.withheld}
        reason = f" {echo(reasons.pop(), 300)}" if len(reasons) == 1 else ""
        verb = "is" if len(withheld) == 1 else "are"
        notes.append(f"{len(withheld)} of {commission.request.count} {verb} not shown.{reason}")
    return notes + _unchecked(commission, pictures)


def _unchecked(commission: Commission, pictures: Sequence[StoredPicture]) -> list[str]:
    names = {name for picture in pictures for name in picture.checked_by}
    if commission.request.image is None or not any(name.startswith(UNCHECKED) for name in names):
        return []
    return ["Painted from an upload that nothing checked; possible only on this machine's own Discord."]


def _model_name(model: str) -> str:
    return PurePath(model).name or model


def _seed(request: Request) -> str:
    moved = "+".join(str(variation.seed) for variation in request.variations)
    return f"{request.seed}+{moved}" if moved else str(request.seed)


def _facts(commission: Commission, pictures: Sequence[StoredPicture]) -> list[tuple[str, object]]:
    request = commission.request
    told = request.to_json()
    facts: list[tuple[str, object]] = [("prompt", request.prompt)]
    if request.negative:
        facts.append(("negative", request.negative))
    facts += [
        ("model", _model_name(request.model)),
        ("size", f"{request.width}×{request.height}"),
        ("steps", request.steps),
        ("sampler", SAMPLERS.get(request.sampler, request.sampler)),
        ("guidance", f"{request.guidance:g}"),
        ("seed", request.seed),
        ("pictures", request.count),
    ]
    facts += [("variation", f"seed {moved.seed}, strength {moved.strength:g}") for moved in request.variations]
    if request.image is not None:
        facts.append(("painted from", f"{request.image[:16]}…, strength {request.strength:g}"))
    known = {*told, "request", "checked_by", "rows"}  # said already, or below, or of no use to members
    facts += [(name.replace("_", " "), value) for name, value in sorted(commission.recipe.items()) if name not in known]
    checkers = sorted({name for picture in pictures for name in picture.checked_by})
    return [*facts, ("checked by", ", ".join(checkers) or "nothing")]
