"""A case: one picture, or one result, that moderators have to decide about; pure values and the rules of the game."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

WHOLE = -1  # place of a case that is about everything a job has shown
APPEAL_WITHIN = 30 * 86_400.0  # seconds after a ruling


class Kind(StrEnum):
    """Why a case was opened."""

    WITHHELD = "withheld"  # a checker saw something
    REVIEW = "review"  # a filter rule asked for a look before anything is shown
    REPORTED = "reported"  # members reported what they saw


class Ruling(StrEnum):
    """How a case can end; the last two are for appeals."""

    APPROVE = "approve"
    SPOILER = "spoiler"
    DELETE = "delete"
    WARN = "warn"
    TIMEOUT = "timeout"
    UPHOLD = "uphold"
    OVERTURN = "overturn"


class Task(StrEnum):
    """What still has to be done in Discord or on disk after something was committed; each may be done twice."""

    QUEUE = "queue"  # post the case where moderators look
    REFRESH = "refresh"  # change that message: decided, or reported once more
    HIDE = "hide"  # take a reported picture out of its messages until a moderator has looked
    RESTORE = "restore"  # put it back
    SHOW = "show"  # post a picture that was kept back, or removed
    DISCARD = "discard"  # forget the bytes that were kept back
    REMOVE = "remove"  # delete every message of the job
    TIMEOUT = "timeout"  # ask Discord to time the member out
    RELEASE = "release"  # ask Discord to end the time-out
    TELL = "tell"  # tell the member


FIRST_ROUND = (Ruling.APPROVE, Ruling.SPOILER, Ruling.DELETE, Ruling.WARN, Ruling.TIMEOUT)
SECOND_ROUND = (Ruling.UPHOLD, Ruling.OVERTURN)
AGAINST = frozenset({Ruling.DELETE, Ruling.WARN, Ruling.TIMEOUT})  # against the member, who may appeal
STRIKING = frozenset({Ruling.WARN, Ruling.TIMEOUT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case as it stands."""

    id: int
    kind: Kind
    job_id: str
    place: int  # index of the picture; WHOLE for everything the job has shown
    guild_id: int | None
    channel_id: int  # where the picture was asked for
    author_id: int
    opened_at: float  # epoch seconds
    round: int = 1  # 2 once it was appealed
    hidden: bool = False  # removed for everybody until a moderator has looked
    reports: int = 0  # different members who reported it
    queue: tuple[int, int] | None = None  # channel and message id of its message in the queue
    ruling: Ruling | None = None  # None while it is open
    ruled_by: int | None = None
    ruled_at: float | None = None
    reason: str = ""  # the moderator's words
    hours: float | None = None  # of a time-out
    appeal: str = ""  # the member's words
    contested: Ruling | None = None  # the ruling that was appealed
    contested_by: int | None = None  # who made it, and may not decide again

    @property
    def open(self) -> bool:
        """Whether it still waits for a moderator."""
        return self.ruling is None

    @property
    def choices(self) -> tuple[Ruling, ...]:
        """The rulings that are possible now."""
        if not self.open:
            return ()
        return SECOND_ROUND if self.round > 1 else FIRST_ROUND

    def appealable(self, now: float) -> bool:
        """Whether its member may appeal at `now` (epoch seconds): once, against what went against them, in time."""
        ruled_at = self.ruled_at
        return self.round == 1 and self.ruling in AGAINST and ruled_at is not None and now - ruled_at < APPEAL_WITHIN


def tasks_after(case: Case, ruling: Ruling) -> tuple[Task, ...]:
    """What a ruling entails, in order; the queue's message and the member are last."""
    kept = case.kind is not Kind.REPORTED  # never shown so far
    deeds: tuple[Task, ...]
    match ruling:
        case Ruling.APPROVE:
            deeds = (Task.SHOW,) if kept else (Task.RESTORE,) if case.hidden else ()
        case Ruling.SPOILER:
            deeds = (Task.SHOW,) if kept else (Task.RESTORE,)
        case Ruling.DELETE:
            deeds = (Task.DISCARD,) if kept else (Task.REMOVE,)
        case Ruling.WARN:
            deeds = () if kept else (Task.REMOVE,)
        case Ruling.TIMEOUT:
            deeds = (Task.TIMEOUT,) if kept else (Task.REMOVE, Task.TIMEOUT)
        case Ruling.UPHOLD:
            deeds = (Task.DISCARD,)
        case Ruling.OVERTURN:
            timed_out = case.contested is Ruling.TIMEOUT
            deeds = (Task.SHOW, Task.RELEASE) if timed_out else (Task.SHOW,)
    told = (Task.TELL,) if ruling in AGAINST or ruling in SECOND_ROUND else ()
    return (*deeds, *told, Task.REFRESH)
