"""`bench stages`: where the time of one picture goes, from its words to its file."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import torch
from PIL import Image
from transformers import CLIPImageProcessor

from generation.bench.architectures import denoiser_inputs
from generation.bench.arms.arm import encode
from generation.bench.overhead import REQUESTS, Overhead
from generation.bench.report import Report, Sheet, shown
from generation.bench.timing import seconds_of
from generation.engine import noise
from generation.engine.model import Ask, LoadedModel
from generation.engine.preview import Preview
from generation.engine.stepping import Stepping, TableStepping
from generation.safety.views import views

GATE_SIDE = 224  # pixels; what a safety checker of CLIP's size looks at

Told = Callable[[str, int, int], None]


def measure(model: LoadedModel, *, side: int, steps: int, budget: float, told: Told) -> dict[str, float]:
    """Seconds a picture spends in each stage, alone, guided as the model's card says."""
    stages: dict[str, Callable[[], object]] = {
        "text": _text(model, side),
        "denoise": _denoise(model, side),
        "sampler": _sampler(model, side, steps),
        "decode": _decode(model, side),
        "uint8": _uint8(model, side),
        "preview": _preview(model, side),
        "gate_input": _gate_input(side),
        "file": _file(side),
    }
    times = {"denoise": steps, "sampler": steps}
    seconds = {}
    for place, (name, work) in enumerate(stages.items()):
        told(name, place, len(stages))
        with torch.inference_mode():
            once = seconds_of(work, model.place.device, budget=budget / len(stages))
        seconds[name] = once * times.get(name, 1)
    return seconds


def _text(model: LoadedModel, side: int) -> Callable[[], object]:
    numbers = count()  # every prompt is new: what was encoded before may be remembered

    def work() -> object:
        prompt = f"a red house on the hills at night {next(numbers)}"
        ask = Ask(prompt=prompt, negative="dark", width=side, height=side, guidance=model.card.guidance)
        return model.family.word(model, ask)

    return work


def _denoise(model: LoadedModel, side: int) -> Callable[[], object]:
    rows = 2 if model.card.guidance > 1.0 and not model.embedded_guidance else 1
    denoiser: Any = model.denoiser
    given = denoiser_inputs(denoiser, model.place, rows, (side // model.cell, side // model.cell))
    return lambda: denoiser(**given)


def _sampler(model: LoadedModel, side: int, steps: int) -> Callable[[], object]:
    """One step by tables, without the denoiser; begins anew when its picture is through."""
    stepping: Stepping = TableStepping(model.sampler_config, model.place.device)
    shape = (model.latent_channels, side // model.cell, side // model.cell)
    rng = noise.generator(0)
    output = torch.randn((1, *shape), generator=rng).to(model.place.device)
    start = torch.randn(shape, generator=rng)

    def begun() -> Any:
        return stepping.begin(model.card.sampler, max(2, steps), None, rng=rng, noise=lambda: start, picture=None)

    course = begun()

    def work() -> None:
        nonlocal course
        if course.at >= course.calls:
            course = begun()
        stepping.given([course])
        stepping.advance([course], output)

    return work


def _decode(model: LoadedModel, side: int) -> Callable[[], object]:
    latents = _latents(model, side)
    return lambda: model.vae.decode(latents / model.vae.config.scaling_factor, return_dict=False)


def _uint8(model: LoadedModel, side: int) -> Callable[[], object]:
    pixels = torch.zeros(1, 3, side, side, device=model.place.device, dtype=model.place.dtype)
    return lambda: (
        (model.images.denormalize(pixels).float().clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu()
    )


def _preview(model: LoadedModel, side: int) -> Callable[[], object]:
    preview, latents = Preview.fit(model), _latents(model, side)
    return lambda: preview.jpeg(latents)


def _gate_input(side: int) -> Callable[[], object]:
    size = {"height": GATE_SIDE, "width": GATE_SIDE}
    processor: Any = CLIPImageProcessor(size={"shortest_edge": GATE_SIDE}, crop_size=size)
    picture = _picture(side)
    return lambda: processor(views(picture), return_tensors="pt")


def _file(side: int) -> Callable[[], object]:
    picture = _picture(side)
    return lambda: encode(picture)


def _latents(model: LoadedModel, side: int) -> torch.Tensor:
    shape = (1, model.latent_channels, side // model.cell, side // model.cell)
    return torch.randn(shape, generator=noise.generator(0)).to(model.place.device, model.vae.dtype)


def _picture(side: int) -> Image.Image:
    """Something with smooth and rough parts; encoders take their time by what they see."""
    coarse = torch.rand((1, 3, 8, 8), generator=noise.generator(0))
    smooth = torch.nn.functional.interpolate(coarse, side, mode="bicubic").clamp(0, 1)
    smooth[:, :, : side // 2] += 0.1 * torch.rand((1, 3, side // 2, side), generator=noise.generator(1))
    pixels = (smooth.clamp(0, 1) * 255).to(torch.uint8)[0].permute(1, 2, 0).numpy()
    return Image.fromarray(pixels)


def fill(report: Report, seconds: dict[str, float], steps: int, overhead: Overhead | None) -> None:
    """Put stages and overhead into `report`."""
    total = sum(seconds.values())
    rows = []
    for name, taken in seconds.items():
        report.figures |= {f"stages.{name}_s": taken, f"stages.{name}_share": taken / total}
        rows.append([name, shown(taken), f"{taken / total:.1%}"])
    report.figures["stages.total_s"] = total
    report.sheets.append(Sheet(f"One picture, {steps} steps, alone", ("stage", "seconds", "share"), rows))
    report.notes.append("One preview is counted; in service the file is encoded in a thread beside the next step.")
    if overhead is not None:
        _fill_overhead(report, overhead)


def _fill_overhead(report: Report, overhead: Overhead) -> None:
    found = {
        "tables": overhead.tables,
        "tables_and_previews": overhead.with_previews,
        "objects": overhead.objects,
    }
    rows = []
    for name, seconds in found.items():
        report.figures[f"overhead.{name}_s"] = seconds
        share = None
        if overhead.step is not None:
            share = seconds / overhead.step
            report.figures[f"overhead.{name}_share_of_step"] = share
        rows.append([name.replace("_", " "), shown(seconds), "–" if share is None else f"{shown(share * 100)} %"])
    report.figures["overhead.rows_per_call"] = overhead.rows
    if overhead.step is not None:
        report.figures["overhead.sd15_step_s"] = overhead.step
    title = f"The engine beside the denoiser, {REQUESTS} requests with latents of SD1.5 size"
    report.sheets.append(Sheet(title, ("stepping", "seconds a step", "of a step of SD1.5"), rows))
    report.notes.append(f"A step of SD1.5 for {REQUESTS} rows: {overhead.step_words}.")
