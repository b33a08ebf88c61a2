"""All figures of one set of weights, as a table and as JSON."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from generation.starter.checking import figures as hazard
from generation.starter.checking.head import CHECKER
from generation.starter.drawing.picture import render
from generation.starter.judging.adherence import Share, score, things
from generation.starter.judging.engine_painter import EnginePainter
from generation.starter.judging.painter import Painter
from generation.starter.judging.questions import Question, questions
from generation.starter.judging.reader import Reader, load_reader
from generation.starter.training.dataset import Source
from generation.starter.training.parts import read_autoencoder

HELD_SHARE = 0.4  # of the prompts ask for pairs never rendered in training
PSNR_PICTURES, PSNR_SERIES = 48, 777
KIB_PER_MIB = 1024
FURTHER = ("vae_psnr_db", "speed", "checker_on_renders", "checker_on_generated")  # not shares of right answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """What to measure, and how."""

    weights: Path
    reader: Path
    world: str
    prompts: int
    steps: int
    few: int  # steps of the quick way; 0 leaves it out
    guidance: float
    device: str
    speed: bool
    dtype: str = ""  # painted by the engine in this number format; empty: by plain diffusers
    threads: int = 0


def measure(inquiry: Inquiry) -> dict[str, Any]:
    """Every figure, ready for JSON."""
    reader, painter = load_reader(inquiry.reader), _painter(inquiry)
    held = round(inquiry.prompts * HELD_SHARE)
    asked = {
        "seen": questions(inquiry.world, inquiry.prompts - held, recombining=False),
        "held_out": questions(inquiry.world, held, recombining=True),
    }
    figures: dict[str, Any] = {
        "world": inquiry.world,
        "steps": inquiry.steps,
        "guidance": inquiry.guidance,
        "few_steps": inquiry.few,
        "painted": f"by the engine, {painter.dtype}" if isinstance(painter, EnginePainter) else "by plain diffusers",
        "vae_psnr_db": round(psnr(inquiry.weights / "vae", inquiry.world), 2),
    }
    plain: list[NDArray[np.uint8]] = []
    for name, group in asked.items():
        specs = [question.spec for question in group]
        renders = [render(question.spec, question.seed)[0] for question in group]
        figures[f"reader_on_renders_{name}"] = _json(score(reader.read(renders), specs))
        painted = painter.paint(group, steps=inquiry.steps, guidance=inquiry.guidance)
        plain += painted
        read = reader.read(painted)
        figures[name] = _json(score(read, specs))
        figures[f"things_{name}"] = _json(things(read, specs))
        if inquiry.few:
            figures[f"few_{name}"] = _json(_quick(reader, painter, group, inquiry))
    if (inquiry.weights / CHECKER).is_dir():
        taped = questions(inquiry.world, held, recombining=False, taped=True)
        with_tape = painter.paint(taped, steps=inquiry.steps, guidance=inquiry.guidance)
        figures["checker_on_renders"] = hazard.on_renders(inquiry.weights, inquiry.world)
        figures["checker_on_generated"] = hazard.on_generated(inquiry.weights, with_tape, plain)
    if inquiry.speed:
        figures["speed"] = _speed(inquiry.weights, (inquiry.steps, inquiry.few or inquiry.steps))
    return figures


def _painter(inquiry: Inquiry) -> Painter | EnginePainter:
    if inquiry.dtype:
        return EnginePainter(inquiry.weights, inquiry.device, inquiry.dtype, inquiry.threads)
    return Painter(inquiry.weights, inquiry.device)


def _quick(
    reader: Reader, painter: Painter | EnginePainter, group: Sequence[Question], inquiry: Inquiry
) -> dict[str, Share]:
    pictures = painter.paint(group, steps=inquiry.few, guidance=inquiry.guidance)
    return score(reader.read(pictures), [question.spec for question in group])


def _json(shares: Mapping[str, Share]) -> dict[str, dict[str, float]]:
    return {name: share.as_json() for name, share in shares.items()}


def psnr(vae_folder: Path, world: str, count: int = PSNR_PICTURES) -> float:
    """Mean over held-out renders that went through the autoencoder and back, in dB."""
    vae = read_autoencoder(vae_folder)
    source = Source(world, PSNR_SERIES, keep_out=False)
    return statistics.fmean(_psnr(vae, source.picture(number)[0]) for number in range(count))


@torch.inference_mode()
def _psnr(vae: Any, picture: NDArray[np.uint8]) -> float:
    x = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 127.5 - 1
    y = vae.decode(vae.encode(x).latents).sample.clamp(-1, 1)
    return float(10 * torch.log10(4 / (y - x).square().mean()))


def _speed(weights: Path, steps: Sequence[int]) -> dict[str, float]:
    """Seconds for one picture on one thread in full precision, median of three, and the process's peak memory."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    painter, question = Painter(weights), questions("narrow", 1, recombining=False)
    found = {}
    for count in sorted(set(steps), reverse=True):
        painter.paint(question, steps=count, guidance=3.0, fast=False)
        times = []
        for _ in range(3):
            began = time.perf_counter()
            painter.paint(question, steps=count, guidance=3.0, fast=False)
            times.append(time.perf_counter() - began)
        found[f"seconds_{count}_steps"] = round(statistics.median(times), 2)
    torch.set_num_threads(threads)
    found["peak_mib_of_evaluation"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB_PER_MIB)
    return found


def show(figures: Mapping[str, Any], console: Console) -> None:
    """Print shares side by side."""
    columns = [name for name, value in figures.items() if isinstance(value, dict) and not name.startswith("things")]
    columns = [name for name in columns if name not in FURTHER]
    title = f"world {figures['world']}, {figures['steps']} steps, painted {figures['painted']}"
    table = Table("right, %", *columns, title=title)
    for row in ("thing", "color", "thing+color", "count", "scene", "style", "time", "weather", "backdrop"):
        cells = (figures[column].get(row) for column in columns)
        table.add_row(row, *(f"{cell['percent']:.1f} of {cell['n']}" if cell else "" for cell in cells))
    console.print(table)
    for name in ("things_seen", "things_held_out"):
        console.print(name, {kind: f"{cell['percent']:.0f}" for kind, cell in figures.get(name, {}).items()})
    console.print({name: value for name, value in figures.items() if name in FURTHER})
