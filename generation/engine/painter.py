"""The denoising loop over the library's parts: a request's pictures as one batch, a word after every step."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
from PIL import Image, ImageOps

from generation.engine import noise, samplers
from generation.engine.library import Sampler
from generation.engine.model import Ask, LoadedModel
from generation.errors import Cancelled
from generation.request import Request

StepHook = Callable[[int, int, torch.Tensor], None]  # step (from 1), steps, predicted clean latents


class Painter:
    """Paints one request at a time; the arithmetic is the library's StableDiffusionPipeline, bit for bit on a CPU."""

    def __init__(self, model: LoadedModel) -> None:
        self._model = model

    @torch.inference_mode()
    def paint(
        self, request: Request, picture: Image.Image | None, *, on_step: StepHook, stop: Callable[[], bool]
    ) -> torch.Tensor:
        """Latents (count, channels, height, width in cells); raises Cancelled between steps once `stop()` is true."""
        model, place = self._model, self._model.place
        wording = model.family.word(model, _ask(request))
        guided = wording.negative is not None
        rows = [wording.positive] * request.count
        if wording.negative is not None:
            rows = [wording.negative] * request.count + rows
        conditioning = model.family.arguments(rows)
        sampler = samplers.build(request.sampler, model.sampler_config, request.steps)
        sampler.set_timesteps(request.steps, device=place.device)
        generators = [noise.generator(request.single(i).seed) for i in range(request.count)]
        if picture is None:
            timesteps = sampler.timesteps
            latents = self._noise(request, generators) * sampler.init_noise_sigma
        else:
            timesteps = _shortened(sampler, request)
            clean = self._encoded(request, picture, generators)
            latents = sampler.add_noise(clean, self._noise(request, generators), timesteps[:1].repeat(request.count))
        extra = _step_arguments(sampler, generators)
        steps = -(-len(timesteps) // sampler.order)
        for index, timestep in enumerate(timesteps):
            if stop():
                raise Cancelled
            given = torch.cat([latents] * 2) if guided else latents
            output = model.denoiser(
                sampler.scale_model_input(given, timestep),
                timestep,
                **conditioning,
                return_dict=False,
            )[0]
            if guided:
                without, following = output.chunk(2)
                output = without + request.guidance * (following - without)
            stepped = sampler.step(output, timestep, latents, **extra)
            latents = stepped.prev_sample
            if (index + 1) % sampler.order == 0 or index + 1 == len(timesteps):
                on_step(index // sampler.order + 1, steps, samplers.predicted(sampler, stepped))
        return latents

    def _noise(self, request: Request, generators: list[torch.Generator]) -> torch.Tensor:
        model = self._model
        shape = (1, model.vae.config.latent_channels, request.height // model.cell, request.width // model.cell)
        drawn = [noise.starting(request.single(i), rng, shape) for i, rng in enumerate(generators)]
        return torch.cat(drawn).to(model.place.device, model.place.dtype)

    def _encoded(self, request: Request, picture: Image.Image, generators: list[torch.Generator]) -> torch.Tensor:
        model = self._model
        fitted = picture.convert("RGB")
        if fitted.size != (request.width, request.height):
            fitted = ImageOps.fit(fitted, (request.width, request.height), Image.Resampling.LANCZOS)
        pixels = model.images.preprocess(fitted).to(model.place.device, model.place.dtype)
        encoded = model.vae.encode(pixels)
        if hasattr(encoded, "latent_dist"):
            latents = torch.cat([encoded.latent_dist.sample(rng) for rng in generators])
        else:
            latents = torch.cat(
                [encoded.latents] * len(generators)
            )  # keeps the memory format, and with it the last bits
        scaled: torch.Tensor = model.vae.config.scaling_factor * latents
        return scaled


def _ask(request: Request) -> Ask:
    return Ask(
        prompt=request.prompt,
        negative=request.negative,
        width=request.width,
        height=request.height,
        guidance=request.guidance,
        clip_skip=request.clip_skip,
    )


def _shortened(sampler: Sampler, request: Request) -> torch.Tensor:
    """The last `strength` of the timesteps, at least one; the share is rounded down as in the library."""
    kept = max(1, min(int(request.steps * (request.strength or 1.0)), request.steps))
    first = (request.steps - kept) * sampler.order
    if hasattr(sampler, "set_begin_index"):
        sampler.set_begin_index(first)
    return sampler.timesteps[first:]


def _step_arguments(sampler: Sampler, generators: list[torch.Generator]) -> dict[str, Any]:
    accepted = inspect.signature(sampler.step).parameters
    return {"generator": generators} if "generator" in accepted else {}
