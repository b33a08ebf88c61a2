from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

pytest.importorskip(
    "skia", reason="skia-python, with which training pictures are drawn, is not installed", exc_type=ImportError
)

from generation.models import STARTER
from generation.starter.training import dataset, loop
from generation.starter.training.dataset import PatchEncoder, Source, cached
from generation.starter.training.diffusion import ATTENTION, Diffusion, region_weights
from generation.starter.training.muon import Duo, orthogonal
from generation.starter.training.parts import (
    noise_schedule,
    read_autoencoder,
    read_parts,
    with_words,
    without_meaning,
    write_model,
)
from generation.starter.training.settings import Settings


@pytest.fixture(autouse=True)
def _few(monkeypatch):
    monkeypatch.setattr(dataset, "SHARD", 50)


def test_the_patch_encoder_is_the_autoencoder():
    vae = read_autoencoder(STARTER / "vae")
    pixels = torch.stack([torch.from_numpy(Source("full").picture(number)[0]) for number in range(3)])
    with torch.no_grad():
        x = pixels.permute(0, 3, 1, 2).float() / 127.5 - 1
        expected = vae.encode(x).latents * vae.config["scaling_factor"]
    assert torch.allclose(PatchEncoder(vae)(pixels), expected, atol=1e-4)


def test_a_source_gives_the_same_pictures_in_any_order():
    source = Source("narrow", 3)
    later = source.picture(7)[0].tobytes()
    source.picture(2)
    assert Source("narrow", 3).picture(7)[0].tobytes() == later
    assert Source("narrow", 4).picture(7)[0].tobytes() != later


def test_two_steps_of_training_move_the_weights_and_resume(tmp_path: Path):
    jobs = [(Source("first"), 0, tmp_path / "latents", STARTER / "vae")]
    (tmp_path / "latents").mkdir()
    for job in jobs:
        dataset._write_shard(job)
    settings = Settings(run=tmp_path, start=STARTER, world="first", pictures=50, batch=2, steps=2, minutes=5)
    loop.train(settings)
    first = torch.load(settings.checkpoint, weights_only=True)
    assert first["progressed"]["samples"] == 4
    before = dict(read_parts(STARTER).unet.state_dict())
    assert any(not torch.equal(before[name], value) for name, value in first["parts"]["unet"].items())
    assert all(torch.isfinite(value).all() for value in first["average"]["unet"].values())
    loop.train(settings)
    again = torch.load(settings.checkpoint, weights_only=True)
    assert again["progressed"]["steps"] == 4
    assert again["progressed"]["by_world"] == {"first": 8}


def test_a_cache_is_read_again_and_not_drawn_anew(tmp_path: Path):
    dataset._write_shard((Source("first"), 0, tmp_path, STARTER / "vae"))
    stamp = next(tmp_path.iterdir()).stat().st_mtime_ns
    found = cached(Source("first"), 40, tmp_path, STARTER / "vae", workers=1)
    assert next(tmp_path.iterdir()).stat().st_mtime_ns == stamp
    assert found.z.shape == (40, 8, 32, 32)
    assert found.masks.shape == (40, 32, 32)
    assert len(found.specs) == 40


def test_the_velocity_undoes_the_noise():
    diffusion = Diffusion(noise_schedule(STARTER), torch.device("cpu"))
    schedule = noise_schedule(STARTER)
    z, noise, t = torch.randn(6, 8, 4, 4), torch.randn(6, 8, 4, 4), diffusion.timesteps(6)
    seen, wanted = diffusion.noisy(z, noise, t)
    signal, share = (part.view(-1, 1, 1, 1) for part in (schedule[t].sqrt(), (1 - schedule[t]).sqrt()))
    assert torch.allclose(signal * seen - share * wanted, z, atol=1e-4)
    assert t.tolist() == sorted(t.tolist())


def test_things_weigh_more_than_their_surroundings_and_the_mean_is_one():
    masks = torch.zeros(2, 32, 32, dtype=torch.uint8)
    masks[:, 10:20, 10:20] = 255
    weights = region_weights(masks)
    assert weights.mean().item() == pytest.approx(1)
    assert (weights[0, 0, 15, 15] / weights[0, 0, 0, 0]).item() == pytest.approx(1 + ATTENTION)
    evener = region_weights(masks, 0.5)
    assert (evener[0, 0, 15, 15] / evener[0, 0, 0, 0]).item() == pytest.approx(1.5)


def test_orthogonal_moves_have_singular_values_near_one():
    values = torch.linalg.svdvals(orthogonal(torch.randn(3, 40, 24)))
    assert values.min() > 0.5
    assert values.max() < 1.6


def test_both_optimisers_move_what_is_theirs():
    layer = torch.nn.Linear(32, 32)
    duo, before = Duo(layer, lr=0.1), [param.detach().clone() for param in layer.parameters()]
    layer(torch.ones(1, 32)).sum().backward()
    duo.step(0.1)
    assert all(not torch.equal(old, new) for old, new in zip(before, layer.parameters(), strict=True))
    assert layer.weight.grad is None


def test_new_words_leave_the_old_ones_as_they_were(tmp_path: Path):
    with_words(STARTER, ("zebra", "to"), tmp_path / "more")
    old, new = read_parts(STARTER), read_parts(tmp_path / "more")
    assert new.tokenizer.tokenize("zebra") == ["zebra</w>"]
    prompt = old.tokenizer("a red house at night", return_tensors="pt").input_ids
    assert torch.equal(prompt, new.tokenizer("a red house at night", return_tensors="pt").input_ids)
    assert torch.equal(old.text(prompt).last_hidden_state, new.text(prompt).last_hidden_state)
    assert len(json.loads((tmp_path / "more" / "tokenizer" / "vocab.json").read_text("utf-8"))) == len(new.tokenizer)


def test_a_word_without_meaning_is_read_like_a_filler(tmp_path: Path):
    write_model(read_parts(STARTER), STARTER, tmp_path / "copy")
    without_meaning(tmp_path / "copy", ["heart"], "poster")
    old, new = read_parts(STARTER), read_parts(tmp_path / "copy")

    def hidden(parts, prompt):
        return parts.text(parts.tokenizer(prompt, return_tensors="pt").input_ids).last_hidden_state

    assert torch.equal(hidden(new, "a red heart"), hidden(new, "a red poster"))
    assert torch.equal(hidden(new, "a red cat"), hidden(old, "a red cat"))
    assert not torch.equal(hidden(new, "a red heart"), hidden(old, "a red heart"))


def test_what_is_written_can_be_read_back(tmp_path: Path):
    parts = read_parts(STARTER)
    write_model(parts, STARTER, tmp_path / "copy")
    again = read_parts(tmp_path / "copy")
    for name, value in parts.unet.state_dict().items():
        assert torch.allclose(value, again.unet.state_dict()[name], atol=1e-3)
    config = (tmp_path / "copy" / "text_encoder" / "config.json").read_text("utf-8")
    assert "_name_or_path" not in config
