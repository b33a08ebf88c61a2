"""From pixels to a result: the gate, picture files, the recipe; in threads, so that the device goes on meanwhile."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import diffusers
import torch

from generation.engine import recipe
from generation.engine.marking import Marking
from generation.engine.painting import Painting
from generation.engine.shelf import Model
from generation.errors import AtelierError, BrokenPicture, NotApproved, PaintingError
from generation.job import Result
from generation.safety.gate import Gate, Pixels, Released
from generation.workers.worker import EngineSettings

log = logging.getLogger(__name__)

THREADS = 4  # at most; encoders leave the interpreter's lock while they work


class Finishing:
    """The last stages of every job of one engine."""

    def __init__(self, settings: EngineSettings, done: Callable[[Painting, Result], None]) -> None:
        self._marking = Marking(settings)
        self._done = done
        count = min(THREADS, max(1, (os.cpu_count() or 1) // 2))
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="finish")

    def finish(self, painting: Painting, model: Model, gate: Gate, pixels: Sequence[Pixels], how: object) -> None:
        """Have a job's pictures judged and written; `done` or `painting.on_failed` is called from another thread.

        `how` says how they were painted, for the recipe.
        """
        self._threads.submit(self._finish, painting, model, gate, pixels, how)

    def close(self) -> None:
        """Wait for what is under way."""
        self._threads.shutdown()

    def _finish(self, painting: Painting, model: Model, gate: Gate, pixels: Sequence[Pixels], how: object) -> None:
        try:
            self._done(painting, self._result(painting, model, gate, pixels, how))
        except AtelierError as error:
            painting.on_failed(error)
        except Exception:  # a full disk, a broken encoder: this job ends with a sentence
            log.exception("job %s: the result could not be made", painting.job.id)
            painting.on_failed(PaintingError())

    def _result(self, painting: Painting, model: Model, gate: Gate, pixels: Sequence[Pixels], how: object) -> Result:
        job, card, request = painting.job, model.card, painting.job.request
        # Before the gate: what the checkers see and approve is the picture with its watermark, as it will be shown.
        numbered = [self._marking.numbered(picture) for picture in pixels]
        released = gate.release(
            [each.pixels for each in numbered],
            job=job,
            write=lambda image, index: self._marking.file(
                image, index, job, card, None if index is None else numbered[index]
            ),
        )
        _demand_one(released)
        assert isinstance(how, dict)
        made_with = {
            "dtype": model.place.dtype_name,
            "device": model.place.words,
            "torch": str(torch.__version__),  # a plain str: the object itself would import torch in the parent
            "diffusers": diffusers.__version__,
            "checked_by": list(gate.names),
            **self._marking.how,
            **how,
        }
        return Result(
            job_id=job.id,
            pictures=released.pictures,
            grid=released.grid,
            recipe=recipe.as_values(request, card, made_with),
            seconds=painting.seconds,
        )


def _demand_one(released: Released) -> None:
    """Raise BrokenPicture or NotApproved unless some picture may be shown, now or on a moderator's word."""
    if any(picture.approved or picture.held for picture in released.pictures):
        return
    if all(picture.withheld == BrokenPicture().sentence for picture in released.pictures):
        raise BrokenPicture
    raise NotApproved(released.pictures[0].withheld, flagged=released.flagged)
