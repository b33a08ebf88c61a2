"""Model names, files and configurations read without torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from generation.errors import ModelUnavailable
from generation.known_models import UNKNOWN_LICENCE
from generation.models import STARTER, ModelSource, SourceKind, describe, describe_source, resolve
from tests.generation.test_headers import SD1_KEY, weights


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
        ("stabilityai/stable-diffusion-xl-base-1.0", "sdxl", 1024, 28, 6.0),
        ("stabilityai/sdxl-turbo", "sdxl", 512, 1, 0.0),
        ("ByteDance/SDXL-Lightning", "sdxl", 1024, 4, 0.0),
        ("ByteDance/Hyper-SDXL", "sdxl", 1024, 8, 0.0),
        ("black-forest-labs/FLUX.1-schnell", "plain", 1024, 4, 0.0),
        ("stabilityai/stable-diffusion-3.5-medium", "plain", 1024, 28, 4.5),
        ("black-forest-labs/FLUX.2-klein-4B", "plain", 1024, 4, 1.0),
        ("Tongyi-MAI/Z-Image-Turbo", "plain", 1024, 8, 0.0),
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


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"[" * 100_000])
def test_a_broken_configuration_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model_index.json").write_bytes(content)
    with pytest.raises(ModelUnavailable):
        describe(str(tmp_path))


@pytest.mark.parametrize(
    ("pipeline", "family", "steps", "guidance"),
    [
        ("StableDiffusionXLPipeline", "sdxl", 28, 6.0),
        ("Flux2KleinPipeline", "plain", 4, 1.0),
        ("FluxPipeline", "plain", 4, 0.0),  # without guidance_embeds: schnell
        ("ZImagePipeline", "plain", 8, 0.0),
        ("SanaSprintPipeline", "plain", 2, 4.5),
        ("PixArtSigmaPipeline", "plain", 20, 4.5),
        ("StableDiffusion3Pipeline", "plain", 28, 4.5),
        ("SomethingNewPipeline", "plain", 28, 4.5),
        ("StableDiffusionXLInpaintPipeline", "unknown", 25, 7.0),
        ("StableDiffusionUpscalePipeline", "unknown", 25, 7.0),
        ("os.system", "unknown", 25, 7.0),
    ],
)
def test_families_and_settings_follow_the_pipeline_class(
    tmp_path: Path, pipeline: str, family: str, steps: int, guidance: float
) -> None:
    index = {"_class_name": pipeline, "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"]}
    (tmp_path / "model_index.json").write_text(json.dumps(index))
    card = describe(str(tmp_path))
    assert (card.family, card.steps, card.guidance) == (family, steps, guidance)
    assert card.sampler == "euler"
    assert card.prediction == "flow"


def test_flux_with_guidance_as_an_input_is_not_schnell(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "FluxPipeline"}))
    (tmp_path / "transformer").mkdir()
    (tmp_path / "transformer" / "config.json").write_text(json.dumps({"guidance_embeds": True}))
    card = describe(str(tmp_path))
    assert (card.steps, card.guidance, card.native) == (28, 3.5, 1024)


def test_an_owner_s_own_name_hides_nothing(tmp_path: Path) -> None:
    source = ModelSource(name="fast", kind=SourceKind.HUB, place="stabilityai/sdxl-turbo")
    card = describe_source(source)
    assert (card.name, card.steps, card.guidance, card.restricted) == ("fast", 1, 0.0, True)
    path = weights(tmp_path / "dreamLCM.safetensors", {SD1_KEY: [320, 768]})
    assert describe_source(ModelSource(name="quick", kind=SourceKind.FILE, place=str(path))).steps == 25
    path = weights(tmp_path / "dream_lcm.safetensors", {SD1_KEY: [320, 768]})
    assert describe_source(ModelSource(name="quick", kind=SourceKind.FILE, place=str(path))).steps == 4


@pytest.mark.parametrize(("name", "restricted"), [("stabilityai/sdxl-turbo", True), ("starter", False), ("a/b", False)])
def test_licences_against_commercial_use_are_marked(name: str, restricted: bool) -> None:
    assert describe(name).restricted is restricted


def test_files_that_predict_velocity_say_so(tmp_path: Path) -> None:
    path = weights(tmp_path / "x.safetensors", {"conditioner.embedders.1.model.ln_final.bias": [4], "v_pred": [0]})
    assert describe(str(path)).prediction == "v_prediction"
    assert describe("stabilityai/stable-diffusion-2-1").prediction == "v_prediction"
    assert describe("stabilityai/stable-diffusion-2-1-base").prediction == "epsilon"


def test_a_model_that_repaints_is_no_painter(tmp_path: Path) -> None:
    entrance = "model.diffusion_model.input_blocks.0.0.weight"
    path = weights(tmp_path / "x.safetensors", {SD1_KEY: [320, 768], entrance: [320, 9, 3, 3]})
    with pytest.raises(ModelUnavailable, match="repaint"):
        describe(str(path))
