"""`bench curves`: how long calls of 1 to 32 rows take, and how near that is to what the machine's arithmetic allows."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from generation.bench.architectures import denoiser_inputs
from generation.bench.flops import decode_flops, denoiser_flops, gemm_rate
from generation.bench.plots import Chart
from generation.bench.report import Report, Sheet, shown
from generation.bench.timing import seconds_of
from generation.bench.variants import Variant, compiled_for_each_size, prepare, ready
from generation.engine.faults import is_shortage
from generation.engine.memory import let_go
from generation.engine.model import LoadedModel

ROWS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
PICTURES = (1, 2, 4, 8, 16)
GEMM_SHARE, DENOISER_SHARE = 0.1, 0.6  # of the budget; decoding has the rest
PER_POINT = 2.0  # seconds at most
REPEATS = 4  # calls that a point needs at least, the warm-up among them
NEARLY_BEST = 0.9  # of the best rows a second: the knee

Told = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Line:
    """Seconds of one call by its size, of one part in one variant."""

    part: str  # "denoiser" or "decoder"
    variant: str
    seconds: Mapping[int, float]
    flops: int  # of one row or picture
    gemm: float  # FLOP a second of matrix products in the same format


def measure(
    model: LoadedModel,
    variants: Sequence[Variant],
    *,
    rows: Sequence[int] = ROWS,
    side: int,
    budget: float,
    told: Told,
    notes: list[str],
) -> list[Line]:
    """Curves of the denoiser and of the decoder on pictures of side × side pixels, within about `budget` seconds."""
    cells = (side // model.cell, side // model.cell)
    unit, decode_unit = denoiser_flops(model, cells), decode_flops(model, cells)
    share = budget / len(variants)
    found = []
    for place, variant in enumerate(variants):
        told(variant.name, place, len(variants))
        gemm = gemm_rate(replace(model.place, dtype=variant.dtype), share * GEMM_SHARE)
        denoiser = _denoiser(model, variant, cells)
        seconds = _line(denoiser, rows, model, variant, share * DENOISER_SHARE, notes, "denoiser")
        found.append(Line("denoiser", variant.name, seconds, unit, gemm))
        rest = share * (1 - GEMM_SHARE - DENOISER_SHARE)
        seconds = _line(_decoder(model, variant, cells), PICTURES, model, variant, rest, notes, "decoder")
        found.append(Line("decoder", variant.name, seconds, decode_unit, gemm))
    return found


def _denoiser(model: LoadedModel, variant: Variant, cells: tuple[int, int]) -> Callable[[int], Callable[[], object]]:
    call = prepare(model.denoiser, variant)
    place = replace(model.place, dtype=variant.dtype)

    def of(rows: int) -> Callable[[], object]:
        given = denoiser_inputs(model.denoiser, place, rows, cells)
        return lambda: call(**given)

    return of


def _decoder(model: LoadedModel, variant: Variant, cells: tuple[int, int]) -> Callable[[int], Callable[[], object]]:
    vae = model.vae
    prepare(vae, replace(variant, compiled=False))
    decode = compiled_for_each_size(vae.decode) if variant.compiled else vae.decode

    def of(count: int) -> Callable[[], object]:
        latents = torch.randn((count, model.latent_channels, *cells), generator=torch.Generator("cpu").manual_seed(0))
        placed = latents.to(model.place.device, variant.dtype)
        return lambda: decode(placed, return_dict=False)

    return of


@torch.inference_mode()
def _line(
    of: Callable[[int], Callable[[], object]],
    sizes: Sequence[int],
    model: LoadedModel,
    variant: Variant,
    budget: float,
    notes: list[str],
    part: str,
) -> dict[int, float]:
    """Seconds by size, as far as time and memory reach; the smallest size is always measured."""
    seconds: dict[int, float] = {}
    end = time.perf_counter() + budget
    for size in sizes:
        left = end - time.perf_counter()
        if seconds and seconds[max(seconds)] * size / max(seconds) * REPEATS > left:
            notes.append(f"{variant.name}, {part}: sizes from {size} on were left out, the budget was spent.")
            break
        try:
            work = ready(of(size), variant)
            seconds[size] = seconds_of(work, model.place.device, budget=min(PER_POINT, max(0.0, left / len(sizes))))
        except RuntimeError as error:
            why = "do not fit into memory" if is_shortage(error) else f"cannot be run ({type(error).__name__})"
            notes.append(f"{variant.name}, {part}: sizes from {size} on {why}.")
            let_go(model.place.device)
            break
    return seconds


def knee(seconds: Mapping[int, float]) -> int:
    """The smallest call with nine tenths of the best throughput."""
    best = max(size / taken for size, taken in seconds.items())
    return min(size for size, taken in seconds.items() if size / taken >= NEARLY_BEST * best)


def fill(report: Report, lines: Sequence[Line]) -> None:
    """Put the curves into `report`."""
    for line in lines:
        if not line.seconds:
            continue
        unit = "rows" if line.part == "denoiser" else "pictures"
        name = f"{line.part}.{line.variant}"
        rows = []
        for size, seconds in line.seconds.items():
            rate = size * line.flops / seconds
            report.figures[f"{name}.{unit}_{size}_s"] = seconds
            report.figures[f"{name}.{unit}_{size}_tflop_per_s"] = rate / 1e12
            report.figures[f"{name}.{unit}_{size}_of_gemm"] = rate / line.gemm
            per_second = size / seconds
            rows.append([str(size), *(shown(x) for x in (seconds, per_second, rate / 1e12, rate / line.gemm))])
        report.figures[f"{name}.knee_{unit}"] = knee(line.seconds)
        report.figures[f"{name}.tflop"] = line.flops / 1e12
        report.figures[f"gemm.{line.variant}.tflop_per_s"] = line.gemm / 1e12
        title = f"{line.part}, {line.variant}: {shown(line.flops / 1e9)} GFLOP each, knee at {knee(line.seconds)}"
        report.sheets.append(Sheet(title, (unit, "s", f"{unit}/s", "TFLOP/s", "of GEMM"), rows))
    for part, unit in (("denoiser", "rows"), ("decoder", "pictures")):
        drawn = {line.variant: list(line.seconds.items()) for line in lines if line.part == part and line.seconds}
        if drawn:
            title = f"One call of the {part}"
            report.charts.append(
                Chart(name=part, title=title, across=unit, up="seconds a call", lines=drawn, logarithmic=True)
            )
