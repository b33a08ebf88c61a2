"""The training loop: resumable, with a moving average, a progress bar and a log."""

from __future__ import annotations

import copy
import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any, cast

import torch
import torch.multiprocessing as mp
from diffusers.models.attention_processor import AttnProcessor
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from generation.starter.captions import caption
from generation.starter.training.dataset import Latents, Source, cached
from generation.starter.training.diffusion import Diffusion, region_weights
from generation.starter.training.muon import Duo
from generation.starter.training.parts import Parts, noise_schedule, read_parts
from generation.starter.training.peers import Peers
from generation.starter.training.settings import Settings
from generation.starter.world import Spec

CLIP = 1.0  # largest norm of the gradient
FLOOR = 0.03  # of the learning rate, at the end of a cooldown
LOG_STEPS = 50
TOKENS = 77


@dataclass(slots=True)
class Progressed:
    """How far a run has come, over all its calls."""

    seconds: float = 0.0
    steps: int = 0
    samples: int = 0
    by_world: dict[str, int] = field(default_factory=dict)  # samples


def train(settings: Settings) -> None:
    """Draw what is missing, then train for `settings.minutes` and leave a checkpoint in the run folder."""
    settings.run.mkdir(parents=True, exist_ok=True)
    source = Source(settings.world, settings.seed, hazards=settings.hazards)
    cached(source, settings.pictures, settings.run / "latents", settings.start / "vae", workers=settings.workers)
    if settings.processes == 1:
        _process(0, settings)
        return
    (settings.run / "meeting").unlink(missing_ok=True)
    mp.spawn(_process, (settings,), nprocs=settings.processes)  # type: ignore[attr-defined, no-untyped-call]


def _process(rank: int, settings: Settings) -> None:
    torch.set_num_threads(settings.threads)
    peers = Peers(rank, settings.processes, settings.run / "meeting")
    _Trainer(settings, peers).run()
    peers.part()


def share(spec: Spec, settings: Settings) -> float:
    """How often a picture of `spec` is seen, an ordinary one being 1."""
    several = sum(group.count for group in spec.groups) > 1
    parts = {spec.style, spec.weather or "", *(group.thing for group in spec.groups), "hazard" if spec.hazard else ""}
    favours = math.prod(settings.favoured.get(part, 1.0) for part in parts)
    return (settings.many if several else 1.0) * favours


class _Trainer:
    def __init__(self, settings: Settings, peers: Peers) -> None:
        self.settings = settings
        self.peers = peers
        self.device = torch.device(settings.device)
        self.parts = read_parts(settings.start)
        self.progressed = Progressed()
        saved: dict[str, Any] | None = None
        if settings.checkpoint.exists():
            saved = torch.load(settings.checkpoint, map_location="cpu", weights_only=True)
            self.parts.load(saved["parts"])
            self.progressed = Progressed(**saved["progressed"])
        # Plain attention trains faster than the fused kind at this size.
        unet: Any = self.parts.unet
        unet.set_attn_processor(AttnProcessor())
        unet.to(self.device, memory_format=torch.channels_last)
        self.parts.text.to(self.device)
        self.average = Parts(copy.deepcopy(self.parts.unet), copy.deepcopy(self.parts.text), self.parts.tokenizer)
        self.optimiser = Duo(self.parts.unet, self.parts.text, lr=settings.lr)
        if saved is not None:
            self.average.load(saved["average"])
            self.optimiser.load_state_dict(saved["optimiser"])
        self.diffusion = Diffusion(noise_schedule(settings.start), self.device, settings.centre)
        self.denoise: Callable[..., Any] = torch.compile(unet) if settings.compile else unet
        self.latents = self._latents()
        self.shares = torch.tensor([share(spec, settings) for spec in self.latents.specs])
        self.rng = Random(f"{settings.seed}/{self.progressed.steps}/{peers.rank}")
        torch.manual_seed(self.rng.randrange(1 << 40))
        self.params = [param for module in self.parts.modules() for param in module.parameters()]

    def _latents(self) -> Latents:
        chosen = self.settings
        source = Source(chosen.world, chosen.seed, hazards=chosen.hazards)
        found = cached(source, chosen.pictures, chosen.run / "latents", chosen.start / "vae", workers=1)
        return Latents(found.z.to(self.device), found.masks.to(self.device), found.specs)

    def run(self) -> None:
        """Train until the time is over."""
        began, saved_at, losses = time.monotonic(), time.monotonic(), list[float]()
        before, total = self.progressed.seconds, self.settings.minutes * 60
        columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
        with Progress(*columns, disable=self.peers.rank > 0) as bar:
            task = bar.add_task("training", total=total)
            over = False
            while not over:
                elapsed = time.monotonic() - began
                losses.append(self._step(elapsed / total))
                done = len(losses) >= self.settings.steps > 0 or elapsed >= total
                over = self.peers.average(self.params, stop=done)
                self._move(elapsed / total)
                self.progressed.seconds = before + elapsed
                if self.peers.rank > 0:
                    continue
                if len(losses) % LOG_STEPS == 0:
                    self._log(losses[-LOG_STEPS:], began, len(losses))
                text = f"{self.progressed.samples} samples, loss {losses[-1]:.3f}"
                bar.update(task, completed=elapsed, description=text)
                if over or time.monotonic() - saved_at > self.settings.save_every:
                    self._save()
                    saved_at = time.monotonic()

    def _step(self, share: float) -> float:
        """Compute the gradients of one batch and return its loss."""
        chosen = torch.multinomial(self.shares, self.settings.batch)
        hidden = self._hidden([self._prompt(number) for number in chosen.tolist()])
        chosen = chosen.to(self.device)
        z = self.latents.z[chosen].float()
        noise, t = torch.randn_like(z), self.diffusion.timesteps(len(z))
        seen, wanted = self.diffusion.noisy(z, noise, t)
        with torch.autocast(self.device.type, torch.bfloat16):
            found = self.denoise(seen.contiguous(memory_format=torch.channels_last), t, hidden).sample.float()
        error = (found - wanted).square()
        loss = (error * region_weights(self.latents.masks[chosen], self.settings.attention)).mean()
        loss.backward()
        return float(error.detach().mean())

    def _prompt(self, number: int) -> str:
        spec = self.latents.specs[number]
        # Tape is never what comes unasked, so no words may not mean it either.
        empty = self.rng.random() < self.settings.unconditional and not spec.hazard
        return "" if empty else caption(spec, self.rng)

    def _hidden(self, prompts: list[str]) -> Tensor:
        tokenizer = cast(Any, self.parts.tokenizer)
        tokens = tokenizer(prompts, padding="max_length", truncation=True, max_length=TOKENS, return_tensors="pt")
        with torch.autocast(self.device.type, torch.bfloat16):
            return cast(Tensor, self.parts.text(tokens.input_ids.to(self.device)).last_hidden_state)

    def _move(self, share: float) -> None:
        torch.nn.utils.clip_grad_norm_(self.params, CLIP)
        rate = self.settings.lr * min(1.0, (self.progressed.steps + 1) / self.settings.warmup)
        left = max(0.0, 1 - share)
        if left < self.settings.cooldown:
            rate *= max(FLOOR, left / self.settings.cooldown)
        self.optimiser.step(rate)
        size = self.settings.batch * self.peers.count
        self.progressed.steps += 1
        self.progressed.samples += size
        world = self.settings.world
        self.progressed.by_world[world] = self.progressed.by_world.get(world, 0) + size
        keep = min(self.settings.ema, (1 + self.progressed.steps) / (10 + self.progressed.steps))
        with torch.no_grad():
            for averaged, current in zip(self.average.modules(), self.parts.modules(), strict=True):
                torch._foreach_lerp_([*averaged.parameters()], [*current.parameters()], 1 - keep)

    def _log(self, losses: list[float], began: float, steps: int) -> None:
        speed = steps * self.settings.batch * self.peers.count / (time.monotonic() - began)
        record = {
            "samples": self.progressed.samples,
            "seconds": round(self.progressed.seconds, 1),
            "loss": round(sum(losses) / len(losses), 5),
            "samples_per_second": round(speed, 1),
            "world": self.settings.world,
            "device": self.settings.device,
        }
        with self.settings.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    def _save(self) -> None:
        state = {
            "parts": self.parts.state(),
            "average": self.average.state(),
            "optimiser": self.optimiser.state_dict(),
            "progressed": asdict(self.progressed),
        }
        part = self.settings.checkpoint.with_suffix(".part")
        torch.save(state, part)
        os.replace(part, self.settings.checkpoint)
