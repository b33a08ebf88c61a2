"""Numbered pictures of a world, and their latents kept on disk."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor

from generation.starter.drawing.picture import render
from generation.starter.sampling import sample_spec
from generation.starter.training.parts import read_autoencoder
from generation.starter.world import WORLDS, Spec

SHARD = 1000  # pictures per file
PATCH = 8  # pixels along one side of a latent cell


@dataclass(frozen=True, slots=True)
class Source:
    """An endless numbered series of pictures: the same world and seed give the same series everywhere."""

    world: str
    seed: int = 0
    keep_out: bool = True
    hazards: float = 0.0  # share of pictures with hazard tape; all else in them stays as it was

    def spec(self, number: int) -> tuple[Spec, int]:
        """What picture `number` shows, and the seed it is drawn with."""
        rng = Random(f"{self.world}/{self.seed}/{number}")
        spec = sample_spec(rng, WORLDS[self.world], keep_out=self.keep_out)
        taped = Random(f"hazard/{self.world}/{self.seed}/{number}").random() < self.hazards
        return replace(spec, hazard=taped), rng.randrange(1 << 40)

    def picture(self, number: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Picture `number` and its region mask."""
        return render(*self.spec(number))


class PatchEncoder:
    """The autoencoder's encoder as the single matrix that it is: a projection of 8 x 8 patches."""

    def __init__(self, vae: Any) -> None:
        basis = torch.eye(3 * PATCH * PATCH).view(-1, 3, PATCH, PATCH)
        with torch.no_grad():
            scale = float(vae.config["scaling_factor"])
            origin = vae.encode(torch.zeros(1, 3, PATCH, PATCH)).latents.flatten(1) * scale
            self._matrix = vae.encode(basis).latents.flatten(1) * scale - origin
            self._origin = origin

    def __call__(self, pixels: Tensor) -> Tensor:
        """Scaled latents of `pixels`, which are N x H x W x 3 in bytes."""
        x = pixels.float().div(127.5).sub(1)
        n, height, width, _ = x.shape
        rows, columns = height // PATCH, width // PATCH
        patches = x.view(n, rows, PATCH, columns, PATCH, 3).permute(0, 1, 3, 5, 2, 4).reshape(n, rows, columns, -1)
        latents: Tensor = patches @ self._matrix + self._origin
        return latents.permute(0, 3, 1, 2)


@dataclass(frozen=True, slots=True)
class Latents:
    """Cached pictures: fp16 latents, region masks in bytes, and the specs behind them."""

    z: Tensor
    masks: Tensor
    specs: Sequence[Spec]


def cached(source: Source, count: int, folder: Path, vae_folder: Path, *, workers: int) -> Latents:
    """The first `count` pictures of `source` as latents; what `folder` lacks is rendered by `workers` processes."""
    folder.mkdir(parents=True, exist_ok=True)
    shards = range(-(-count // SHARD))
    missing = [shard for shard in shards if not _path(folder, source, shard).exists()]
    if missing:
        jobs = [(source, shard, folder, vae_folder) for shard in missing]
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            for _ in track(pool.map(_write_shard, jobs), f"drawing {source.world}", total=len(jobs)):
                pass
    loaded = [torch.load(_path(folder, source, shard), weights_only=True) for shard in shards]
    return Latents(
        z=torch.cat([shard["z"] for shard in loaded])[:count],
        masks=torch.cat([shard["masks"] for shard in loaded])[:count],
        specs=[source.spec(number)[0] for number in range(count)],
    )


def _path(folder: Path, source: Source, shard: int) -> Path:
    taped = f"-hazard{source.hazards:g}" if source.hazards else ""
    return folder / f"{source.world}-{source.seed}{taped}-{shard:04d}.pt"


def _write_shard(job: tuple[Source, int, Path, Path]) -> None:
    source, shard, folder, vae_folder = job
    torch.set_num_threads(1)
    encode = PatchEncoder(read_autoencoder(vae_folder))
    latents, masks = [], []
    for start in range(shard * SHARD, (shard + 1) * SHARD, 50):
        drawn = [source.picture(number) for number in range(start, start + 50)]
        latents.append(encode(torch.from_numpy(np.stack([pixels for pixels, _ in drawn]))).half())
        masks.append(torch.from_numpy(np.stack([mask for _, mask in drawn])))
    path = _path(folder, source, shard)
    torch.save({"z": torch.cat(latents), "masks": torch.cat(masks)}, path.with_suffix(".part"))
    os.replace(path.with_suffix(".part"), path)
