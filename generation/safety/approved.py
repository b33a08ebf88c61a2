"""The proof that a picture passed the gate, bound to the very bytes that may be shown."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Self, final

from generation.errors import NotApproved
from generation.provenance.mark import UNMARKED, Mark
from generation.safety.held import Held
from generation.safety.level import Level


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """An encoded picture file that the gate approved. Posting code accepts nothing else.

    Only the gate calls `of`; the store makes one from what it kept, which proves that the bytes are still the approved
    ones; the recoder asks one for itself in another file.
    """

    data: bytes = field(repr=False)
    sha256: str
    media_type: str  # e.g. "image/webp"
    width: int  # pixels
    height: int
    checked_by: tuple[str, ...]  # names and versions of the checkers that approved it
    level: Level = Level.NEUTRAL  # the most that any of them saw; above NEUTRAL only where the place allows it
    mark: Mark = UNMARKED  # what it can be recognised by later; not kept with the file

    def __post_init__(self) -> None:
        if not self.checked_by:
            raise NotApproved("A picture without a checker cannot be approved.")
        if hashlib.sha256(self.data).hexdigest() != self.sha256:
            raise NotApproved("The picture's bytes are not those that were approved.")

    @classmethod
    def of(
        cls,
        data: bytes,
        *,
        media_type: str,
        width: int,
        height: int,
        checked_by: tuple[str, ...],
        level: Level = Level.NEUTRAL,
        mark: Mark = UNMARKED,
    ) -> Self:
        """Bind the gate's approval to `data`; to be called by the gate alone."""
        return cls(
            data=data,
            sha256=hashlib.sha256(data).hexdigest(),
            media_type=media_type,
            width=width,
            height=height,
            checked_by=checked_by,
            level=level,
            mark=mark,
        )

    @classmethod
    def reviewed(cls, held: Held, *, by: str) -> Self:
        """What a moderator let through after the checkers had kept it; `by` says who and in which case.

        From here on their word counts, and no longer the level that the checkers saw.
        """
        return cls.of(
            held.data,
            media_type=held.media_type,
            width=held.width,
            height=held.height,
            checked_by=(*held.checked_by, by),
            mark=held.mark,
        )

    def recoded(self, data: bytes, *, media_type: str, width: int, height: int, mark: Mark) -> Self:
        """This very picture in another file; to be called by the recoder alone, which made `data` from these bytes."""
        return replace(
            self,
            data=data,
            sha256=hashlib.sha256(data).hexdigest(),
            media_type=media_type,
            width=width,
            height=height,
            mark=mark,
        )
