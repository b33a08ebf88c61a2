"""Noise, preview and decoding, each alone."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from generation.engine import device, noise, weights
from generation.engine.decode import Decoder
from generation.engine.model import LoadedModel
from generation.engine.options import EngineOptions
from generation.engine.preview import SHOWN, Preview
from generation.models import resolve
from generation.request import Request, Variation


@pytest.fixture(scope="module")
def starter() -> LoadedModel:
    return weights.load(resolve("starter"), device.choose("cpu", "auto", 1))


def latents_of(model: LoadedModel, image: Image.Image) -> torch.Tensor:
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


def test_the_preview_shows_what_the_decoder_will(starter: LoadedModel) -> None:
    picture = Image.new("RGB", (256, 256), (30, 60, 150))
    picture.paste((220, 40, 30), (64, 96, 192, 256))
    shown = Image.open(io.BytesIO(Preview.fit(starter).jpeg(latents_of(starter, picture))))
    assert shown.size == (SHOWN, SHOWN)
    assert shown.format == "JPEG"
    difference = np.abs(np.asarray(shown, dtype=float) - np.asarray(picture, dtype=float))
    assert difference.mean() < 12.0
    assert difference[200:230, 110:140].mean() < 25.0


def test_previews_of_sets_and_of_large_and_broken_pictures(starter: LoadedModel) -> None:
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


def test_a_preview_costs_a_few_milliseconds(starter: LoadedModel) -> None:
    preview, latents = Preview.fit(starter), torch.randn(4, 8, 64, 64)
    times = []
    for _ in range(15):
        began = time.process_time()
        preview.jpeg(latents)
        times.append(time.process_time() - began)
    assert sorted(times)[7] < 0.015


def decoder(model: LoadedModel, alive: Callable[[], None] = lambda: None, together: int = 0) -> Decoder:
    return Decoder(model, EngineOptions(decode_batch=together), alive)


def test_decoding_equals_the_library_and_tells_of_life(starter: LoadedModel) -> None:
    latents = torch.randn(2, 8, 16, 16)
    signs: list[None] = []
    pictures = decoder(starter, lambda: signs.append(None)).decode(latents)
    assert [picture.shape for picture in pictures if picture is not None] == [(128, 128, 3)] * 2
    assert len(signs) == 2
    with torch.inference_mode():
        raw = starter.vae.decode(latents[1:] / starter.vae.config.scaling_factor, return_dict=False)[0]
    wanted = ((raw * 0.5 + 0.5).clamp(0, 1)[0].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
    assert pictures[1] is not None
    assert np.array_equal(pictures[1], wanted)


def test_a_broken_picture_is_none_and_its_neighbour_is_not(starter: LoadedModel) -> None:
    latents = torch.randn(2, 8, 8, 8)
    latents[0, 0, 0, 0] = float("nan")
    broken, sound = decoder(starter).decode(latents)
    assert broken is None
    assert sound is not None


def test_a_decoder_that_overflows_is_asked_again_in_full_precision(caplog: pytest.LogCaptureFixture) -> None:
    model = weights.load(resolve("starter"), device.Place(torch.device("cpu"), torch.float16, "CPU"))
    latents = 10 * torch.randn((1, 8, 8, 8), generator=torch.Generator().manual_seed(3))  # far beyond float16's range
    first: Any = model.vae
    with torch.no_grad():
        first.decoder.layers[0].weight.mul_(3e4)
        first.decoder.layers[0].bias.mul_(3e4)
    assert decoder(model).decode(latents)[0] is not None
    assert "overflowed in float16" in caplog.text
    assert model.vae.dtype == torch.float16
    caplog.clear()
    assert decoder(model).decode(latents * float("nan")) == [None]
    assert not caplog.text  # broken latents are broken in every precision


class Cramped:
    """An autoencoder in too small a machine: more than `most` latent cells at once are refused by the allocator."""

    def __init__(self, vae: Any, most: int) -> None:
        self._vae, self._most = vae, most
        self.config, self.dtype, self.device = vae.config, vae.dtype, vae.device
        self.asked: list[int] = []
        if hasattr(vae, "enable_tiling"):
            self.enable_tiling = self._tile

    def _tile(self) -> None:
        self._vae.enable_tiling()
        self._most = 10**9  # the library cuts it up below this seam

    def decode(self, latents: torch.Tensor, return_dict: bool) -> Any:
        self.asked.append(len(latents))
        if latents.shape[0] * latents.shape[2] * latents.shape[3] > self._most:
            torch.empty(2**50)  # the allocator's own refusal
        return self._vae.decode(latents, return_dict=return_dict)


def test_where_memory_is_short_pictures_are_decoded_one_by_one_and_then_in_tiles(tiny_model: Path) -> None:
    model = weights.load(resolve(str(tiny_model)), device.choose("cpu", "auto", 1))
    latents = torch.randn(3, 4, 16, 16)
    wanted = decoder(model, together=3).decode(latents)
    by_one = replace(model, vae=Cramped(model.vae, 16 * 16))
    for picture, other in zip(decoder(by_one, together=3).decode(latents), wanted, strict=True):
        assert picture is not None
        assert other is not None
        assert np.abs(picture.astype(int) - other.astype(int)).max() <= 1
    assert by_one.vae.asked == [3, 1, 1, 1]  # type: ignore[attr-defined]
    tiled = decoder(replace(model, vae=Cramped(model.vae, 100)), together=3)
    assert all(picture is not None for picture in tiled.decode(latents))
    starter = weights.load(resolve("starter"), device.choose("cpu", "auto", 1))
    hopeless = decoder(replace(starter, vae=Cramped(NoTiles(starter.vae), 100)))
    with pytest.raises(RuntimeError, match="allocate"):
        hopeless.decode(torch.randn(1, 8, 16, 16))


class NoTiles:
    """An autoencoder that cannot decode in tiles."""

    def __init__(self, vae: Any) -> None:
        self.config, self.dtype, self.device, self.decode = vae.config, vae.dtype, vae.device, vae.decode
