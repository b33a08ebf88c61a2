"""Noise, preview and decoding, each alone."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from generation.engine import decode, device, noise, weights
from generation.engine.preview import SHOWN, Preview
from generation.models import resolve
from generation.request import Request, Variation


@pytest.fixture(scope="module")
def starter() -> weights.LoadedModel:
    return weights.load(resolve("starter"), device.choose("cpu", "auto", 1))


def latents_of(model: weights.LoadedModel, image: Image.Image) -> torch.Tensor:
    with torch.inference_mode():
        encoded: torch.Tensor = model.vae.encode(model.images.preprocess(image)).latents
    return encoded * model.vae.config.scaling_factor


def test_noise_follows_the_request_s_definition(wish: Callable[..., Request]) -> None:
    shape = (1, 8, 32, 32)

    def start(request: Request) -> torch.Tensor:
        return noise.starting(request, noise.generator(request.seed), shape)

    def drawn(seed: int) -> torch.Tensor:
        return torch.randn(shape, generator=torch.Generator("cpu").manual_seed(seed))

    assert torch.equal(start(wish(seed=5)), drawn(5))
    assert torch.equal(start(wish(seed=5, variations=(Variation(9, 0.0),))), drawn(5))
    assert torch.equal(start(wish(seed=5, variations=(Variation(9, 1.0),))), drawn(9))
    half = start(wish(seed=5, variations=(Variation(9, 0.5),)))
    assert torch.allclose(half, (drawn(5) + drawn(9)) / 2**0.5, atol=0.05)
    chain = wish(seed=5, count=2, variations=(Variation(9, 0.5), Variation(7, 0.2)))
    assert torch.equal(start(chain.single(1)), noise.slerp(half, drawn(8), 0.2))
    assert float(start(chain.single(1)).std()) == pytest.approx(1.0, abs=0.03)
    assert torch.equal(start(wish(seed=2**32 - 1)), drawn(2**32 - 1))


def test_slerp_between_equal_and_opposite_points_is_finite() -> None:
    point = torch.randn(1, 4, 8, 8)
    assert torch.allclose(noise.slerp(point, point, 0.3), point, atol=1e-6)
    assert noise.slerp(point, -point, 0.3).isfinite().all()


def test_the_preview_shows_what_the_decoder_will(starter: weights.LoadedModel) -> None:
    picture = Image.new("RGB", (256, 256), (30, 60, 150))
    picture.paste((220, 40, 30), (64, 96, 192, 256))
    shown = Image.open(io.BytesIO(Preview.fit(starter).jpeg(latents_of(starter, picture))))
    assert shown.size == (SHOWN, SHOWN)
    assert shown.format == "JPEG"
    difference = np.abs(np.asarray(shown, dtype=float) - np.asarray(picture, dtype=float))
    assert difference.mean() < 12.0
    assert difference[200:230, 110:140].mean() < 25.0


def test_previews_of_sets_and_of_large_and_broken_pictures(starter: weights.LoadedModel) -> None:
    preview = Preview.fit(starter)
    sizes = {
        (4, 8, 32, 32): (256, 256),
        (2, 8, 32, 32): (256, 128),
        (3, 8, 32, 32): (256, 256),
        (1, 8, 128, 64): (256, 512),
        (1, 8, 16, 128): (256, 32),
    }
    for shape, size in sizes.items():
        assert Image.open(io.BytesIO(preview.jpeg(torch.randn(shape)))).size == size
    assert preview.jpeg(torch.full((1, 8, 32, 32), float("nan")))


def test_a_preview_costs_a_few_milliseconds(starter: weights.LoadedModel) -> None:
    preview, latents = Preview.fit(starter), torch.randn(4, 8, 64, 64)
    times = []
    for _ in range(15):
        began = time.process_time()
        preview.jpeg(latents)
        times.append(time.process_time() - began)
    assert sorted(times)[7] < 0.015


def test_decoding_equals_the_library_and_tells_of_life(starter: weights.LoadedModel) -> None:
    latents = torch.randn(2, 8, 16, 16)
    signs: list[None] = []
    pixels = decode.decode(starter, latents, lambda: signs.append(None))
    assert pixels.shape == (2, 128, 128, 3)
    assert len(signs) == 2
    with torch.inference_mode():
        raw = starter.vae.decode(latents[1:] / starter.vae.config.scaling_factor, return_dict=False)[0]
    assert np.array_equal(pixels[1], (raw * 0.5 + 0.5).clamp(0, 1)[0].permute(1, 2, 0).numpy())


def test_a_decoder_that_overflows_is_asked_again_in_full_precision(caplog: pytest.LogCaptureFixture) -> None:
    model = weights.load(resolve("starter"), device.Place(torch.device("cpu"), torch.float16, "CPU"))
    latents = torch.randn(1, 8, 8, 8, dtype=torch.float16)
    first: Any = model.vae
    with torch.no_grad():
        first.decoder.layers[0].weight.mul_(3e4)
        first.decoder.layers[0].bias.mul_(3e4)
    assert np.isfinite(decode.decode(model, latents, lambda: None)).all()
    assert "overflowed in float16" in caplog.text
    assert model.vae.dtype == torch.float16
    caplog.clear()
    assert not np.isfinite(decode.decode(model, latents * float("nan"), lambda: None)).any()
    assert not caplog.text  # broken latents are broken in every precision
