"""The ways of running a denoiser or a decoder whose speed is compared: eager, compiled, captured as a graph."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from generation.engine.device import DTYPES
from generation.errors import BadRequest

RECOMPILES = 64  # shapes that the compiler may keep
WARM_CALLS = 3  # before a graph is captured


@dataclass(frozen=True, slots=True)
class Variant:
    """One way of running."""

    name: str
    dtype: torch.dtype
    channels_last: bool = False
    compiled: bool = False
    graph: bool = False


def variants_on(device: torch.device, dtype: torch.dtype) -> dict[str, Variant]:
    """Everything that can be compared on `device`, by name; on a CPU, eager in one format."""
    if device.type != "cuda":
        return {"eager": Variant("eager", dtype)}
    found = []
    for short, kind in (("fp16", "float16"), ("bf16", "bfloat16")):
        form = DTYPES[kind]
        found += [
            Variant(f"{short}-eager", form),
            Variant(f"{short}-channels-last", form, channels_last=True),
            Variant(f"{short}-graph", form, channels_last=True, graph=True),
            Variant(f"{short}-compiled", form, channels_last=True, compiled=True),
            Variant(f"{short}-compiled-graph", form, channels_last=True, compiled=True, graph=True),
        ]
    return {variant.name: variant for variant in found}


def chosen(known: dict[str, Variant], text: str) -> list[Variant]:
    """The variants named in `text`, separated by commas; all when it is empty; raises BadRequest for others."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"here there are {', '.join(known)}."
            raise BadRequest(f"There is no variant called “{name[:40]}”; {hint}")
    return [known[name] for name in dict.fromkeys(names)] or list(known.values())


def prepare(part: Any, variant: Variant) -> Callable[..., Any]:
    """Lay `part` out for `variant`, in place; what is returned is called like it."""
    layout = torch.channels_last if variant.channels_last else torch.contiguous_format
    if part.dtype != variant.dtype:
        part.to(variant.dtype)
    part.to(memory_format=layout)
    if not variant.compiled:
        return part  # type: ignore[no-any-return]
    return compiled_for_each_size(part)  # type: ignore[no-any-return]


def compiled_for_each_size(part: Any) -> Any:
    """`part` compiled anew for every shape, which is the fastest; callable like it."""
    torch._dynamo.config.recompile_limit = RECOMPILES
    return torch.compile(part, dynamic=False)


def ready(call: Callable[[], Any], variant: Variant) -> Callable[[], Any]:
    """`call` itself, or its replay as a CUDA graph."""
    if not variant.graph:
        return call
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARM_CALLS):
            call()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        call()
    return graph.replay
