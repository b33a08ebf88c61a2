"""Any other text-to-image pipeline of the library, called as a whole: no rows, but steps, previews and cancel."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import numpy.typing as npt
import torch

from generation.engine import noise
from generation.engine.architecture import parameters
from generation.engine.device import Place
from generation.engine.unfinished import Watch
from generation.engine.weights import Alive, Found, digest, fingerprint, silent, translated
from generation.errors import BadRequest, Cancelled, ModelUnavailable
from generation.headers import weight_files
from generation.models import ModelCard, SourceKind, read_json
from generation.request import Request

log = logging.getLogger(__name__)

DENOISERS = ("transformer", "unet", "prior")

StepHook = Callable[[int, int, torch.Tensor | None], None]  # step (from 1), steps, predicted clean latents if known


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainModel:
    """A whole pipeline on its device, ready to paint."""

    card: ModelCard
    place: Place  # with the number format that it was loaded in
    pipeline: Any
    files: Mapping[str, str]  # SHA-256 of every file by relative path; empty for large models
    bytes: int  # of all weights
    own_checker: Path | None = None

    @property
    def vae(self) -> Any:
        """The decoder, to fit a preview to; None when the pipeline has none."""
        return getattr(self.pipeline, "vae", None)

    def paint(self, request: Request, on_step: StepHook, stop: Callable[[], bool]) -> npt.NDArray[np.float32]:
        """Pixels (count, height, width, 3), 0 to 1; raises Cancelled at the next step once `stop()` is true.

        One picture per call of the pipeline: its bits then do not depend on its company, and at the sizes of these
        models several at once are no faster. Raises BadRequest for what only models in rows can do.
        """
        self.refuse(request)
        pixels = []
        for index in range(request.count):
            if stop():
                raise Cancelled
            pixels.append(self._paint(request.single(index), index, request.count, on_step, stop))
        return np.stack(pixels)

    def _paint(
        self, request: Request, index: int, count: int, on_step: StepHook, stop: Callable[[], bool]
    ) -> npt.NDArray[np.float32]:
        side = multiple(self.pipeline)
        height, width = (-(-edge // side) * side for edge in (request.height, request.width))
        seen = 0

        def stepped(clean: torch.Tensor | None) -> None:
            nonlocal seen
            seen = min(seen + 1, request.steps)  # samplers of higher order ask the denoiser more than once a step
            on_step(index * request.steps + seen, count * request.steps, clean)
            if stop():
                raise Cancelled

        with torch.inference_mode(), Watch(self.pipeline, height, width, stepped) as watch:
            made = self.pipeline(**self._arguments(request, height, width), **watch.arguments)
        picture = np.asarray(made.images[0], dtype=np.float32)
        top, left = (height - request.height) // 2, (width - request.width) // 2
        return picture[top : top + request.height, left : left + request.width]

    def _arguments(self, request: Request, height: int, width: int) -> dict[str, Any]:
        """The pipeline's arguments for `request`, as far as it knows them."""
        known = parameters(type(self.pipeline))
        given: dict[str, Any] = {
            "prompt": request.prompt,
            "height": height,
            "width": width,
            "num_inference_steps": request.steps,
            "generator": [noise.generator(request.seed)],
            "output_type": "np",
            "use_resolution_binning": False,  # it would paint another size and stretch it
            "clean_caption": False,  # meant for captions from web pages; it needs two more libraries
        }
        guidance = "guidance_scale"
        if "true_cfg_scale" in known and known.get("guidance_scale") is None:
            guidance = "true_cfg_scale"  # where guidance_scale is an input of distilled relatives alone
        given[guidance] = request.guidance
        if request.negative and request.guidance > 1.0:
            given["negative_prompt"] = request.negative
        if request.steps != 2:
            given["intermediate_timesteps"] = None  # of SANA-Sprint: only for two steps
        return {name: value for name, value in given.items() if name in known}

    def refuse(self, request: Request) -> None:
        """Raise BadRequest for what only models in rows can do."""
        name = self.card.name
        if request.image is not None:
            raise BadRequest(f"The model “{name}” paints from words alone; choose another to start from a picture.")
        if request.variations:
            raise BadRequest(f"The model “{name}” cannot make variations; try another seed.")
        if request.loras:
            raise BadRequest(f"LoRAs cannot be used with the model “{name}”.")


def load_found(found: Found, place: Place, alive: Alive = silent) -> PlainModel:
    """Load a pipeline from its folder; raises ModelUnavailable with a sentence, the cause in the log."""
    name, folder = found.card.name, found.configs
    if found.source.kind is not SourceKind.FOLDER:
        raise ModelUnavailable(f"The model “{name}” can only be read from a folder.")
    place = replace(place, dtype=number_format(place))
    with translated(found.source):
        library: Any = diffusers.DiffusionPipeline
        index = read_json(folder / "model_index.json")
        absent = {part: None for part, entry in index.items() if entry == [None, None]}  # SD3 without T5, for example
        alive(f"loading “{name}”")
        pipeline = library.from_pretrained(
            str(folder),
            dtype=place.dtype,
            use_safetensors=True,
            local_files_only=True,
            low_cpu_mem_usage=True,
            **absent,
        )
        pipeline.set_progress_bar_config(disable=True)
        pipeline.to(place.device)
    parts = [part for part in pipeline.components.values() if isinstance(part, torch.nn.Module)]
    for part in parts:
        part.eval().requires_grad_(False)
    weights = [path for part in DENOISERS for path in weight_files(folder / part)]
    return PlainModel(
        card=replace(found.card, sha256=digest(tuple(weights))),
        place=place,
        pipeline=pipeline,
        files=fingerprint(folder),
        bytes=sum(weight.nbytes for part in parts for weight in part.parameters()),
    )


def number_format(place: Place) -> torch.dtype:
    """That of `place`, but bfloat16 for float16: the text encoders of these models overflow in float16."""
    return torch.bfloat16 if place.dtype == torch.float16 else place.dtype


def multiple(pipeline: Any) -> int:
    """Pixels that width and height of a picture have to be a multiple of: a latent cell, two where they are paired."""
    cell = int(getattr(pipeline, "vae_scale_factor", 8))
    return cell if cell > 8 else 2 * cell
