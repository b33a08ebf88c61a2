"""A loaded model as the lanes use it, and what a family of models has to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch

from generation.engine.device import Place
from generation.engine.embeddings import Embeddings
from generation.engine.library import Autoencoder, Denoiser, ImageProcessor, TextEncoder, Tokenizer
from generation.models import ModelCard


@dataclass(frozen=True, slots=True)
class Row:
    """What one row of a denoiser call is told, besides its latents and its timestep."""

    hidden: torch.Tensor  # (tokens, width) the encoded prompt
    extra: Mapping[str, torch.Tensor] = field(default_factory=dict)  # one row each, without the row axis


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """The words of a request and what changes how they are read."""

    prompt: str
    negative: str
    width: int  # pixels
    height: int
    guidance: float
    clip_skip: int = 0  # last layers of the text encoder to leave out; 0: as the model was trained


@dataclass(frozen=True, slots=True)
class Wording:
    """A request's encoded words: both rows have the same number of tokens."""

    positive: Row
    negative: Row | None  # None: not guided, so one row is enough
    left_out: int = 0  # tokens at the end of the prompt that are not read


class Family(Protocol):
    """Models that are told things in the same way; one file each."""

    @property
    def name(self) -> str:
        """As in ModelCard.family, e.g. "sd1"."""
        ...

    def word(self, model: LoadedModel, ask: Ask) -> Wording:
        """Encode the words of a request."""
        ...

    def words(self, model: LoadedModel, asks: Sequence[Ask]) -> list[Wording]:
        """The same for several requests at once; which of them come together changes no bit of a wording."""
        ...

    def arguments(self, rows: Sequence[Row]) -> dict[str, Any]:
        """The keyword arguments of the denoiser for these rows, besides latents and timesteps."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedModel:
    """The parts of one model, on their device, ready to paint."""

    card: ModelCard
    place: Place
    family: Family
    denoiser: Denoiser
    vae: Autoencoder
    text_encoders: tuple[TextEncoder, ...]
    tokenizers: tuple[Tokenizer, ...]
    images: ImageProcessor
    sampler_config: Mapping[str, Any]  # the model's own scheduler settings
    files: Mapping[str, str]  # SHA-256 of every file by relative path; empty for large models
    own_checker: Path | None  # folder of the safety checker that came with the model
    pipeline: Any  # the library's whole pipeline: reads LoRAs, and paints where no rows are possible
    bytes: int  # of all weights
    embeddings: Embeddings = field(default_factory=Embeddings)  # words that were encoded before

    @property
    def dtypes(self) -> dict[str, str]:
        """The number format of each kind of part, as config.yaml writes it."""
        parts = {"text": self.text_encoders[0], "denoiser": self.denoiser, "decoder": self.vae}
        return {name: str(part.dtype).removeprefix("torch.") for name, part in parts.items()}

    @property
    def mixed(self) -> bool:
        """Whether its parts run in different formats; `place` then has that of the denoiser."""
        return len(set(self.dtypes.values())) > 1

    @property
    def cell(self) -> int:
        """Pixels along one side of a latent cell."""
        return int(self.images.config.vae_scale_factor)

    @property
    def latent_channels(self) -> int:
        """Channels of the latents."""
        return int(self.vae.config.latent_channels)

    @property
    def embedded_guidance(self) -> bool:
        """Whether guidance is an input of the denoiser (consistency models), so that no second row is needed."""
        return getattr(self.denoiser.config, "time_cond_proj_dim", None) is not None
