"""Decides which unfinished pictures are worth a preview: those that a member can see within the budget of edits."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from generation.engine.painting import Painting
from generation.engine.preview import Preview

BURST = 5.0  # first previews that may come at once


class Glimpse:
    """A job's first preview at once, further ones at its pace; all jobs together within so many a second."""

    def __init__(self, previews: Mapping[str, Preview], *, every: float, per_second: float) -> None:
        self._previews = previews  # by model
        self._every = every
        self._per_second = per_second
        self._tokens = BURST
        self._at = float("-inf")

    def of(self, painting: Painting, now: float) -> bytes | None:
        """A small JPEG of all pictures of a job as they will look, or None when none is due."""
        preview = self._previews.get(painting.job.request.model)
        last_step = painting.step == painting.steps and painting.steps > 1  # the picture itself is next
        if preview is None or last_step or now - painting.previewed < self._every or not self._afford(now):
            return None
        assert painting.lane is not None
        clean = [painting.lane.clean(sample) for sample in painting.samples]
        known = [latents for latents in clean if latents is not None]
        if len(known) < len(clean):
            return None
        painting.previewed = now
        return preview.jpeg(torch.stack(known))

    def _afford(self, now: float) -> bool:
        if self._per_second <= 0:
            return False
        gained = 0.0 if self._at == float("-inf") else (now - self._at) * self._per_second
        self._tokens, self._at = min(BURST, self._tokens + gained), now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True
