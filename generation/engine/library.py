"""The library's parts as the engine uses them; diffusers itself leaves their types open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, Self

import torch
from PIL import Image


class Part(Protocol):
    """A piece of a model with weights and a configuration."""

    config: Any
    dtype: torch.dtype
    device: torch.device

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Move to a device, a number format or a memory format, in place."""
        ...

    def eval(self) -> Self:
        """Leave training behind."""
        ...

    def requires_grad_(self, requires_grad: bool) -> Self:
        """Whether gradients will be asked for."""
        ...


class Denoiser(Part, Protocol):
    """UNet2DConditionModel."""

    def __call__(self, sample: torch.Tensor, timestep: torch.Tensor, **kwargs: Any) -> tuple[torch.Tensor, ...]:
        """Predict noise, velocity or picture of noisy latents (rows, channels, height, width)."""
        ...


class Autoencoder(Part, Protocol):
    """AutoencoderKL or AutoencoderTiny."""

    def encode(self, x: torch.Tensor) -> Any:
        """Pixels in -1 … 1 to latents, or to a distribution of them."""
        ...

    def decode(self, z: torch.Tensor, *, return_dict: bool) -> tuple[torch.Tensor, ...]:
        """Latents to pixels in -1 … 1."""
        ...


class TextEncoder(Part, Protocol):
    """CLIPTextModel, or CLIPTextModelWithProjection."""

    def __call__(
        self, input_ids: torch.Tensor, *, attention_mask: torch.Tensor | None, output_hidden_states: bool
    ) -> Any:
        """Token ids (rows, tokens) to the states (rows, tokens, width) after the last layer, and after each of them."""
        ...


class Tokenizer(Protocol):
    """CLIPTokenizer."""

    model_max_length: int
    bos_token_id: int
    eos_token_id: int
    pad_token_id: int

    def __call__(self, text: str, **kwargs: Any) -> Any:
        """Words to token ids, in the field input_ids."""
        ...


class ImageProcessor(Protocol):
    """VaeImageProcessor."""

    config: Any

    def preprocess(self, image: Image.Image) -> torch.Tensor:
        """A picture to pixels in -1 … 1."""
        ...

    def denormalize(self, images: torch.Tensor) -> torch.Tensor:
        """Pixels in -1 … 1 to 0 … 1."""
        ...


class Sampler(Protocol):
    """One of the library's schedulers, with the state of one request."""

    order: int
    timesteps: torch.Tensor
    init_noise_sigma: torch.Tensor | float

    def set_timesteps(self, num_inference_steps: int, *, device: torch.device) -> None:
        """Lay out the steps."""
        ...

    def scale_model_input(self, sample: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
        """Noisy latents as the denoiser wants them at this step."""
        ...

    def add_noise(self, samples: torch.Tensor, noise: torch.Tensor, timesteps: torch.Tensor) -> torch.Tensor:
        """Clean latents as noisy as at a step."""
        ...

    def step(
        self, model_output: torch.Tensor, timestep: torch.Tensor, x: torch.Tensor, **rest: Sequence[torch.Generator]
    ) -> Any:
        """One step towards the picture, in the field prev_sample."""
        ...
