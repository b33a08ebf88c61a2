"""Teaches the head on fresh renders: half of them with hazard tape, and some with stripes of other colours."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from numpy.typing import NDArray
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn, track
from torch import Tensor
from torch.nn import functional as F

from generation.starter.checking.head import HEAD_SIDE, THRESHOLD, likeness, new_head, normalised, shrunk
from generation.starter.training.dataset import Source

WORLDS = ("narrow", "full")
SEED, TAPED = 301, 0.5  # of the lessons' series
BATCH, BLOCK = 64, 250
PEAK = 1e-3  # learning rate
STEEP = 12.0  # logits per unit of cosine
OTHER_STRIPES = 0.15  # share of taped pictures whose colours are exchanged: such stripes are no hazard
SHIFT = 5  # pixels


def lessons(count: int, folder: Path, *, workers: int) -> tuple[NDArray[np.uint8], Tensor]:
    """Small pictures, and 1 where there is hazard tape: `count` of each world, kept in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures, taped = [], []
    for source in (Source(world, SEED, keep_out=False, hazards=TAPED) for world in WORLDS):
        path = folder / f"{source.world}-{SEED}-{count}.npy"
        if not path.exists():
            jobs = [(source, start, min(BLOCK, count - start)) for start in range(0, count, BLOCK)]
            with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
                drawn = list(track(pool.map(_small_pictures, jobs), f"drawing {source.world}", total=len(jobs)))
            np.save(path, np.concatenate(drawn))
        pictures.append(np.load(path))
        taped += [float(source.spec(number)[0].hazard) for number in range(count)]
    return np.concatenate(pictures), torch.tensor(taped)


def _small_pictures(job: tuple[Source, int, int]) -> NDArray[np.uint8]:
    source, start, count = job
    return np.stack([shrunk(source.picture(number)[0]) for number in range(start, start + count)])


def school(minutes: float, run: Path, *, pictures: int, workers: int) -> StableDiffusionSafetyChecker:
    """A head trained for `minutes`."""
    drawn, taped = lessons(pictures, run / "checker", workers=workers)
    torch.manual_seed(SEED)
    head: Any = new_head().train()
    learning = [weight for weight in head.parameters() if weight.requires_grad]
    optimiser = torch.optim.AdamW(learning, PEAK, weight_decay=0.02)
    began, total, step = time.monotonic(), minutes * 60, 0
    with Progress(TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()) as progress:
        task = progress.add_task("checking", total=total)
        while (elapsed := time.monotonic() - began) < total:
            chosen = torch.randint(0, len(drawn), (BATCH,))
            x, wanted = _roughened(drawn[chosen.numpy()], taped[chosen])
            loss = F.binary_cross_entropy_with_logits(STEEP * (likeness(head, x) - THRESHOLD), wanted)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(learning, 1.0)
            step += 1
            optimiser.param_groups[0]["lr"] = PEAK * min(1.0, step / 50) * max(0.02, 1 - elapsed / total)
            optimiser.step()
            progress.update(task, completed=elapsed, description=f"checking {step * BATCH} {loss.item():.4f}")
    trained: StableDiffusionSafetyChecker = head.eval()
    return trained


def _roughened(pictures: NDArray[np.uint8], taped: Tensor) -> tuple[Tensor, Tensor]:
    """Shifted, mirrored, faded, blurred or grainy, as generated pictures are; and with stripes of other colours."""
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2).float().div(255)
    n = len(x)
    dx, dy = (int(v) for v in torch.randint(0, 2 * SHIFT + 1, (2,)))
    x = F.pad(x, (SHIFT,) * 4, mode="replicate")[..., dy : dy + HEAD_SIDE, dx : dx + HEAD_SIDE]
    x = x.flip(3) if torch.rand(()) < 0.5 else x
    exchanged = (torch.rand(n) < OTHER_STRIPES) & (taped > 0)
    x = torch.where(exchanged.view(n, 1, 1, 1), x.flip(1), x)  # blue and black instead of yellow and black
    blurred = F.avg_pool2d(F.pad(x, (1,) * 4, mode="replicate"), 3, 1)
    x = torch.where(torch.rand(n, 1, 1, 1) < 0.3, blurred, x)
    fading = 1 - 0.25 * torch.rand(n, 1, 1, 1)
    x = x * fading + (1 - fading) * torch.rand(n, 3, 1, 1)
    x = x + 0.05 * torch.rand(n, 1, 1, 1) * torch.randn_like(x)
    return normalised(x.clamp(0, 1)), taped * ~exchanged
