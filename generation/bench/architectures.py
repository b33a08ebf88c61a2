"""Real architectures with random weights: fit for measuring speed and sameness, not for looking at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import diffusers
import torch
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from generation.bench.configurations import Architecture, architecture
from generation.engine import weights
from generation.engine.device import Place
from generation.engine.families import FAMILIES
from generation.engine.model import LoadedModel
from generation.errors import ModelUnavailable
from generation.models import STARTER, ModelCard, resolve

SEED = 20260  # of all random weights: every run measures the same model
CALIBRATION_SIDE = 16  # latent cells


def build(name: str, place: Place, *, channels_last: bool = False) -> LoadedModel:
    """The architecture called `name` with random weights on `place`.

    Raises BadRequest for a name nobody knows, ModelUnavailable when no family can paint it yet.
    """
    shape = architecture(name)
    if shape.family not in FAMILIES:
        raise ModelUnavailable(f"Models of the family “{shape.family}” cannot be painted by this version yet.")
    pipeline = assemble(shape, place)
    if channels_last:
        pipeline.unet.to(memory_format=torch.channels_last)
        pipeline.vae.to(memory_format=torch.channels_last)
    encoders = [pipeline.text_encoder, getattr(pipeline, "text_encoder_2", None)]
    found = tuple(encoder for encoder in encoders if encoder is not None)
    parts = (pipeline.unet, pipeline.vae, *found)
    return LoadedModel(
        card=_card(shape),
        place=place,
        family=FAMILIES[shape.family],
        denoiser=pipeline.unet,
        vae=pipeline.vae,
        text_encoders=found,
        tokenizers=(pipeline.tokenizer,) * len(found),
        images=pipeline.image_processor,
        sampler_config=dict(pipeline.scheduler.config),
        files={},
        own_checker=None,
        pipeline=pipeline,
        bytes=sum(weight.nbytes for part in parts for weight in part.parameters()),
    )


def find(arch: str | None, model: str, place: Place, *, plain: bool = False) -> LoadedModel:
    """An architecture with random weights when `arch` is given, else the model called `model`.

    `plain`: laid out in memory as the library leaves it, the way peers run it.
    """
    cuda = place.device.type == "cuda"
    if arch is not None:
        return build(arch, place, channels_last=cuda and not plain)
    loaded = weights.load(resolve(model), place)
    if cuda and plain:
        loaded.pipeline.unet.to(memory_format=torch.contiguous_format)
        loaded.pipeline.vae.to(memory_format=torch.contiguous_format)
    return loaded


def assemble(shape: Architecture, place: Place) -> Any:
    """The library's pipeline of `shape` with random weights; on the meta device it has shapes only."""
    library: Any = diffusers  # it leaves its types open
    unet = assemble_denoiser(shape, place)
    with _same_weights(place):
        vae = library.AutoencoderTiny(**shape.vae) if shape.tiny_vae else library.AutoencoderKL(**shape.vae)
        encoders: list[Any] = [
            (CLIPTextModelWithProjection if index else CLIPTextModel)(CLIPTextConfig(**text))
            for index, text in enumerate(shape.texts)
        ]
    for part in (vae, *encoders):
        _settle(part, place)
    tokenizer = CLIPTokenizer.from_pretrained(str(STARTER / "tokenizer"))
    parts: dict[str, Any] = {"unet": unet, "vae": vae, "text_encoder": encoders[0], "tokenizer": tokenizer}
    scheduler = library.DDIMScheduler(clip_sample=False, set_alpha_to_one=False, **shape.scheduler)
    if len(encoders) > 1:
        parts |= {"text_encoder_2": encoders[1], "tokenizer_2": tokenizer, "scheduler": scheduler}
        pipeline: Any = library.StableDiffusionXLPipeline(**parts, add_watermarker=False)
    else:
        checker: dict[str, Any] = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
        pipeline = library.StableDiffusionPipeline(**parts, scheduler=scheduler, **checker)
    return pipeline


def assemble_denoiser(shape: Architecture, place: Place) -> Any:
    """The denoiser of `shape` alone."""
    library: Any = diffusers
    with _same_weights(place):
        unet = library.UNet2DConditionModel(**shape.unet)
    _settle(unet, place)
    if place.device.type != "meta":
        _calibrate(unet, place)
    return unet


@contextmanager
def _same_weights(place: Place) -> Iterator[None]:
    """Within it, modules are made on the device with the same weights every time."""
    with torch.random.fork_rng(devices=[place.device] if place.device.type == "cuda" else []), place.device:
        torch.manual_seed(SEED)
        yield


def _settle(part: Any, place: Place) -> None:
    if part.dtype != place.dtype:
        part.to(place.dtype)
    part.eval().requires_grad_(False)


def denoiser_inputs(unet: Any, place: Place, rows: int, side: tuple[int, int]) -> dict[str, Any]:
    """Random keyword arguments of one call of `rows` rows on latents of `side` (height, width in cells)."""
    config = unet.config
    rng = torch.Generator("cpu").manual_seed(SEED)
    meta = place.device.type == "meta"

    def drawn(*size: int) -> torch.Tensor:
        if meta:
            return torch.empty(size, device="meta", dtype=place.dtype)
        return torch.randn(size, generator=rng).to(place.device, place.dtype)

    given: dict[str, Any] = {
        "sample": drawn(rows, config.in_channels, *side),
        "timestep": torch.full((rows,), 500, device=place.device),
        "encoder_hidden_states": drawn(rows, 77, config.cross_attention_dim),
        "return_dict": False,
    }
    if config.addition_embed_type == "text_time":
        pooled = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
        given["added_cond_kwargs"] = {"text_embeds": drawn(rows, pooled), "time_ids": drawn(rows, 6)}
    if config.time_cond_proj_dim is not None:
        given["timestep_cond"] = drawn(rows, config.time_cond_proj_dim)
    return given


@torch.inference_mode()
def _calibrate(unet: Any, place: Place) -> None:
    """Scale the last layer so that outputs are as large as noise: then wrong rows show in the picture."""
    given = denoiser_inputs(unet, place, 1, (CALIBRATION_SIDE, CALIBRATION_SIDE))
    size = unet(**given)[0].float().std().item()
    unet.conv_out.weight.div_(size)
    unet.conv_out.bias.div_(size)


def _card(shape: Architecture) -> ModelCard:
    return ModelCard(
        name=shape.name,
        family=shape.family,
        native=shape.native,
        steps=shape.steps,
        guidance=shape.guidance,
        sampler=shape.sampler,
        licence="random weights",
    )
