"""Teaches the reader on fresh renders and says how well it reads renders it has never seen."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn, track
from torch import Tensor

from generation.starter.judging.reader import (
    CHOICES,
    READER_SIDE,
    UNKNOWN,
    Reader,
    channels_last,
    label,
    load_reader,
    prepared,
    save_reader,
    shrunk,
    truth,
)
from generation.starter.training.dataset import Source
from generation.starter.training.muon import Duo

BATCH = 64
BLOCK = 500  # pictures drawn in one piece
PEAK = 2e-3  # learning rate
IMPORTANCE = {"thing": 2.0, "color": 2.0}
LESSONS_SEED, EXAM_SEED = 101, 102


@dataclass(frozen=True, slots=True)
class Lesson:
    """Small pictures and the numbers of what they show, one column per attribute."""

    pictures: NDArray[np.uint8]
    labels: Tensor


def lessons(world: str, seed: int, count: int, folder: Path, *, workers: int) -> Lesson:
    """`count` pictures for the reader, held-out pairs included; kept in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    source = Source(world, seed, keep_out=False)
    path = folder / f"reader-{world}-{seed}-{count}.npy"
    if not path.exists():
        jobs = [(source, start, min(BLOCK, count - start)) for start in range(0, count, BLOCK)]
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            drawn = list(track(pool.map(_small_pictures, jobs), f"drawing {world} for the reader", total=len(jobs)))
        np.save(path, np.concatenate(drawn))
    truths = [truth(source.spec(number)[0]) for number in range(count)]
    labels = torch.tensor([[label(name, found[name]) for name in CHOICES] for found in truths])
    return Lesson(np.load(path), labels)


def _small_pictures(job: tuple[Source, int, int]) -> NDArray[np.uint8]:
    source, start, count = job
    return np.stack([shrunk(source.picture(number)[0]) for number in range(start, start + count)])


def school(
    world: str, minutes: float, run: Path, out: Path, *, pictures: int = 16000, workers: int = 1, proceed: bool = False
) -> None:
    """Train a reader for `minutes` and write it to `out`; `proceed` begins with what is there."""
    lesson = lessons(world, LESSONS_SEED, pictures, run / "reader", workers=workers)
    torch.manual_seed(0)
    reader = load_reader(out).train() if proceed else channels_last(Reader())
    optimiser = Duo(reader, lr=PEAK)
    began, total = time.monotonic(), minutes * 60
    step = 0
    with Progress(TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()) as progress:
        task = progress.add_task("reading", total=total)
        while (elapsed := time.monotonic() - began) < total:
            loss = _step(reader, lesson)
            loss.backward()  # type: ignore[no-untyped-call]
            step += 1
            optimiser.step(PEAK * min(1.0, step / 50) * max(0.02, 1 - elapsed / total))
            progress.update(task, completed=elapsed, description=f"reading {step * BATCH} {loss.item():.3f}")
    save_reader(reader.eval(), out)


def _step(reader: Reader, lesson: Lesson) -> Tensor:
    chosen = torch.randint(0, len(lesson.pictures), (BATCH,))
    x = _roughened(prepared(lesson.pictures[chosen.numpy()]))
    with torch.autocast("cpu", torch.bfloat16):
        answers = reader(x)
    loss = torch.zeros(())
    for column, name in enumerate(CHOICES):
        wanted = lesson.labels[chosen, column]
        if (wanted != UNKNOWN).any():
            part = F.cross_entropy(answers[name].float(), wanted, ignore_index=UNKNOWN)
            loss = loss + IMPORTANCE.get(name, 1.0) * part
    return loss


def _roughened(x: Tensor) -> Tensor:
    """Shifted, sometimes mirrored, blurred or grainy: generated pictures are less clean than renders."""
    pad = READER_SIDE // 16
    dx, dy = (int(v) for v in torch.randint(0, 2 * pad + 1, (2,)))
    x = F.pad(x, (pad,) * 4, mode="replicate")[..., dy : dy + READER_SIDE, dx : dx + READER_SIDE]
    x = x.flip(3) if torch.rand(()) < 0.5 else x
    blurred = F.avg_pool2d(F.pad(x, (1,) * 4, mode="replicate"), 3, 1)
    x = torch.where(torch.rand(len(x), 1, 1, 1) < 0.35, blurred, x)
    grain = torch.randn_like(x) * 0.06 * torch.rand(len(x), 1, 1, 1)
    return (x + grain).contiguous(memory_format=torch.channels_last)


def examine(reader: Reader, world: str, run: Path, *, count: int = 1000, workers: int = 1) -> dict[str, float]:
    """Share of right answers per attribute, in percent, on renders that no lesson contained."""
    exam = lessons(world, EXAM_SEED, count, run / "reader", workers=workers)
    read = reader.read(list(exam.pictures))
    shares = {}
    for column, name in enumerate(CHOICES):
        wanted = exam.labels[:, column]
        rows = [row for row in range(count) if wanted[row] != UNKNOWN]
        right = sum(CHOICES[name].index(read[row][name]) == int(wanted[row]) for row in rows)
        shares[name] = round(100 * right / max(1, len(rows)), 1)
    return shares
