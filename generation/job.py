"""An admitted request on its way to becoming a result, and what comes back from painting it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from generation.errors import BrokenPicture
from generation.request import Request
from generation.safety.level import Level

if TYPE_CHECKING:
    from generation.safety.approved import Approved
    from generation.safety.held import Held


class JobState(StrEnum):
    """The life of a job; the last four are ends."""

    ACCEPTED = "accepted"
    RUNNING = "running"
    RENDERED = "rendered"
    POSTED = "posted"
    FAILED = "failed"
    CANCELLED = "cancelled"
    BLOCKED = "blocked"


ENDED = frozenset({JobState.POSTED, JobState.FAILED, JobState.CANCELLED, JobState.BLOCKED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A request that was accepted: it will end in exactly one visible outcome."""

    id: str  # 16 characters, ordered by time
    request: Request
    attempt: int = 1  # raised at every claim; also the fencing token of that claim
    crashes: int = 0  # how often a painting process has died or hung while it was worked at
    image: bytes | None = field(default=None, repr=False)  # the uploaded picture, already made safe, for image-to-image
    clearance: Level = Level.NEUTRAL  # pictures up to this level may be shown where it was asked for
    strict: bool = False  # the words hint at minors: anything above NEUTRAL is kept from everybody
    review: bool = False  # a rule asks for a moderator's look before anything is shown
    embed_prompt: bool = False  # its author wants the prompt inside the file


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a job's painting has come."""

    step: int
    steps: int
    preview: bytes | None = field(
        default=None, repr=False
    )  # a small JPEG of at most 32 × 32 source pixels a picture, which passed the gate
    doing: str = ""  # what goes on before the first step, e.g. that the model is being loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One finished place of a result: an approved file, or the reason why there is none."""

    index: int
    approved: Approved | None
    withheld: str = ""  # a sentence for the member when there is no approved file
    level: Level = Level.NEUTRAL  # the most that any checker saw in it
    held: Held | None = None  # a withheld picture that moderators may still let through
    evidence: Approved | None = None  # its blurred likeness, which passed the gate by itself

    @property
    def broken(self) -> bool:
        """Whether it came out as no picture at all, which is nobody's fault but ours."""
        return self.approved is None and self.withheld == BrokenPicture().sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """All pictures of a job, in order, and what made them."""

    job_id: str
    pictures: tuple[Picture, ...]
    grid: Approved | None  # the approved pictures side by side, when there are several
    recipe: Mapping[str, object]  # everything needed to paint them again: model hash, versions, dtype, …
    seconds: float  # painting time, without waiting
