"""Paints prompts the way members get their pictures: with the engine, in the number format that is to be judged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from generation.engine import device, trying, weights
from generation.engine.engine import Engine
from generation.engine.options import EngineOptions
from generation.engine.painting import Painting
from generation.engine.rows import RowLane
from generation.errors import AtelierError, BrokenPicture
from generation.job import Job
from generation.models import resolve
from generation.request import Request
from generation.safety.gate import Pixels
from generation.starter.judging.questions import Question
from generation.starter.world import SIDE


class EnginePainter:
    """An engine with the weights in `folder`; paints like Painter does."""

    def __init__(self, folder: Path, where: str, dtype: str, threads: int) -> None:
        options = EngineOptions()
        loaded = weights.load(resolve(str(folder)), device.choose(where, dtype, threads))
        model, _ = trying.settle(loaded, None)
        self.dtype = model.place.dtype_name
        self._card = model.card
        self._painted: dict[int, Pixels] = {}
        self._engine = Engine(options, painted=lambda painting, pixels: self._keep(painting.number, pixels))
        self._engine.put(RowLane(model, options))

    def paint(self, questions: Sequence[Question], *, steps: int, guidance: float) -> list[NDArray[np.uint8]]:
        """A picture of 256 x 256 for every question."""
        for number, question in enumerate(questions):
            job = Job(id=f"question-{number}", request=self._request(question, steps, guidance))
            self._engine.submit(Painting(number=number, job=job, on_failed=_raise))
        with Progress() as bar:
            task = bar.add_task(f"painting at {steps} steps", total=len(questions))
            while self._engine.tick():
                bar.update(task, completed=len(self._painted))
        painted, self._painted = self._painted, {}
        return [_whole(painted[number]) for number in range(len(questions))]

    def _keep(self, number: int, pixels: Sequence[Pixels]) -> None:
        self._painted[number] = pixels[0]

    def _request(self, question: Question, steps: int, guidance: float) -> Request:
        return Request(
            prompt=question.prompt,
            width=SIDE,
            height=SIDE,
            steps=steps,
            guidance=guidance,
            sampler=self._card.sampler,
            seed=question.seed,
            model=self._card.name,
        )


def _whole(pixels: Pixels) -> NDArray[np.uint8]:
    if pixels is None:
        raise BrokenPicture
    return pixels


def _raise(error: AtelierError) -> None:
    raise error
