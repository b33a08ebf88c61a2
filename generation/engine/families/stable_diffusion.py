"""Stable Diffusion 1 and 2 and their distilled relatives: one text encoder; guidance may be an input of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from generation.engine import text
from generation.engine.embeddings import Encoded
from generation.engine.library import TextEncoder
from generation.engine.model import Ask, LoadedModel, Row, Wording


class StableDiffusion:
    """UNet2DConditionModel conditioned on one CLIP text encoder."""

    def __init__(self, name: str) -> None:
        self.name = name

    def word(self, model: LoadedModel, ask: Ask) -> Wording:
        """Encode the words of a request."""
        return self.words(model, [ask])[0]

    @torch.inference_mode()
    def words(self, model: LoadedModel, asks: Sequence[Ask]) -> list[Wording]:
        """Encode prompts, and negative prompts where there is guidance, to the same number of chunks."""
        tokenizer = model.tokenizers[0]
        pairs: list[list[text.Reading]] = []
        for ask in asks:
            pair = [text.read(tokenizer, ask.prompt, skip=ask.clip_skip)]
            if guided(model, ask):
                pair.append(text.read(tokenizer, ask.negative))  # the library's pipeline reads these with all layers
            pairs.append(pair)
        chunks = [[reading.filled(text.longest(pair)) for reading in pair] for pair in pairs]
        known = text.encode(model, (chunk for pair in chunks for filled in pair for chunk in filled), _finish)
        wordings = []
        for ask, pair, filled in zip(asks, pairs, chunks, strict=True):
            hidden = [torch.cat([known[chunk].states for chunk in one]) for one in filled]
            extra = {"timestep_cond": guidance_input(model, ask.guidance)} if model.embedded_guidance else {}
            negative = Row(hidden[1]) if len(hidden) > 1 else None
            wordings.append(Wording(Row(hidden[0], extra), negative, pair[0].left_out))
        return wordings

    def arguments(self, rows: Sequence[Row]) -> dict[str, Any]:
        """The encoded prompts, and the guidance where the denoiser takes it."""
        found: dict[str, Any] = {"encoder_hidden_states": torch.stack([row.hidden for row in rows])}
        if "timestep_cond" in rows[0].extra:
            found["timestep_cond"] = torch.stack([row.extra["timestep_cond"] for row in rows])
        return found


def guided(model: LoadedModel, ask: Ask) -> bool:
    """Whether a request needs a row for its negative prompt."""
    return ask.guidance > 1.0 and not model.embedded_guidance


def guidance_input(model: LoadedModel, guidance: float) -> torch.Tensor:
    """Guidance as an input (width) of the denoiser, the way consistency models were distilled (arXiv 2310.04378)."""
    half = model.denoiser.config.time_cond_proj_dim // 2
    rates = torch.exp(torch.arange(half, dtype=torch.float32) * -(torch.log(torch.tensor(10000.0)) / (half - 1)))
    angles = torch.tensor([guidance - 1.0])[:, None] * 1000.0 * rates[None, :]
    return torch.cat([angles.sin(), angles.cos()], dim=1)[0].to(model.place.device, model.place.dtype)


def _finish(encoder: TextEncoder, output: Any, row: int, skip: int) -> Encoded:
    if not skip:
        return Encoded(output[0][row].to(encoder.dtype))
    # The last norm was trained on the last layer's states; without it the denoiser would see another scale.
    whole: Any = encoder
    norm = getattr(whole, "text_model", whole).final_layer_norm
    return Encoded(norm(output.hidden_states[-min(skip + 1, len(output.hidden_states))][row]).to(encoder.dtype))
