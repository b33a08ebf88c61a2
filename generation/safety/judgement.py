"""What the checkers' words on one picture come to; pure, and the only place that decides."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from generation.errors import NotApproved
from generation.job import Job
from generation.safety.checker import Verdict
from generation.safety.level import Level

log = logging.getLogger(__name__)

NO_CHECKER = "No safety checker is set up that could judge this picture, so it is not shown."
COULD_NOT_CHECK = "The safety check could not be done, so the picture is not shown."
LOOKED_AT_FIRST = "A moderator looks at this picture before it is shown."


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a picture may be shown, and what becomes of it when not."""

    withheld: str  # the sentence for the member; empty: it may be shown
    level: Level = Level.NEUTRAL
    sound: bool = True  # False: nobody could judge it
    holdable: bool = False  # withheld, but a moderator may let it through
    seen: tuple[str, ...] = ()  # the checkers' reasons


def judge(verdicts: Sequence[Verdict | None], job: Job) -> Judgement:
    """Judge one picture of `job` by one verdict of every checker; None stands for a check that failed."""
    if not verdicts:
        return Judgement(NO_CHECKER, sound=False)
    sound = [verdict for verdict in verdicts if verdict is not None and verdict.sound]
    if len(sound) != len(verdicts):
        return Judgement(COULD_NOT_CHECK, sound=False)
    level = max(verdict.level for verdict in sound)
    seen = tuple(verdict.reason for verdict in sound if verdict.level > Level.NEUTRAL and verdict.reason)
    if level > Level.NEUTRAL:
        log.info("seen at level %s: %s", level.name.lower(), "; ".join(seen))
    if is_absolute(level, job):
        return Judgement(NotApproved().sentence, level, seen=seen)
    if level > job.clearance:
        return Judgement(NotApproved().sentence, level, holdable=True, seen=seen)
    if job.review:
        return Judgement(LOOKED_AT_FIRST, level, holdable=True, seen=seen)
    return Judgement("", level, seen=seen)


def is_absolute(level: Level, job: Job) -> bool:
    """Whether nobody, moderators and owner included, may let a picture of this level through.

    Where the words hint at minors, anything beyond neutral; where a real photograph may have been the start, anything
    explicit.
    """
    return (job.strict and level > Level.NEUTRAL) or (job.request.image is not None and level >= Level.MEDIUM)
