"""Model names, files and configurations read without torch."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from generation.errors import ModelUnavailable
from generation.models import STARTER, UNKNOWN_LICENCE, SourceKind, describe, read_header, resolve

SD1_KEY = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"


def weights(path: Path, tensors: dict[str, list[int]], *, missing: int = 0, **header: Any) -> Path:
    """A safetensors file of float16 zeros, `missing` bytes short."""
    entries: dict[str, Any] = dict(header)
    end = 0
    for name, shape in tensors.items():
        size = 2
        for side in shape:
            size *= side
        entries[name] = {"dtype": "F16", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    raw = json.dumps(entries).encode()
    path.write_bytes(struct.pack("<Q", len(raw)) + raw + b"\0" * (end - missing))
    return path


def test_the_starter_is_known_by_name() -> None:
    card = describe("starter")
    assert (card.family, card.native, card.steps, card.guidance, card.sampler) == ("sd1", 256, 20, 3.0, "dpmpp_2m")
    assert card.licence == "MIT"
    assert card.note
    assert resolve("starter").place == str(STARTER)


def test_a_folder_is_described_by_its_configurations(tmp_path: Path) -> None:
    parts: dict[str, Any] = {
        "model_index.json": {"_class_name": "StableDiffusionPipeline", "scheduler": ["diffusers", "LCMScheduler"]},
        "unet/config.json": {"sample_size": 96, "cross_attention_dim": 1024},
        "vae/config.json": {"block_out_channels": [1, 2, 3, 4]},
    }
    for name, data in parts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps(data))
    card = describe(str(tmp_path))
    assert (card.family, card.native, card.steps, card.guidance, card.sampler) == ("sd2", 768, 4, 0.0, "lcm")
    assert card.licence == UNKNOWN_LICENCE


@pytest.mark.parametrize(
    ("name", "family", "native", "steps", "guidance"),
    [
        ("stabilityai/sd-turbo", "sd2", 512, 1, 0.0),
        ("stabilityai/stable-diffusion-2-1", "sd2", 768, 25, 7.0),
        ("stable-diffusion-v1-5/stable-diffusion-v1-5@451f4fe", "sd1", 512, 25, 7.0),
        ("SimianLuo/LCM_Dreamshaper_v7", "sd1", 512, 4, 0.0),
        ("stabilityai/stable-diffusion-xl-base-1.0", "sdxl", 1024, 25, 7.0),
        ("someone/hypersaturated", "sd1", 512, 25, 7.0),
    ],
)
def test_hub_ids_are_guessed_from_their_names(name: str, family: str, native: int, steps: int, guidance: float) -> None:
    card = describe(name)
    assert (card.family, card.native, card.steps, card.guidance) == (family, native, steps, guidance)


def test_a_revision_belongs_to_the_source_and_licences_are_known() -> None:
    source = resolve("stabilityai/sd-turbo@abc123")
    assert (source.kind, source.place, source.revision) == (SourceKind.HUB, "stabilityai/sd-turbo", "abc123")
    assert "Stability" in describe("stabilityai/sd-turbo@abc123").licence


@pytest.mark.parametrize(
    ("width", "name", "family", "native"),
    [(768, "dream", "sd1", 512), (1024, "dream", "sd2", 768), (1024, "sd-turbo", "sd2", 512)],
)
def test_a_single_file_is_described_by_its_tensors(
    tmp_path: Path, width: int, name: str, family: str, native: int
) -> None:
    card = describe(str(weights(tmp_path / f"{name}.safetensors", {SD1_KEY: [320, width]})))
    assert (card.family, card.native) == (family, native)


def test_an_sdxl_file_is_recognised(tmp_path: Path) -> None:
    path = weights(tmp_path / "big.safetensors", {"conditioner.embedders.1.model.ln_final.bias": [4], SD1_KEY: [2, 2]})
    assert describe(str(path)).family == "sdxl"


def test_a_lora_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="not a whole"):
        describe(str(weights(tmp_path / "style.safetensors", {"lora_unet_down.alpha": [1]})))


@pytest.mark.parametrize("name", ["a.ckpt", "b.pt", "c.bin", "folder/d.PTH"])
def test_pickles_are_refused_by_name(name: str) -> None:
    with pytest.raises(ModelUnavailable, match="pickle"):
        resolve(name)


@pytest.mark.parametrize("name", ["", "nothing", "../x", "a/b/c", "/etc", "https://example.org/x", "a/b\nc", "-a/b"])
def test_names_that_are_nothing_are_refused(name: str) -> None:
    with pytest.raises(ModelUnavailable):
        resolve(name)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04" + b"\0" * 100,
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 4) + b"{{{{",
        struct.pack("<Q", 100_000) + b"[" * 100_000,
        struct.pack("<Q", 20) + b'{"a":{"shape":[1]}} ',
    ],
)
def test_hostile_headers_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelUnavailable):
        read_header(path)


def test_a_cut_off_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="cut off"):
        read_header(weights(tmp_path / "x.safetensors", {SD1_KEY: [320, 768]}, missing=1))


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"[" * 100_000])
def test_a_broken_configuration_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model_index.json").write_bytes(content)
    with pytest.raises(ModelUnavailable):
        describe(str(tmp_path))
