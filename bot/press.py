"""What a button stands for: an action on a job, written into the button itself so that it works for ever."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, Self

PREFIX = "at:"
CASE_SHAPE = re.compile(r"at:case:(?P<deed>[a-z]{1,10}):(?P<case>[0-9]{1,15})")
SHAPE = re.compile(r"at:(?P<deed>[a-z]{1,10}):(?P<job>[a-z0-9]{16})(?::(?P<index>[0-3]))?")


class Deed(StrEnum):
    """What pressing does."""

    SINGLE = "u"
    ALONE = "alone"  # the same, to whoever presses alone; under a message that others see too
    VARY = "v"
    AGAIN = "again"
    EDIT = "edit"
    RECIPE = "recipe"
    DELETE = "delete"
    REPORT = "report"
    CANCEL = "cancel"
    AGREE = "agree"  # to a model's rules; stands on no card, and its id is that of the request that waits
    FORGET = "forget"  # delete a person's data; the id is made from theirs
    VANISH = "vanish"  # the same, and the messages with their results


@dataclass(frozen=True, slots=True)
class Press:
    """One button: its deed, the job it belongs to, and the picture when it means one of several."""

    deed: Deed
    job_id: str
    index: int | None = None

    @property
    def custom_id(self) -> str:
        """At most 100 characters, Discord's limit."""
        tail = "" if self.index is None else f":{self.index}"
        return f"{PREFIX}{self.deed}:{self.job_id}{tail}"

    @classmethod
    def read(cls, custom_id: str) -> Self | None:
        """The press behind a custom_id; None for anything we did not write."""
        match = SHAPE.fullmatch(custom_id)
        deed = _DEEDS.get(match["deed"]) if match is not None else None
        if match is None or deed is None:
            return None
        return cls(deed, match["job"], None if match["index"] is None else int(match["index"]))


class CaseDeed(StrEnum):
    """What pressing a button of a case does; the first seven are rulings."""

    APPROVE = "approve"
    SPOILER = "spoiler"
    DELETE = "delete"
    WARN = "warn"
    TIMEOUT = "timeout"
    UPHOLD = "uphold"
    OVERTURN = "overturn"
    APPEAL = "appeal"
    DETAILS = "details"


@dataclass(frozen=True, slots=True)
class CasePress:
    """A button of a case that moderators decide about."""

    deed: CaseDeed
    case_id: int

    @property
    def custom_id(self) -> str:
        """At most 100 characters, Discord's limit."""
        return f"{PREFIX}case:{self.deed}:{self.case_id}"

    @classmethod
    def read(cls, custom_id: str) -> Self | None:
        """The press behind a custom_id; None for anything else."""
        match = CASE_SHAPE.fullmatch(custom_id)
        deed = _CASE_DEEDS.get(match["deed"]) if match is not None else None
        return cls(deed, int(match["case"])) if match is not None and deed is not None else None


class Meaning(Protocol):
    """Whatever a button or a form can stand for."""

    @property
    def custom_id(self) -> str:
        """The meaning, as the button carries it."""
        ...


_CASE_DEEDS = {deed.value: deed for deed in CaseDeed}
_DEEDS = {deed.value: deed for deed in Deed}
