"""Encoded words of one model, kept because negative prompts and retries repeat them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

import torch

from generation.request import Lora

ENTRIES = 512
BYTES = 64_000_000  # a chunk of SDXL's two encoders in half precision is 0.3 MB


@dataclass(frozen=True, slots=True)
class Encoded:
    """One chunk of words after one text encoder."""

    states: torch.Tensor  # (tokens, width)
    pooled: torch.Tensor | None = None  # (width), of encoders with a projection

    @property
    def bytes(self) -> int:
        """Memory that it holds."""
        return self.states.nbytes + (0 if self.pooled is None else self.pooled.nbytes)


class Embeddings:
    """The least recently used go first; what was encoded under one set of LoRAs is never found under another."""

    def __init__(self, entries: int = ENTRIES, limit: int = BYTES) -> None:
        self.loras: tuple[Lora, ...] = ()  # the set the text encoders wear now; see lora.py
        self._entries = entries
        self._limit = limit
        self._kept: OrderedDict[Hashable, Encoded] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def bytes(self) -> int:
        """Memory that all of them hold."""
        return self._bytes

    def get(self, key: Hashable) -> Encoded | None:
        """What was kept for `key` under the LoRAs of now."""
        found = self._kept.get((self.loras, key))
        if found is not None:
            self._kept.move_to_end((self.loras, key))
        return found

    def keep(self, key: Hashable, encoded: Encoded) -> None:
        """Keep it, and forget the oldest beyond the bounds."""
        old = self._kept.pop((self.loras, key), None)
        self._bytes += encoded.bytes - (old.bytes if old else 0)
        self._kept[self.loras, key] = encoded
        while self._kept and (len(self._kept) > self._entries or self._bytes > self._limit):
            self._bytes -= self._kept.popitem(last=False)[1].bytes

    def clear(self) -> None:
        """Forget all, for example when memory is short."""
        self._kept.clear()
        self._bytes = 0
