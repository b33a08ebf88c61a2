"""TrustMark's published files become safetensors; anything else is refused, unopened, with nothing left behind."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from generation.engine.watermark import published
from generation.engine.watermark.hiding import Hider
from generation.errors import ConfigError
from generation.provenance.watermark import DECODER, ENCODER, check_folder
from tests.generation.engine.watermark.layout import decoder_shapes, encoder_shapes, formula
from tests.generation.engine.watermark.schooled import SCHOOLED

Tensors = dict[str, torch.Tensor]


def configuration(width: int, halvings: int, middle: int, side: int, architecture: str = "small") -> dict[str, object]:
    """As in trustmark_Q.yaml, where training's own settings stand beside it."""
    hides = {"width": width, "ndown": halvings, "nmiddle": middle, "activ": "relu"}
    params = {
        "secret_len": 100,
        "resolution": side,
        "secret_encoder_config": {"target": "trustmark.unet.Unet1", "params": hides},
        "secret_decoder_config": {"target": "trustmark.unet.SecretDecoder", "params": {"arch": architecture}},
        "noise_config": {"target": "trustmark.utils.transformations2.TransformNet", "params": {"ramp": 10000}},
    }
    return {"model": {"target": "trustmark.model.TrustMark_Arch", "params": params}, "data": {}}


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The schooled watermark as TrustMark's authors would publish it; its decoder is smaller than theirs."""
    card = check_folder(SCHOOLED)
    monkeypatch.setitem(published.RESIDUAL_NETWORKS, "small", (False, [1, 1, 1, 1]))
    monkeypatch.setattr(published, "RESIDUAL_WIDTH", card.decoder.width)
    monkeypatch.setattr(published, "READ_AT", {"Q": card.decoder.side})
    monkeypatch.setattr(published, "TRAINED_ON", card.decoder.inner)
    folder = tmp_path / "published"
    folder.mkdir()
    plan = card.encoder
    told = configuration(plan.width, plan.halvings, plan.middle, plan.side)
    (folder / "trustmark_Q.yaml").write_text(yaml.safe_dump(told))
    torch.save({f"encoder.{name}": each for name, each in parts()[0].items()}, folder / "encoder_Q.ckpt")
    torch.save({f"decoder.decoder.{name}": each for name, each in parts()[1].items()}, folder / "decoder_Q.ckpt")
    return folder


def parts() -> tuple[Tensors, Tensors]:
    return load_file(SCHOOLED / ENCODER), load_file(SCHOOLED / DECODER)


def test_published_files_become_a_folder_that_is_taken(tmp_path: Path, source: Path) -> None:
    made = published.convert(source, tmp_path / "deep" / "mark", "Q")
    assert not made.known  # not, byte for byte, what the authors published
    assert (made.card.name, made.card.soft_binding) == ("TrustMark Q", "com.adobe.trustmark.Q")
    assert set(made.card.made_from) == {"encoder_Q.ckpt", "decoder_Q.ckpt"}
    assert check_folder(tmp_path / "deep" / "mark") == made.card
    for name, tensors in zip((ENCODER, DECODER), parts(), strict=True):
        written = load_file(tmp_path / "deep" / "mark" / name)
        assert written.keys() == tensors.keys()
        assert all(torch.equal(written[key], tensors[key]) for key in tensors)
    assert Hider.open(tmp_path / "deep" / "mark").card == made.card


def test_what_training_left_in_the_files_is_left_out(tmp_path: Path, source: Path) -> None:
    whole = {f"encoder.{name}": each for name, each in parts()[0].items()}
    rest = {"fixed_input": torch.tensor(True), "discriminator.cnns.0.weight": torch.zeros(3)}
    torch.save({"global_step": 5, "epoch": 1, "state_dict": whole | rest}, source / "encoder_Q.ckpt")
    published.convert(source, tmp_path / "mark", "Q")
    assert load_file(tmp_path / "mark" / ENCODER).keys() == parts()[0].keys()


def test_the_real_sizes_are_read_and_untrained_weights_refused(tmp_path: Path) -> None:
    """TrustMark C: as published, but with weights by a formula, which hide nothing."""
    source = tmp_path / "published"
    source.mkdir()
    (source / "trustmark_C.yaml").write_text(yaml.safe_dump(configuration(32, 4, 1, 256, "resnet18")))
    hides, reads = formula(encoder_shapes(32, 4, 1)), formula(decoder_shapes(64, False, [2, 2, 2, 2]))
    torch.save({f"encoder.{name}": each.half() for name, each in hides.items()}, source / "encoder_C.ckpt")
    torch.save({f"decoder.decoder.{name}": each for name, each in reads.items()}, source / "decoder_C.ckpt")
    with pytest.raises(ConfigError, match="never trained"):
        published.convert(source, tmp_path / "mark", "C")
    assert [path.name for path in tmp_path.iterdir()] == ["published"]


class Program:
    """What a hostile file does when a plain pickle reader opens it."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self._trace,)


def hostile(source: Path) -> None:
    torch.save({"encoder.pre": Program(source.parent / "it ran")}, source / "encoder_Q.ckpt")


def plain_pickle(source: Path) -> None:
    (source / "encoder_Q.ckpt").write_bytes(pickle.dumps(Program(source.parent / "it ran")))


def changed(change: Callable[[Tensors], object]) -> Callable[[Path], None]:
    def apply(source: Path) -> None:
        tensors = {f"encoder.{name}": each for name, each in parts()[0].items()}
        change(tensors)
        torch.save(tensors, source / "encoder_Q.ckpt")

    return apply


def yaml_of(text: str) -> Callable[[Path], object]:
    return lambda source: (source / "trustmark_Q.yaml").write_text(text)


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a program": (hostile, "was not opened"),
    "a bare pickle": (plain_pickle, "was not opened"),
    "cut off": (
        lambda source: (source / "encoder_Q.ckpt").write_bytes((source / "encoder_Q.ckpt").read_bytes()[:5000]),
        "was not opened",
    ),
    "gone": (lambda source: (source / "decoder_Q.ckpt").unlink(), "is not there"),
    "a list": (lambda source: torch.save([torch.zeros(3)], source / "encoder_Q.ckpt"), "no table of weights"),
    "other names": (
        lambda source: torch.save({"denoise.x": torch.zeros(3)}, source / "encoder_Q.ckpt"),
        "begin with “encoder.”",
    ),
    "no tensors": (
        lambda source: torch.save({"encoder.pre.conv.bias": 7}, source / "encoder_Q.ckpt"),
        "holds no weights",
    ),
    "one missing": (changed(lambda tensors: tensors.pop("encoder.pre.conv.bias")), "lacks 1 of"),
    "one too many": (
        changed(lambda tensors: tensors.update({"encoder.x": torch.zeros(1)})),
        "no watermark of its kind",
    ),
    "another shape": (
        changed(lambda tensors: tensors.update({"encoder.pre.conv.bias": torch.zeros(9)})),
        "does not fit",
    ),
    "no yaml": (yaml_of("model: ["), "no configuration of TrustMark"),
    "yaml with a program": (yaml_of("model: !!python/object/apply:os.getcwd []"), "no configuration of TrustMark"),
    "other networks": (
        yaml_of(yaml.safe_dump(configuration(8, 1, 0, 64)).replace("Unet1", "Unet9")),
        "describes other networks",
    ),
    "another decoder": (yaml_of(yaml.safe_dump(configuration(8, 1, 0, 64, "vgg"))), "“vgg”"),
    "halves that do not go": (yaml_of(yaml.safe_dump(configuration(8, 6, 0, 48))), "no configuration of TrustMark"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_anything_else_is_refused_with_a_sentence(tmp_path: Path, source: Path, what: str) -> None:
    harm, words = REFUSED[what]
    harm(source)
    with pytest.raises(ConfigError) as caught:
        published.convert(source, tmp_path / "mark", "Q")
    assert words in caught.value.sentence
    assert [path.name for path in tmp_path.iterdir()] == ["published"]  # no folder, and no program ran


def test_a_folder_that_is_there_is_not_overwritten(tmp_path: Path, source: Path) -> None:
    (tmp_path / "mark").mkdir()
    (tmp_path / "mark" / "mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match="is there already"):
        published.convert(source, tmp_path / "mark", "Q")
    assert (tmp_path / "mark" / "mine.txt").read_text() == "mine"
