"""Stable Diffusion 1 and 2 and their distilled relatives: one text encoder; guidance may be an input of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from generation.engine import text
from generation.engine.model import Ask, LoadedModel, Row, Wording


class StableDiffusion:
    """UNet2DConditionModel conditioned on one CLIP text encoder."""

    def __init__(self, name: str) -> None:
        self.name = name

    @torch.inference_mode()
    def word(self, model: LoadedModel, ask: Ask) -> Wording:
        """Encode both prompts to the same number of chunks."""
        tokenizer, encoder = model.tokenizers[0], model.text_encoders[0]
        words = text.encode(tokenizer, encoder, ask.prompt, ask.negative)
        extra = {"timestep_cond": guidance_input(model, ask.guidance)} if model.embedded_guidance else {}
        guided = ask.guidance > 1.0 and not model.embedded_guidance
        return Wording(
            Row(words.positive[0], extra),
            Row(words.negative[0]) if guided else None,
            text.tokens_left_out(tokenizer, ask.prompt),
        )

    def arguments(self, rows: Sequence[Row]) -> dict[str, Any]:
        """The encoded prompts, and the guidance where the denoiser takes it."""
        found: dict[str, Any] = {"encoder_hidden_states": torch.stack([row.hidden for row in rows])}
        if "timestep_cond" in rows[0].extra:
            found["timestep_cond"] = torch.stack([row.extra["timestep_cond"] for row in rows])
        return found


def guidance_input(model: LoadedModel, guidance: float) -> torch.Tensor:
    """Guidance as an input (width) of the denoiser, the way consistency models were distilled (arXiv 2310.04378)."""
    half = model.denoiser.config.time_cond_proj_dim // 2
    rates = torch.exp(torch.arange(half, dtype=torch.float32) * -(torch.log(torch.tensor(10000.0)) / (half - 1)))
    angles = torch.tensor([guidance - 1.0])[:, None] * 1000.0 * rates[None, :]
    return torch.cat([angles.sin(), angles.cos()], dim=1)[0].to(model.place.device, model.place.dtype)
