"""Rows: one denoiser call carries pictures of several requests, each at its own step of its own sampler."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from PIL import Image, ImageOps

from generation.engine import files, noise
from generation.engine.curve import Curve, padded_to
from generation.engine.decode import Decoder
from generation.engine.even import even_out
from generation.engine.faults import is_shortage
from generation.engine.lane import Moved
from generation.engine.lora import Loras
from generation.engine.measure import Calls, measure
from generation.engine.memory import let_go
from generation.engine.model import Ask, LoadedModel, Row, Wording
from generation.engine.options import EngineOptions
from generation.engine.runner import Runner
from generation.engine.sample import Key, Sample
from generation.engine.stepping import Course, ObjectStepping, Stepping, TableStepping
from generation.errors import OutOfMemory
from generation.job import Job
from generation.request import Lora, Request
from generation.safety.gate import Pixels

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _InFlight:
    """The tensors behind a sample."""

    course: Course
    wording: Wording
    guidance: float


class RowLane:
    """One model whose pictures may share calls."""

    def __init__(
        self,
        model: LoadedModel,
        options: EngineOptions,
        *,
        loras: Loras | None = None,
        curves: dict[str, Curve] | None = None,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        self.model = model
        self._options = options
        self._alive = alive
        kind: type[TableStepping | ObjectStepping] = TableStepping if options.stepping == "tables" else ObjectStepping
        self._stepping: Stepping = kind(model.sampler_config, model.place.device)
        self._runner = Runner(model, options)
        self._decoder = Decoder(model, options, alive)
        if options.exact != "off":
            even_out(model)
        if options.channels_last != "off":
            for part in (model.denoiser, model.vae):
                part.to(memory_format=torch.channels_last)
        self._flights: dict[Sample, _InFlight] = {}
        self._loras = loras if loras is not None else Loras(None)
        self._curves = curves if curves is not None else {}

    @property
    def name(self) -> str:
        """See Lane."""
        return self.model.card.name

    @property
    def lone(self) -> int:
        """Rows of one picture as this model is usually asked: two when it is guided."""
        return 2 if self.model.card.guidance > 1.0 and not self.model.embedded_guidance else 1

    # -- beginning -----------------------------------------------------------------------------------------------

    @torch.inference_mode()
    def begin(self, number: int, job: Job, arrived: float) -> list[Sample]:
        """See Lane."""
        request = job.request
        loras = self._loras.canonical(request.loras)
        self._loras.use(self.model, loras)  # the text encoder wears them as well
        wording = self.model.family.word(self.model, _ask(request))
        key = self._key(request, wording, loras)
        self._get_to_know(key)
        picture = self._opened(job)
        samples = []
        for index in range(request.count):
            course = self._course(request.single(index), picture)
            rows = 1 if wording.negative is None else 2
            sample = Sample(number, index, key, rows, course.calls, arrived, order=course.order)
            self._flights[sample] = _InFlight(course, wording, request.guidance)
            samples.append(sample)
        return samples

    def _key(self, request: Request, wording: Wording, loras: tuple[Lora, ...]) -> Key:
        model = self.model
        shape = (model.latent_channels, request.height // model.cell, request.width // model.cell)
        tokens = len(wording.positive.hidden)
        return Key(self.name, loras, shape, tokens, self._runner.path(shape, tokens, loras))

    def _course(self, request: Request, picture: torch.Tensor | None) -> Course:
        """The course of a request for one picture; `picture` is (1, 3, height, width) in -1 … 1."""
        model = self.model
        rng = noise.generator(request.seed)
        shape = (1, model.latent_channels, request.height // model.cell, request.width // model.cell)
        encoded = self._decoder.encode(picture, rng)[0] if picture is not None else None
        return self._stepping.begin(
            request.sampler,
            request.steps,
            request.strength,
            rng=rng,
            noise=lambda: noise.starting(request, rng, shape)[0],
            picture=encoded,
        )

    def _opened(self, job: Job) -> torch.Tensor | None:
        if job.image is None:
            return None
        size = (job.request.width, job.request.height)
        picture = files.opened(job.image)
        fitted = picture if picture.size == size else ImageOps.fit(picture, size, Image.Resampling.LANCZOS)
        return self.model.images.preprocess(fitted)

    # -- stepping ------------------------------------------------------------------------------------------------

    def advance(self, samples: Sequence[Sample], moved: Moved = lambda _: True) -> int:
        """See Lane. Where memory is short, only as many as fit take the step. Raises OutOfMemory when not even one can.

        Nothing of a picture has changed before its call is through, so that a call can simply be tried again.
        """
        while True:
            try:
                return self._advance(samples)
            except RuntimeError as error:
                if not is_shortage(error):
                    raise
                samples = self._fewer(samples, error)

    @torch.inference_mode()
    def _advance(self, samples: Sequence[Sample]) -> int:
        key = samples[0].key
        flights = [self._flights[sample] for sample in samples]
        courses = [flight.course for flight in flights]
        guided = [place for place, flight in enumerate(flights) if flight.wording.negative is not None]
        rows = [flight.wording.positive for flight in flights]
        rows += [negative for flight in flights if (negative := flight.wording.negative) is not None]
        padded = padded_to(len(rows), self.row_counts(key))
        spare = padded - len(rows)  # spare rows repeat the first one
        places = [*range(len(flights)), *guided, *[0] * spare]
        self._loras.use(self.model, key.loras)
        latents, timesteps = self._stepping.given(courses)
        output = self._run(key, latents[places], timesteps[places], rows + rows[:1] * spare)
        guidance = [flight.guidance for flight in flights]
        self._stepping.advance(courses, _guided(output[: len(rows)].float(), guided, guidance))
        for sample, course in zip(samples, courses, strict=True):
            sample.done = course.at
        return padded

    def _run(self, key: Key, latents: torch.Tensor, timesteps: torch.Tensor, rows: Sequence[Row]) -> torch.Tensor:
        """One call; row by row where not even the two rows of one guided picture fit into memory together."""
        if self._curve(key).most != 1:
            return self._runner.run(key, latents, timesteps, rows)
        alone = (slice(place, place + 1) for place in range(len(rows)))
        return torch.cat([self._runner.run(key, latents[one], timesteps[one], rows[one]) for one in alone])

    def _fewer(self, samples: Sequence[Sample], error: Exception) -> Sequence[Sample]:
        """Down the ladder after a shortage: free what is cached, take half of the samples, go row by row, move others.

        How many rows fit is remembered for the size, so that the next picture of it does not climb down again.
        """
        key = samples[0].key
        rows = padded_to(sum(sample.rows for sample in samples), self.row_counts(key))
        log.warning("%d rows of %s do not fit into memory", rows, _size(key))
        curve = self._curve(key)
        single = curve.most == 1
        curve.overflowed(rows)
        curve.settle(self.lone)
        let_go(self.model.place.device)
        if len(samples) > 1:
            return samples[: len(samples) // 2]
        if rows > 1 and not single:
            return samples
        if not self.relieve():
            raise OutOfMemory from error
        return samples

    def relieve(self) -> bool:
        """See Lane: the device is left to the denoiser; on a CPU there is nowhere to move to."""
        others = [part for part in (*self.model.text_encoders, self.model.vae) if part.device.type != "cpu"]
        if not others:
            return False
        log.warning("Memory is short: text encoder and decoder move to main memory")
        for part in others:
            part.to("cpu")
        let_go(self.model.place.device)
        return True

    def row_counts(self, key: Key) -> tuple[int, ...]:
        """The row counts that calls of this key may have; empty: any."""
        if not self.is_exact(key):
            return self._runner.buckets(key)
        counts = self._curve(key).counts
        bound = max(self._options.rows, counts[0]) if self._options.rows else counts[-1]
        return tuple(rows for rows in counts if rows <= bound)

    def is_exact(self, key: Key) -> bool:
        """Whether a picture of this key has the same bits in any company."""
        return self._options.exact == "on" or (self._options.exact == "auto" and self._curve(key).cheap)

    # -- planning ------------------------------------------------------------------------------------------------

    def room(self, key: Key) -> int:
        """See Lane."""
        room = self._curve(key).room(self.row_counts(key))
        return min(room, max(self._options.rows, self.lone)) if self._options.rows else room

    def row_seconds(self, key: Key) -> float:
        """See Lane."""
        return self._curve(key).row_seconds

    def observe(self, key: Key, rows: int, seconds: float) -> None:
        """Learn from a call in service."""
        self._curve(key).observe(rows, seconds)

    def curves(self) -> dict[str, Curve]:
        """See Lane."""
        return self._curves

    def _curve(self, key: Key) -> Curve:
        return self._curves.setdefault(_size(key), Curve())

    def _get_to_know(self, key: Key) -> None:
        """Measure a size when it is first asked for."""
        curve = self._curve(key)
        if curve.counts:
            return
        if self._options.measure_seconds:
            calls = Calls(self.model, self._runner, key, self._alive)
            measure(calls, curve, seconds=self._options.measure_seconds, most=self._options.rows)
            log.info("Calls of %s: at best %d rows in %.3f s", _size(key), curve.knee, curve.seconds(curve.knee))
        curve.settle(self.lone)

    def recipe_of(self, key: Key) -> dict[str, object]:
        """How the pictures of a key are painted, as far as their bits depend on it."""
        exact = self.is_exact(key)
        counts = list(self.row_counts(key)) if exact else []
        worn = self._loras.sha256(self.model, key.loras) if key.loras else {}
        found: dict[str, object] = {"exact": exact, "row_counts": counts, "path": key.path}
        if self.model.mixed:
            found["dtypes"] = self.model.dtypes
        return found | ({"loras_sha256": worn} if worn else {})

    def own_size(self) -> tuple[Key, float]:
        """The key of an unadorned picture of the model's own size, and its megapixels."""
        model, side = self.model, self.model.card.native
        shape = (model.latent_channels, side // model.cell, side // model.cell)
        tokens = model.tokenizers[0].model_max_length
        return Key(self.name, (), shape, tokens), side * side / 1e6

    def curve_of(self, key: Key) -> Curve:
        """What was learnt of calls of this key."""
        return self._curve(key)

    # -- after the last step -------------------------------------------------------------------------------------

    def clean(self, sample: Sample) -> torch.Tensor | None:
        """See Lane."""
        return self._flights[sample].course.clean

    def latents(self, sample: Sample) -> torch.Tensor:
        """(channels, height, width) float32 latents as they stand."""
        return self._flights[sample].course.latents

    def wording(self, sample: Sample) -> Wording:
        """The encoded words of a sample."""
        return self._flights[sample].wording

    def broken(self, sample: Sample) -> bool:
        """See Lane."""
        return not bool(self._flights[sample].course.latents.isfinite().all())

    def decodes(self, key: Key) -> int:
        """See Lane; in exact mode each alone, since the kernels of a decoder change with its company too."""
        return 1 if self.is_exact(key) else self._decoder.together(key.shape)

    def decode(self, samples: Sequence[Sample]) -> list[Pixels]:
        """See Lane."""
        return self._decoder.decode(torch.stack([self.latents(sample) for sample in samples]))

    def forget(self, sample: Sample) -> None:
        """See Lane."""
        self._flights.pop(sample, None)


def _ask(request: Request) -> Ask:
    return Ask(
        prompt=request.prompt,
        negative=request.negative,
        width=request.width,
        height=request.height,
        guidance=request.guidance,
        clip_skip=request.clip_skip,
    )


def _guided(output: torch.Tensor, guided: Sequence[int], guidance: Sequence[float]) -> torch.Tensor:
    """The output for each picture: towards its prompt and away from its negative prompt where it is guided.

    The rows of the prompts come first, in order; the rows without them follow, for the pictures in `guided`.
    Source: Ho and Salimans, "Classifier-free diffusion guidance", 2022.
    """
    count = len(guidance)
    following = output[:count]
    if not guided:
        return following
    scale = torch.tensor([guidance[place] for place in guided], device=output.device)[:, None, None, None]
    without = output[count:]
    result = following.clone()
    result[list(guided)] = without + scale * (following[list(guided)] - without)
    return result


def _size(key: Key) -> str:
    size = "x".join(str(side) for side in key.shape)
    worn = " loras" if key.loras else ""  # they add products of their own
    return f"{size}+{key.tokens}{worn}" + ("" if key.path == "eager" else f" {key.path}")
