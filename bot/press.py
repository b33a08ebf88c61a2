"""What a button stands for: an action on a job, written into the button itself so that it works for ever."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

PREFIX = "at:"
SHAPE = re.compile(r"at:(?P<deed>[a-z]{1,10}):(?P<job>[a-z0-9]{16})(?::(?P<index>[0-3]))?")


class Deed(StrEnum):
    """What pressing does."""

    SINGLE = "u"
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


_DEEDS = {deed.value: deed for deed in Deed}
