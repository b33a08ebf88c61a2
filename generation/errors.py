"""Every error of Atelier in one tree; a class docstring is the sentence a member may be shown.

AtelierError
├── ConfigError              the owner's settings cannot work (exit code 78)
├── Refusal                  the member can do something about it; nothing was charged
│   ├── BadRequest           a value out of range, an unreadable picture
│   ├── Blocked              a filter rule matched
│   ├── NotAllowed           the person may not do this
│   ├── LineFull             the whole line, or the member's share of it, is full
│   ├── NotNow               possible at another time; says when
│   │   ├── OutOfCredits     an allowance or a budget is spent
│   │   └── CoolingDown      the person pauses after many refused prompts
│   ├── UploadsRefused       no checker is there to look at uploaded pictures
│   └── TermsNeeded          the model's licence asks for the person's word first
└── PaintingError            it was not painted; what was not is given back
    ├── ModelUnavailable     weights missing, broken or of an unknown kind
    │   ├── ModelDelayed     what is in the way may pass: a full disk, a busy device, no net
│   └── NoRoom           only models in use are in the way
    ├── OutOfMemory          the device is too small for this request
    ├── BrokenPicture        not-a-number or empty output
    ├── NotApproved          the safety gate did not approve the picture
    ├── Cancelled            the member, or a shutdown, stopped it
    └── WorkerLost           the engine process died or hung
"""

from __future__ import annotations

import inspect
import re
from enum import Enum


class AtelierError(Exception):
    """Something went wrong."""

    def __init__(self, sentence: str | None = None) -> None:
        self.sentence = sentence or inspect.cleandoc(type(self).__doc__ or "").partition("\n")[0]
        super().__init__(self.sentence)


class ConfigError(AtelierError):
    """The configuration cannot work."""


class Refusal(AtelierError):
    """That cannot be done as asked."""

    @property
    def reason(self) -> str:
        """Its kind in figures, e.g. “out_of_credits”."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()


class BadRequest(Refusal):
    """Something in the request is out of range."""


class Blocked(Refusal):
    """This server's filter does not allow that prompt."""

    def __init__(self, sentence: str | None = None, *, punishable: bool = True) -> None:
        super().__init__(sentence)
        self.punishable = punishable  # whether it may count against the member, as probing the filter or as a strike


class NotAllowed(Refusal):
    """You may not do that."""


class LineFull(Refusal):
    """The line is full right now; please try again in a few minutes."""


class NotNow(Refusal):
    """That is not possible right now."""

    def __init__(self, sentence: str | None = None, *, retry_at: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_at = retry_at  # epoch seconds at which the same request is possible; None: never as it stands


class OutOfCredits(NotNow):
    """You have used up your pictures for now."""


class CoolingDown(NotNow):
    """Painting takes a short break for you."""


class UploadsRefused(Refusal):
    """Uploaded pictures are not accepted here: no safety checker is configured that could look at them."""


class TermsNeeded(Refusal):
    """This model's licence has rules that you have to agree to first."""

    def __init__(self, sentence: str, *, pending: str) -> None:
        super().__init__(sentence)
        self.pending = pending  # under which the request waits for the person's word


class PaintingError(AtelierError):
    """The picture could not be painted; nothing was charged."""


class ModelUnavailable(PaintingError):
    """The model cannot be used right now; the owner has been told in the log."""


class ModelDelayed(ModelUnavailable):
    """The model cannot be loaded just now."""


class NoRoom(ModelUnavailable):
    """There is no room for this model beside those in use."""


class OutOfMemory(PaintingError):
    """This picture is too large for the machine; please try a smaller one or fewer at once."""


class BrokenPicture(PaintingError):
    """The model produced a broken picture; please try another seed."""


class NotApproved(PaintingError):
    """The safety check did not approve the picture, so it is not shown."""

    def __init__(self, sentence: str | None = None, *, checker: str = "", flagged: bool = False) -> None:
        super().__init__(sentence)
        self.checker = checker
        self.flagged = flagged  # True: a checker saw something; False: the check itself could not be done


class Cancelled(PaintingError):
    """Cancelled."""


class Blame(Enum):
    """How much a job had to do with the end of its painting process."""

    NONE = 0  # it was aboard, but was not being worked at
    SHARED = 1  # one of several that were being worked at
    ALONE = 2  # the only one


class WorkerLost(PaintingError):
    """The painting process stopped unexpectedly."""

    def __init__(self, sentence: str | None = None, *, blame: Blame = Blame.SHARED, hung: bool = False) -> None:
        super().__init__(sentence)
        self.blame = blame
        self.hung = hung  # it did not die: it said nothing for so long that it was ended
