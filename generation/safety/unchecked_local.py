"""Lets pictures made from uploads pass unseen where nobody but the owner can be reached; its name says so."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from generation.request import Request
from generation.safety.checker import Verdict


class UncheckedLocal:
    """Checks nothing. Stands only where the owner allowed it, on the local Discord and in the terminal."""

    name = "NOT CHECKED (local only)"
    version = ""

    def covers(self, request: Request) -> bool:
        """Pictures made from an upload; words alone are judged by others."""
        return request.image is not None

    def check(self, images: Sequence[Image.Image], *, request: Request) -> Sequence[Verdict]:
        """Approve without looking."""
        return [Verdict(True, reason="not checked") for _ in images]
