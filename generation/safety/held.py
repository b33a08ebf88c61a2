"""A picture that the gate kept back and that a moderator may still let through: no proof, and nothing posts it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

from generation.provenance.mark import UNMARKED, Mark
from generation.safety.level import Level


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An encoded picture file that was judged soundly and found wanting; only the gate makes it.

    What nobody may let through is never held: its pixels end with the gate.
    """

    data: bytes = field(repr=False)
    media_type: str
    width: int  # pixels
    height: int
    level: Level
    seen: tuple[str, ...]  # the checkers' reasons, for moderators
    checked_by: tuple[str, ...]
    mark: Mark = UNMARKED  # what it can be recognised by, should a moderator let it through
