"""Stable Diffusion XL and its distilled relatives (Turbo, Lightning, Hyper, LCM): two text encoders, sizes as input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from generation.engine import text
from generation.engine.embeddings import Encoded
from generation.engine.families.stable_diffusion import guidance_input, guided
from generation.engine.library import TextEncoder
from generation.engine.model import Ask, LoadedModel, Row, Wording

Readings = list[text.Reading]  # one prompt, as each of the tokenizers reads it


class StableDiffusionXL:
    """UNet2DConditionModel conditioned on two CLIP text encoders, a pooled state and the picture's size."""

    name = "sdxl"

    def word(self, model: LoadedModel, ask: Ask) -> Wording:
        """Encode the words of a request."""
        return self.words(model, [ask])[0]

    @torch.inference_mode()
    def words(self, model: LoadedModel, asks: Sequence[Ask]) -> list[Wording]:
        """Encode prompts, and negative prompts where there is guidance, to the same number of chunks."""
        asked = [_readings(model, ask) for ask in asks]
        chunks = [text.longest(reading for readings in prompts for reading in readings) for prompts in asked]
        wanted = (
            chunk
            for prompts, count in zip(asked, chunks, strict=True)
            for readings in prompts
            for reading in readings
            for chunk in reading.filled(count)
        )
        known = text.encode(model, wanted, _finish)
        wordings = []
        for ask, prompts, count in zip(asks, asked, chunks, strict=True):
            rows = [_row(model, ask, readings, count, known) for readings in prompts]
            if guided(model, ask) and len(rows) == 1:
                rows.append(_nothing(rows[0]))
            wordings.append(Wording(rows[0], rows[1] if len(rows) > 1 else None, prompts[0][0].left_out))
        return wordings

    def arguments(self, rows: Sequence[Row]) -> dict[str, Any]:
        """The encoded prompts, the pooled ones, the sizes, and the guidance where the denoiser takes it."""
        stacked = {name: torch.stack([row.extra[name] for row in rows]) for name in rows[0].extra}
        added = {"text_embeds": stacked.pop("text_embeds"), "time_ids": stacked.pop("time_ids")}
        hidden = torch.stack([row.hidden for row in rows])
        return {"encoder_hidden_states": hidden, "added_cond_kwargs": added, **stacked}


def _readings(model: LoadedModel, ask: Ask) -> list[Readings]:
    """The prompt and, where it has to be encoded, the negative prompt."""
    texts = [(ask.prompt, ask.clip_skip)]
    # Most of these models were trained with zeros for "no words", and say so; an empty text would be something else.
    if guided(model, ask) and (ask.negative or not model.pipeline.config.force_zeros_for_empty_prompt):
        texts.append((ask.negative, 0))  # the library's pipeline reads these with all layers
    return [
        [text.read(tokenizer, words, encoder=i, skip=skip) for i, tokenizer in enumerate(model.tokenizers)]
        for words, skip in texts
    ]


def _row(model: LoadedModel, ask: Ask, readings: Readings, count: int, known: dict[text.Chunk, Encoded]) -> Row:
    each = [[known[chunk] for chunk in reading.filled(count)] for reading in readings]
    hidden = torch.cat([torch.cat([encoded.states for encoded in one]) for one in each], dim=-1)
    # Of a prompt in several chunks the first one stands for the whole, as in AUTOMATIC1111's sd_hijack_clip.py.
    pooled = each[-1][0].pooled
    assert pooled is not None, "the last text encoder of SDXL has a projection"
    # Micro-conditioning (arXiv 2307.01952, section 2.2): original height and width, top and left crop, target size.
    sizes = [ask.height, ask.width, 0, 0, ask.height, ask.width]
    extra = {"text_embeds": pooled, "time_ids": torch.tensor(sizes, dtype=hidden.dtype).to(hidden.device)}
    if model.embedded_guidance:
        extra["timestep_cond"] = guidance_input(model, ask.guidance)
    return Row(hidden, extra)


def _nothing(row: Row) -> Row:
    """A row for no words at all, as large as `row`."""
    empty = torch.zeros_like(row.extra["text_embeds"])
    return Row(torch.zeros_like(row.hidden), {**row.extra, "text_embeds": empty})


def _finish(encoder: TextEncoder, output: Any, row: int, skip: int) -> Encoded:
    # SDXL was trained on the states before the last layer, without the last norm.
    states = output.hidden_states[-min(skip + 2, len(output.hidden_states))][row].to(encoder.dtype)
    return Encoded(states, output[0][row].to(encoder.dtype) if output[0].ndim == 2 else None)
