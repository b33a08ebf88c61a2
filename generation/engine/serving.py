"""The whole engine process but for its pipe: models on their shelf, their gates, the engine, the finishing threads."""

from __future__ import annotations

import logging
import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import diffusers
import torch

from generation.engine import device, weights
from generation.engine.engine import Engine
from generation.engine.finishing import Finishing
from generation.engine.glimpse import Glimpse
from generation.engine.model import LoadedModel
from generation.engine.notebook import Notebook
from generation.engine.painting import Painting
from generation.engine.preview import Preview
from generation.engine.rows import RowLane
from generation.errors import AtelierError, NotApproved, UploadsRefused
from generation.job import Job, Progress, Result
from generation.models import resolve
from generation.request import Request
from generation.safety.gate import NO_CHECKER, Gate, Pixels
from generation.safety.standing import stand
from generation.workers.worker import EngineSettings, WorkerStatus

log = logging.getLogger(__name__)

WARM_STEPS = 2
LEAST_TOGETHER, MOST_TOGETHER = 16, 64  # jobs in the engine at once: enough that newcomers see their first step
WORN = 3  # jobs in a row without one sound picture: the weights in memory are damaged


@dataclass(frozen=True, slots=True)
class Easel:
    """A model ready to paint, with the gate that judges what it paints."""

    model: LoadedModel
    lane: RowLane
    gate: Gate


class Serving:
    """Paints what it is given until it is told to stop; one thread calls `paint`, `cancel` and `work`."""

    def __init__(self, settings: EngineSettings, alive: Callable[[str], None]) -> None:
        """Load, measure, warm up and test, saying so to `alive`; raises ModelUnavailable or the gate's NotApproved."""
        self._settings = settings
        self._alive = alive
        self._easels: dict[str, Easel] = {}
        self._previews: dict[str, Preview] = {}
        self._notebook = Notebook(Path(settings.notebook) if settings.notebook else None)
        self._done: dict[int, Callable[[Result], None]] = {}
        self._finishing = Finishing(settings, self._tell)
        options = settings.options
        glimpse = Glimpse(self._previews, every=options.preview_every, per_second=options.previews_per_second)
        self._engine = Engine(options, painted=self._painted, glimpse=glimpse)
        alive("loading")
        self._place = device.choose(settings.device, settings.dtype, settings.threads)
        easel = self._set_up(settings.model)
        self._warm_up(easel)
        self.status = self._introduce(easel)
        self._notebook.save()

    # -- jobs --------------------------------------------------------------------------------------------------------

    def paint(
        self,
        number: int,
        job: Job,
        *,
        on_progress: Callable[[Progress], None],
        on_done: Callable[[Result], None],
        on_failed: Callable[[AtelierError], None],
    ) -> None:
        """Take a job up; exactly one of `on_done` and `on_failed` is called, from any thread."""
        easel = self._easels.get(job.request.model) or self._easels[self._settings.model]
        request = replace(job.request, model=easel.model.card.name)
        if not easel.gate.can_judge(request):
            on_failed(NotApproved(UploadsRefused().sentence if request.image is not None else NO_CHECKER))
            return
        self._done[number] = on_done
        self._engine.submit(
            Painting(
                number=number,
                job=replace(job, request=request),
                on_progress=on_progress,
                on_failed=lambda error: self._failed(number, error, on_failed),
            )
        )

    def cancel(self, number: int) -> None:
        """End a job now; unknown numbers are ignored."""
        self._engine.cancel(number)

    @property
    def busy(self) -> bool:
        """Whether `work` has anything to do."""
        return self._engine.busy

    @property
    def worn(self) -> bool:
        """Whether so many jobs in a row gave nothing but broken pictures that the weights must be read again."""
        return self._engine.counts.broken_in_a_row >= WORN

    def work(self) -> None:
        """Do one unit of work."""
        if not self._engine.tick():
            self._notebook.save()

    def close(self) -> None:
        """Wait for what is at the gate, and keep what was learnt."""
        self._finishing.close()
        self._notebook.save()

    def _painted(self, painting: Painting, pixels: list[Pixels]) -> None:
        easel = self._easels[painting.job.request.model]
        how = {"rows": sorted(painting.rows)} | easel.lane.recipe_of(painting.samples[0].key)
        self._finishing.finish(painting, easel.model, easel.gate, pixels, how)

    def _tell(self, painting: Painting, result: Result) -> None:
        self._done.pop(painting.number)(result)

    def _failed(self, number: int, error: AtelierError, on_failed: Callable[[AtelierError], None]) -> None:
        self._done.pop(number, None)
        on_failed(error)

    # -- setting up --------------------------------------------------------------------------------------------------

    def _set_up(self, name: str) -> Easel:
        model = weights.load(resolve(name), self._place)
        self._alive("loading the safety checkers")
        gate = Gate(stand(self._settings, model), alive=lambda: self._alive("checking"))
        page = self._notebook.page(self._circumstance(model))
        lane = RowLane(model, self._settings.options, curves=page, alive=lambda: self._alive("working"))
        easel = Easel(model, lane, gate)
        self._easels[name] = easel
        self._previews[name] = Preview.fit(model)
        self._engine.put(lane)
        return easel

    def _circumstance(self, model: LoadedModel) -> str:
        """All that a measurement depends on."""
        parts = (
            self._place.words,
            platform.processor() or platform.machine(),
            self._place.dtype_name,
            model.card.sha256,
            f"torch {torch.__version__}",
            f"diffusers {diffusers.__version__}",
            f"exact {self._settings.options.exact}",
        )
        return " / ".join(parts)

    def _warm_up(self, easel: Easel) -> None:
        """Paint a short picture of the model's own size without showing it: measures, and fills all caches."""
        self._alive("warming up")
        card = easel.model.card
        request = self._sample(easel, card.native)
        engine = Engine(self._settings.options, painted=lambda *_: None)
        engine.put(easel.lane)
        engine.submit(Painting(number=-1, job=Job(id="warm-up", request=request), on_failed=_raise))
        while engine.tick():
            self._alive("warming up")

    def _introduce(self, easel: Easel) -> WorkerStatus:
        words = self._sample(easel, 64)
        upload = replace(words, image="0" * 64, strength=0.5)
        if easel.gate.can_judge(words):
            easel.gate.self_test(words)
        else:
            log.warning(
                "No safety checker can judge what “%s” paints: nothing will be shown. Name one under safety.checkers.",
                easel.model.card.name,
            )
        lane = easel.lane
        key, megapixels = lane.own_size()
        curve, room = lane.curve_of(key), lane.room(key)
        full, alone = curve.seconds(room) / room, curve.seconds(lane.lone) / lane.lone  # seconds of a row
        return WorkerStatus(
            card=easel.model.card,
            device=self._place.words,
            seconds_per_megapixel_step=full * lane.lone / megapixels or None,
            checkers=easel.gate.names,
            accepts_uploads=easel.gate.can_judge(upload),
            together=max(LEAST_TOGETHER, min(MOST_TOGETHER, 2 * room)),
            rows=room,
            exact=lane.is_exact(key),
            alone_factor=alone / full if full else 1.0,
            call_seconds=dict(curve.times),
        )

    def _sample(self, easel: Easel, side: int) -> Request:
        card = easel.model.card
        return Request(
            prompt="a hill",
            width=side,
            height=side,
            steps=WARM_STEPS,
            guidance=max(card.guidance, 0.0),
            sampler=card.sampler,
            seed=0,
            model=card.name,
        )


def _raise(error: AtelierError) -> None:
    raise error
