"""Turns words into the conditioning of the denoiser, long prompts in chunks."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from generation.engine.library import TextEncoder, Tokenizer

MAX_CHUNKS = 4  # about 300 words; what comes after is not read


@dataclass(frozen=True, slots=True)
class Conditioning:
    """Encoded prompts of one request; both tensors are (1, tokens, width)."""

    positive: torch.Tensor
    negative: torch.Tensor


def encode(tokenizer: Tokenizer, encoder: TextEncoder, prompt: str, negative: str) -> Conditioning:
    """Encode both prompts to the same number of chunks; one chunk is exactly what the library's pipeline makes."""
    room = tokenizer.model_max_length - 2  # a start and an end token around each chunk
    texts = [_tokens(tokenizer, text) for text in (prompt, negative)]
    chunks = min(MAX_CHUNKS, max(1, *(-(-len(ids) // room) for ids in texts)))
    encoded = [_encode(encoder, _framed(tokenizer, ids, room, chunks)) for ids in texts]
    return Conditioning(*encoded)


def tokens_left_out(tokenizer: Tokenizer, prompt: str) -> int:
    """How many tokens at the end of `prompt` are not read."""
    room = tokenizer.model_max_length - 2
    return max(0, len(_tokens(tokenizer, prompt)) - room * MAX_CHUNKS)


def _tokens(tokenizer: Tokenizer, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False, truncation=False, verbose=False).input_ids)


def _framed(tokenizer: Tokenizer, ids: list[int], room: int, chunks: int) -> list[list[int]]:
    start, end, fill = tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id
    parts = [ids[i * room : (i + 1) * room] for i in range(chunks)]
    return [[start, *part, end, *[fill] * (room - len(part))] for part in parts]


def _encode(encoder: TextEncoder, chunks: list[list[int]]) -> torch.Tensor:
    # one chunk per call: a different batch size could round differently
    device = encoder.device
    parts = [encoder(torch.tensor([ids], device=device), attention_mask=None)[0] for ids in chunks]
    return torch.cat(parts, dim=1).to(encoder.dtype)
