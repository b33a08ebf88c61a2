"""Everything the child process does with a job: check, paint, decode, pass the gate, write files."""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import diffusers
import torch
from PIL import Image

from generation.engine import decode, device, files, recipe, text, weights
from generation.engine.painter import Painter
from generation.engine.preview import Preview
from generation.errors import BrokenPicture, Cancelled, NotApproved, OutOfMemory, UploadsRefused
from generation.job import Job, Progress, Result
from generation.models import resolve
from generation.request import Request
from generation.safety.gate import NO_CHECKER, Gate, Released
from generation.safety.standing import stand
from generation.workers.worker import EngineSettings, WorkerStatus

log = logging.getLogger(__name__)

WARM_STEPS = 4


@dataclass(slots=True)
class Stages:
    """Seconds spent in each part of the last job."""

    denoise: float = 0.0
    decode: float = 0.0
    release: float = 0.0


class Engine:
    """One loaded model with its gate; paints one job at a time."""

    def __init__(self, settings: EngineSettings, alive: Callable[[str], None]) -> None:
        """Load, warm up and test, saying so to `alive`; raises ModelUnavailable, or NotApproved by the gate."""
        self._settings = settings
        self._alive = alive
        self.stages = Stages()
        alive("loading")
        self._place = device.choose(settings.device, settings.dtype, settings.threads)
        self._model = weights.load(resolve(settings.model), self._place)
        alive("loading the safety checkers")
        self._gate: Gate = Gate(stand(settings, self._model), alive=lambda: alive("checking"))
        self._painter = Painter(self._model)
        self._preview = Preview.fit(self._model)
        alive("warming up")
        pace = self._warm_up()
        self.status = self._introduce(pace)

    def paint(self, job: Job, on_progress: Callable[[Progress], None], stop: Callable[[], bool]) -> Result:
        """Paint `job`; raises a PaintingError, NotApproved when not one picture may be shown."""
        request = job.request
        if not self._gate.can_judge(request):
            raise NotApproved(UploadsRefused().sentence if request.image is not None else NO_CHECKER)
        began = time.perf_counter()
        try:
            released = self._paint(job, on_progress, stop)
        except torch.OutOfMemoryError as error:
            torch.cuda.empty_cache()
            raise OutOfMemory from error
        except RuntimeError as error:
            if "alloc" not in str(error).lower():  # how torch says it on a CPU
                raise
            raise OutOfMemory from error
        if not any(picture.approved for picture in released.pictures):
            if all(picture.withheld == BrokenPicture().sentence for picture in released.pictures):
                raise BrokenPicture
            raise NotApproved(released.pictures[0].withheld, flagged=released.flagged)
        return Result(
            job_id=job.id,
            pictures=released.pictures,
            grid=released.grid,
            recipe=self._recipe(request),
            seconds=time.perf_counter() - began,
        )

    def _paint(self, job: Job, on_progress: Callable[[Progress], None], stop: Callable[[], bool]) -> Released:
        request = job.request
        marks = [time.perf_counter()]

        def stepped(step: int, steps: int, clean: torch.Tensor) -> None:
            on_progress(Progress(step=step, steps=steps, preview=self._preview.jpeg(clean)))

        latents = self._painter.paint(request, _opened(job), on_step=stepped, stop=stop)
        if stop():
            raise Cancelled
        marks.append(time.perf_counter())
        pixels = decode.decode(self._model, latents, lambda: self._alive("decoding"))
        marks.append(time.perf_counter())
        released = self._gate.release(pixels, request=request, write=self._writer(request))
        marks.append(time.perf_counter())
        self.stages = Stages(*(end - start for start, end in pairwise(marks)))
        return released

    def _writer(self, request: Request) -> Callable[[Image.Image, int | None], files.PictureFile]:
        def write(image: Image.Image, index: int | None) -> files.PictureFile:
            own = request if index is None else request.single(index)
            parameters = recipe.as_parameters(own, self._model.card) if self._settings.embed_recipe else None
            upload = request.image is not None
            return files.encode(image, self._settings.file_format, parameters=parameters, from_upload=upload)

        return write

    def _recipe(self, request: Request) -> dict[str, object]:
        left_out = text.read(self._model.tokenizers[0], request.prompt).left_out
        return recipe.as_values(
            request,
            self._model.card,
            {
                "dtype": self._place.dtype_name,
                "device": self._place.device.type,
                "rows": request.count * (2 if request.guidance > 1.0 else 1),
                "torch": str(torch.__version__),  # a plain str: the object itself would import torch in the parent
                "diffusers": diffusers.__version__,
                "checked_by": list(self._gate.names),
                **({"tokens_left_out": left_out} if left_out else {}),
            },
        )

    def _warm_up(self) -> float:
        """Seconds per megapixel-step of one guided picture, after the first steps have filled all caches."""
        card = self._model.card
        side = min(card.native, 512)
        request = self._sample(side)
        times = [time.perf_counter()]

        def stepped(step: int, steps: int, clean: torch.Tensor) -> None:
            self._preview.jpeg(clean)
            times.append(time.perf_counter())
            self._alive("warming up")

        latents = self._painter.paint(request, None, on_step=stepped, stop=lambda: False)
        decode.decode(self._model, latents, lambda: self._alive("warming up"))
        fastest = min(end - start for start, end in pairwise(times))
        return fastest / (side * side / 1e6)

    def _introduce(self, pace: float) -> WorkerStatus:
        words = self._sample(64)
        upload = replace(words, image="0" * 64, strength=0.5)
        if self._gate.can_judge(words):
            self._gate.self_test(words)
        else:
            log.warning(
                "No safety checker can judge what “%s” paints: nothing will be shown. Name one under safety.checkers.",
                self._model.card.name,
            )
        return WorkerStatus(
            card=self._model.card,
            device=self._place.words,
            seconds_per_megapixel_step=pace,
            checkers=self._gate.names,
            accepts_uploads=self._gate.can_judge(upload),
        )

    def _sample(self, side: int) -> Request:
        card = self._model.card
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


def _opened(job: Job) -> Image.Image | None:
    if job.image is None:
        return None
    with Image.open(io.BytesIO(job.image), formats=("PNG",)) as image:  # intake hands over clean PNG only
        return image.convert("RGB")
