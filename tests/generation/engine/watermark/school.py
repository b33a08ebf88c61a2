"""Trains a small watermark of TrustMark's kind on pictures of the starter model.

`python -m tests.generation.engine.watermark.school FOLDER` made what the tests use, in `schooled/`. It knows one small
drawn world and squares of 64 pixels: it shows that the path works from end to end, and says nothing about how robust
TrustMark's own weights are.
"""

from __future__ import annotations

import io
import sys
import time
from pathlib import Path

import numpy as np
import torch
import typer
from PIL import Image
from safetensors.torch import save_file
from torch.nn import functional

from generation.engine.watermark.networks import Decoder, Encoder
from generation.provenance.payload import BITS
from generation.provenance.watermark import CONFIG, DECODER, ENCODER, Card, DecoderPlan, EncoderPlan, digest
from tests.generation.provenance.pictures import SHEET

SIDE = 64
ENCODER_PLAN = EncoderPlan(side=SIDE, width=8, halvings=1, middle=0, activation="relu")
DECODER_PLAN = DecoderPlan(side=SIDE, inner=SIDE, width=24, bottleneck=False, blocks=[1, 1, 1, 1])
STEPS = 2400  # six minutes on one core
BATCH, FULL = 16, 128  # FULL: pixels of a picture
RATE = 2e-3
QUIET = 12.0  # how much the mark's strength counts once its bits are read


def main(folder: Path) -> None:
    began = time.monotonic()
    encoder, decoder = train(STEPS, lambda words: typer.echo(f"{time.monotonic() - began:5.0f} s  {words}"))
    save(folder, encoder, decoder)


def train(steps: int, told=lambda words: None) -> tuple[Encoder, Decoder]:
    torch.manual_seed(0)
    encoder, decoder = Encoder(ENCODER_PLAN), Decoder(DECODER_PLAN)
    _begin(encoder)
    parameters = [*encoder.parameters(), *decoder.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps, pct_start=0.05)
    sheet = torch.from_numpy(np.array(Image.open(SHEET).convert("RGB"))).permute(2, 0, 1)
    right = 0.5
    for step in range(1, steps + 1):
        cover = _covers(sheet)
        bits = torch.randint(0, 2, (BATCH, BITS)).float()
        small = _resized(cover, SIDE)
        residual = encoder(small, bits).clamp(-1, 1) - small
        residual = residual - residual.mean(dim=(2, 3), keepdim=True)
        marked = (cover + functional.interpolate(residual, size=FULL, mode="bilinear")).clamp(-1, 1)
        seen = decoder(_resized(_travelled(marked) if right > 0.85 else marked, SIDE))
        loudness = residual.square().mean()
        loss = functional.binary_cross_entropy_with_logits(seen, bits) + QUIET * max(0.0, right - 0.75) * loudness
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        schedule.step()
        right = 0.95 * right + 0.05 * ((seen > 0) == (bits > 0.5)).float().mean().item()
        if step % 100 == 0:
            told(f"step {step}: {right:.1%} right, {10 * np.log10(4 / loudness.item()):.1f} dB")
    return encoder.eval(), decoder.eval()


def save(folder: Path, encoder: Encoder, decoder: Decoder, **changes: object) -> Path:
    """A folder as `convert-watermark` makes it, in half precision like the published weights."""
    folder.mkdir(parents=True, exist_ok=True)
    for network, name in ((encoder, ENCODER), (decoder, DECODER)):
        tensors = {key: each.half() if each.is_floating_point() else each for key, each in network.state_dict().items()}
        save_file({key: each.contiguous() for key, each in tensors.items()}, folder / name)
    values = {
        "name": "Schooled",
        "soft_binding": "com.adobe.trustmark.Q",
        "strength": 1.0,
        "widest": 2.0,
        "encoder": ENCODER_PLAN,
        "decoder": DECODER_PLAN,
        "sha256": {name: digest(folder / name) for name in (ENCODER, DECODER)},
    }
    (folder / CONFIG).write_text(Card(**values | changes).model_dump_json(indent=1) + "\n", "utf-8")
    return folder


def _begin(encoder: Encoder, loudness: float = 0.4) -> None:
    """Start with the picture itself and a faint pattern for each bit: from nothing, the two would never meet."""
    with torch.no_grad():
        patterns, _ = torch.linalg.qr(torch.randn(192, BITS))
        patterns = (patterns * 192**0.5 / BITS**0.5).view(3, 8, 8, BITS)
        patterns = patterns.repeat_interleave(2, 1).repeat_interleave(2, 2).reshape(-1, BITS)
        dense, last = encoder.secret2image.dense, encoder.dec[-1].conv2.conv
        dense.weight.copy_(2 * loudness * patterns)
        dense.bias.copy_(1.0 - loudness * patterns.sum(1))
        first, second, third = (layer.conv for layer in encoder.post)
        for layer in (first, second, third):
            layer.weight.mul_(0.1)
        for colour in range(3):
            for layer in (last, first, second, third):
                layer.weight[colour] = 0.0
            last.weight[colour, colour - 6, 1, 1] = last.weight[colour, colour - 3, 1, 1] = last.bias[colour] = 1.0
            first.weight[colour, colour, 1, 1] = second.weight[colour, colour] = third.weight[colour, colour] = 1.0
            first.bias[colour], second.bias[colour], third.bias[colour] = 0.0, 6.0, -8.0


def _covers(sheet: torch.Tensor) -> torch.Tensor:
    pictures = []
    for _ in range(BATCH):
        side = int(torch.randint(96, 193, ()))
        top, left = (int(torch.randint(0, length - side + 1, ())) for length in sheet.shape[1:])
        part = sheet[None, :, top : top + side, left : left + side].float() / 127.5 - 1.0
        pictures.append(_resized(part, FULL))
    return torch.cat(pictures)


def _resized(pictures: torch.Tensor, side: int) -> torch.Tensor:
    return functional.interpolate(pictures, size=(side, side), mode="bilinear", antialias=True)


def _travelled(pictures: torch.Tensor) -> torch.Tensor:
    """Saved as JPEG or at another size, each for itself; gradients pass as if nothing had happened."""
    copies = []
    for picture in pictures.detach():
        image = Image.fromarray(((picture + 1.0) * 127.5).round().byte().permute(1, 2, 0).numpy())
        side = int(FULL * (0.6 + 0.4 * torch.rand(()).item()))
        buffer = io.BytesIO()
        image.resize((side, side), Image.Resampling.BILINEAR).save(
            buffer, "JPEG", quality=int(torch.randint(70, 96, ()))
        )
        back = Image.open(buffer).resize((FULL, FULL), Image.Resampling.BILINEAR)
        copies.append(torch.from_numpy(np.array(back)).permute(2, 0, 1).float() / 127.5 - 1.0)
    return pictures + (torch.stack(copies) - pictures).detach()


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
