"""What a checker of pictures is, and what it may say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from generation.request import Request
from generation.safety.level import Level


@dataclass(frozen=True, slots=True)
class Verdict:
    """One checker's word on one picture."""

    level: Level  # how much it saw; what may be shown at which level is not the checker's business
    scores: tuple[float, ...] = ()  # what the word rests on; one that is not finite makes the verdict worthless
    reason: str = ""  # for moderators and the log, e.g. "nsfw 0.93"

    @property
    def sound(self) -> bool:
        """Whether the check itself worked."""
        level: object = self.level  # checkers may be anybody's: types are not trusted here
        return isinstance(level, Level) and all(math.isfinite(score) for score in self.scores)


class Checker(Protocol):
    """Looks at finished pictures; whatever it raises counts as no approval."""

    @property
    def name(self) -> str:
        """Shown to members as what was checked by what."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever its verdicts may."""
        ...

    @property
    def coverage(self) -> str:
        """What it looks for and what it does not, one sentence for moderators."""
        ...

    def covers(self, request: Request) -> bool:
        """Whether it can judge pictures of this request at all."""
        ...

    def check(self, images: Sequence[Image.Image], *, request: Request) -> Sequence[Verdict]:
        """One verdict per image, in order."""
        ...
