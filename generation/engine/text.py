"""Turns words into states of the text encoders: long prompts in chunks, stressed words heavier."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from generation.engine.embeddings import Encoded
from generation.engine.library import TextEncoder, Tokenizer
from generation.engine.model import LoadedModel
from generation.prompt import phrases

MAX_CHUNKS = 4  # about 300 words; what comes after is not read
# Every call of a text encoder has this many chunks, padded with a copy of the first: matrix products of another height
# may round differently, and an embedding must not depend on the company it was encoded in. On a CPU one chunk is as
# fast as many, and then equals the library's own call bit for bit.
CALL_CHUNKS = {"cpu": 1, "cuda": 8}
MEAN_RANGE = (0.5, 2.0)

Finish = Callable[[TextEncoder, Any, int, int], Encoded]  # encoder, its output, row of it, layers to leave out


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one text encoder reads at once; also the name under which its states are kept."""

    encoder: int
    ids: tuple[int, ...]  # framed by a start and an end token, and filled up
    weights: tuple[float, ...] | None  # one per id; None: nothing is stressed
    skip: int  # last layers to leave out


@dataclass(frozen=True, slots=True)
class Reading:
    """A prompt as one tokenizer reads it."""

    chunks: tuple[Chunk, ...]  # at least one
    empty: Chunk
    left_out: int  # tokens at the end that are not read

    def filled(self, count: int) -> tuple[Chunk, ...]:
        """Its chunks, and empty ones up to `count`."""
        return self.chunks + (self.empty,) * (count - len(self.chunks))


def read(tokenizer: Tokenizer, prompt: str, *, encoder: int = 0, skip: int = 0) -> Reading:
    """Cut `prompt` into at most MAX_CHUNKS chunks for text encoder number `encoder`."""
    room = tokenizer.model_max_length - 2  # a start and an end token around each chunk
    ids: list[int] = []
    weights: list[float] = []
    for phrase in phrases(prompt):
        tokens = tokenizer(phrase.text, add_special_tokens=False, truncation=False, verbose=False).input_ids
        ids += tokens
        weights += [phrase.weight] * len(tokens)
    parts = [(ids[i : i + room], weights[i : i + room]) for i in range(0, len(ids), room)][:MAX_CHUNKS]
    framed = [_framed(tokenizer, *part, encoder, skip) for part in parts or [([], [])]]
    empty = _framed(tokenizer, [], [], encoder, skip)
    return Reading(tuple(framed), empty, max(0, len(ids) - room * MAX_CHUNKS))


def longest(readings: Iterable[Reading]) -> int:
    """The number of chunks that readings which go together are filled up to."""
    return max(len(reading.chunks) for reading in readings)


@torch.inference_mode()
def encode(model: LoadedModel, chunks: Iterable[Chunk], finish: Finish) -> dict[Chunk, Encoded]:
    """The states of all `chunks`, from what is kept where it can be; `finish` picks them from an encoder's output."""
    known: dict[Chunk, Encoded] = {}
    missing: dict[int, dict[Chunk, None]] = {}
    for chunk in chunks:
        kept = model.embeddings.get(chunk)
        if kept is not None:
            known[chunk] = kept
        else:
            missing.setdefault(chunk.encoder, {})[chunk] = None
    size = CALL_CHUNKS.get(model.place.device.type, 1)
    for encoder, wanted in missing.items():
        left = list(wanted)
        for group in (left[i : i + size] for i in range(0, len(left), size)):
            for chunk, encoded in zip(group, _call(model, encoder, group, size, finish), strict=True):
                known[chunk] = encoded
                model.embeddings.keep(chunk, encoded)
    return known


def _framed(tokenizer: Tokenizer, ids: list[int], weights: list[float], encoder: int, skip: int) -> Chunk:
    fill = tokenizer.model_max_length - 2 - len(ids)
    framed = (tokenizer.bos_token_id, *ids, tokenizer.eos_token_id, *[tokenizer.pad_token_id] * fill)
    stressed = any(weight != 1.0 for weight in weights)
    return Chunk(encoder, framed, (1.0, *weights, *[1.0] * (fill + 1)) if stressed else None, skip)


def _call(model: LoadedModel, number: int, group: Sequence[Chunk], size: int, finish: Finish) -> list[Encoded]:
    encoder = model.text_encoders[number]
    rows = [chunk.ids for chunk in group] + [group[0].ids] * (size - len(group))
    output = encoder(torch.tensor(rows, device=encoder.device), attention_mask=None, output_hidden_states=True)
    found = []
    for i, chunk in enumerate(group):
        encoded = finish(encoder, output, i, chunk.skip)
        found.append(encoded if chunk.weights is None else _stressed(encoded, chunk.weights))
    return found


def _stressed(encoded: Encoded, weights: tuple[float, ...]) -> Encoded:
    """States times weights, with the chunk's mean as it was.

    Source: AUTOMATIC1111 web UI, sd_hijack_clip.py and sd_emphasis.py ("Original" emphasis). The restored mean keeps
    the picture from growing stronger or weaker as a whole; it is left alone where it is so near zero, or changed so
    much, that restoring it would blow up all of the states.
    """
    states = encoded.states.float()
    heavier = states * torch.tensor(weights, device=states.device)[:, None]
    ratio = float(states.mean() / heavier.mean())
    if MEAN_RANGE[0] <= ratio <= MEAN_RANGE[1]:
        heavier = heavier * ratio
    return replace(encoded, states=heavier.to(encoded.states.dtype))
