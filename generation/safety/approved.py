"""The proof that a picture passed the gate, bound to the very bytes that may be shown."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Self, final

from generation.errors import NotApproved


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """An encoded picture file that the gate approved. Posting code accepts nothing else.

    Only the gate calls `of`; the store calls `reread`, which proves that the bytes are still the approved ones.
    """

    data: bytes = field(repr=False)
    sha256: str
    media_type: str  # e.g. "image/webp"
    width: int  # pixels
    height: int
    checked_by: tuple[str, ...]  # names and versions of the checkers that approved it

    def __post_init__(self) -> None:
        if not self.checked_by:
            raise NotApproved("A picture without a checker cannot be approved.")
        if hashlib.sha256(self.data).hexdigest() != self.sha256:
            raise NotApproved("The picture's bytes are not those that were approved.")

    @classmethod
    def of(cls, data: bytes, *, media_type: str, width: int, height: int, checked_by: tuple[str, ...]) -> Self:
        """Bind the gate's approval to `data`; to be called by the gate alone."""
        digest = hashlib.sha256(data).hexdigest()
        return cls(data=data, sha256=digest, media_type=media_type, width=width, height=height, checked_by=checked_by)
