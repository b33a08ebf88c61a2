"""Runs the denoiser: eagerly at first, compiled once a thread in the background has made it ready for a size.

A compiled denoiser rounds differently from an eager one, so the path is part of a sample's key: a picture ends on the
path that it began on. Compiled calls use a few fixed row counts; on CUDA each may be captured as a graph.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

import torch

from generation.engine.model import Ask, LoadedModel, Row
from generation.engine.options import EngineOptions
from generation.engine.sample import Key
from generation.request import Lora

log = logging.getLogger(__name__)

BUCKETS = (1, 2, 4, 8, 16)  # rows of compiled calls
EAGER, COMPILED = "eager", "compiled"
RECOMPILES = 64  # sizes × buckets that the compiler may keep
WARM_CALLS = 3  # before a graph is captured: lazy initialisation must be over

Size = tuple[tuple[int, int, int], int]  # shape of the latents, tokens


class Runner:
    """The denoiser of one model."""

    def __init__(self, model: LoadedModel, options: EngineOptions) -> None:
        self._model = model
        on_cuda = model.place.device.type == "cuda"
        self._compiles = options.compile == "on" or (options.compile == "auto" and on_cuda)
        self._captures = options.graphs == "on" and on_cuda
        self._eager: Callable[..., Any] = model.denoiser
        self._compiled: Callable[..., Any] | None = None
        self._ready: set[Size] = set()
        self._asked: set[Size] = set()
        self._lock = threading.Lock()
        self._graphs: dict[tuple[Size, int], Graph] = {}

    def path(self, shape: tuple[int, int, int], tokens: int, loras: tuple[Lora, ...]) -> str:
        """How a new sample of this size is run; asks for the compiled path when it could be had."""
        size = (shape, tokens)
        if not self._compiles or loras or self._dressed:
            return EAGER
        with self._lock:
            if size in self._ready:
                return COMPILED
            if size not in self._asked:
                self._asked.add(size)
                rows = sham_rows(self._model, tokens, BUCKETS[-1])
                threading.Thread(target=self._compile, args=(size, rows), name="compile", daemon=True).start()
        return EAGER

    def _told(self, rows: Sequence[Row], device: torch.device) -> dict[str, Any]:
        """The rows' words as the denoiser takes them; they may have been encoded elsewhere, in another format."""
        dtype = self._model.denoiser.dtype
        return _mapped(self._model.family.arguments(rows), lambda tensor: tensor.to(device, dtype))

    @property
    def _dressed(self) -> bool:
        """Whether LoRAs were ever put on: they replace layers of the very module that was compiled."""
        return bool(getattr(self._model.denoiser, "peft_config", None))

    def buckets(self, key: Key) -> tuple[int, ...]:
        """The row counts of this path; empty: any."""
        return BUCKETS if key.path == COMPILED else ()

    def run(self, key: Key, latents: torch.Tensor, timesteps: torch.Tensor, rows: Sequence[Row]) -> torch.Tensor:
        """What the denoiser predicts for latents (n, channels, height, width) at timesteps (n,)."""
        given = latents.to(self._model.denoiser.dtype), timesteps
        told = self._told(rows, latents.device)
        if key.path == EAGER or self._dressed:
            return _first(self._eager(*given, **told, return_dict=False))
        if not self._captures:
            assert self._compiled is not None, "the path was said to be ready"
            return _first(self._compiled(*given, **told, return_dict=False))
        return self._captured(key, len(rows), given, told)

    def _compile(self, size: Size, rows: Sequence[Row]) -> None:
        """Runs in a thread of its own: minutes on a GPU, while pictures are painted eagerly."""
        try:
            with torch.inference_mode():
                torch._dynamo.config.recompile_limit = RECOMPILES
                compiled = self._compiled or torch.compile(self._eager, fullgraph=True, dynamic=False)
                for count in BUCKETS:
                    given, told = self._sham(size, rows[:count])
                    compiled(*given, **told, return_dict=False)
            with self._lock:
                self._compiled = compiled
                self._ready.add(size)
            log.info("The compiled denoiser is ready for %s", size[0])
        except Exception:  # compiling is a gain, never a condition: eager goes on
            log.exception("The denoiser could not be compiled; it goes on without")

    def _sham(self, size: Size, rows: Sequence[Row]) -> tuple[tuple[torch.Tensor, ...], dict[str, Any]]:
        """Inputs of the right shapes."""
        device, dtype = self._model.place.device, self._model.denoiser.dtype
        latents = torch.zeros(len(rows), *size[0], device=device, dtype=dtype)
        return (latents, torch.full((len(rows),), 500.0, device=device)), self._told(rows, device)

    def _captured(self, key: Key, rows: int, given: tuple[torch.Tensor, ...], told: dict[str, Any]) -> torch.Tensor:
        place = ((key.shape, key.tokens), rows)
        if place not in self._graphs:
            assert self._compiled is not None
            self._graphs[place] = Graph(self._compiled, given, told)
        return self._graphs[place](given, told)


class Graph:
    """One call captured as a CUDA graph over buffers of its own; captured and replayed by the engine's thread."""

    def __init__(self, call: Callable[..., Any], given: tuple[torch.Tensor, ...], told: dict[str, Any]) -> None:
        self._given = tuple(tensor.clone() for tensor in given)
        self._told = _mapped(told, torch.Tensor.clone)
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_CALLS):
                call(*self._given, **self._told, return_dict=False)
        torch.cuda.current_stream().wait_stream(side)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._output = _first(call(*self._given, **self._told, return_dict=False))

    def __call__(self, given: tuple[torch.Tensor, ...], told: dict[str, Any]) -> torch.Tensor:
        """Replay with other values."""
        for buffer, value in zip((*self._given, *_leaves(self._told)), (*given, *_leaves(told)), strict=True):
            buffer.copy_(value)
        self._graph.replay()
        return self._output.clone()


def _first(output: tuple[torch.Tensor, ...]) -> torch.Tensor:
    return output[0]


def _mapped(told: dict[str, Any], change: Callable[[torch.Tensor], torch.Tensor]) -> dict[str, Any]:
    return {name: _mapped(value, change) if isinstance(value, dict) else change(value) for name, value in told.items()}


def _leaves(told: dict[str, Any]) -> list[torch.Tensor]:
    found: list[torch.Tensor] = []
    for name in sorted(told):
        found += _leaves(told[name]) if isinstance(told[name], dict) else [told[name]]
    return found


def sham_rows(model: LoadedModel, tokens: int, count: int) -> list[Row]:
    """Rows as this model's family makes them, with encoded prompts of `tokens` tokens that all differ."""
    side = model.card.native
    row = model.family.word(model, Ask(prompt="", negative="", width=side, height=side, guidance=1.0)).positive
    rng = torch.Generator("cpu").manual_seed(1)
    width = row.hidden.shape[-1]
    hidden = torch.randn((count, tokens, width), generator=rng).to(row.hidden.device, row.hidden.dtype)
    return [Row(hidden[place], row.extra) for place in range(count)]
