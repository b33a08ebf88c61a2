"""Lets pictures made from uploads pass unseen where nobody but the owner can be reached; its name says so."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from generation.request import Request
from generation.safety.checker import Verdict
from generation.safety.level import Level


class UncheckedLocal:
    """Checks nothing. Stands only where the owner allowed it, on the local Discord and in the terminal."""

    name = "NOT CHECKED (local only)"
    version = ""
    coverage = "looks at nothing; possible only where nobody but this machine's user can be reached."

    def covers(self, request: Request) -> bool:
        """Pictures made from an upload; words alone are judged by others."""
        return request.image is not None

    def check(self, images: Sequence[Image.Image], *, request: Request) -> Sequence[Verdict]:
        """Approve without looking."""
        return [Verdict(Level.NEUTRAL, reason="not checked") for _ in images]
