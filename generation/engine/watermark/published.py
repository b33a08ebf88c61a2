"""Turns TrustMark's published files into a folder of safetensors.

They are Python pickles, which can run programs when they are opened. Here they are read with torch's reader for plain
weights, which knows tensors and containers and refuses everything else.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml
from pydantic import ValidationError
from safetensors.torch import save_file

from generation.engine.watermark.hiding import Hider
from generation.engine.watermark.networks import Decoder, Encoder
from generation.engine.watermark.weights import fitted
from generation.errors import ConfigError
from generation.provenance.watermark import CONFIG, DECODER, ENCODER, Card, DecoderPlan, EncoderPlan, digest

# MD5 of the published files by variant, encoder and decoder, as the package trustmark 0.9.2 expects them.
PUBLISHED = {
    "B": ("e6ab35b3f2d02f37b418726a2dc0b9c9", "c4aaa4a86e551e6aac7f309331191971"),
    "C": ("c22bd5f675ee2cf2a6b18f3c2cbcc507", "ab3fa5678a86c006bb162e5cc90501d3"),
    "P": ("0a18f6de6d57c6ef7dda30ce6154a775", "9450972bc0c3c217cb7b8220dd2f7a3c"),
    "Q": ("700328b8754db934b2f6cb5e5185d81f", "4ced90e9cfe13e3295ad082887fe9187"),
}
READ_AT = {"P": 224}  # pixels of the square that a picture is read at; otherwise 245
TRAINED_ON = 224  # pixels
STRENGTH = {"P": 1.25}  # otherwise 1
WIDEST = {"P": 0.0}  # always the central square; otherwise 2
RESIDUAL_NETWORKS = {"resnet18": (False, [2, 2, 2, 2]), "resnet50": (True, [3, 4, 6, 3])}
RESIDUAL_WIDTH = 64


@dataclass(frozen=True, slots=True)
class Converted:
    """What came of it."""

    card: Card
    known: bool  # both files are, byte for byte, the published ones


def convert(source: Path, destination: Path, variant: str) -> Converted:
    """Write `destination` from trustmark_X.yaml, encoder_X.ckpt and decoder_X.ckpt in `source`, X being `variant`.

    Raises ConfigError with a sentence, and leaves nothing behind, for anything but plain weights of just these networks
    that hide bits and read them back.
    """
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise ConfigError(f"“{destination}” is there already; name a folder that is not.")
    encoder_file, decoder_file = source / f"encoder_{variant}.ckpt", source / f"decoder_{variant}.ckpt"
    encoder_plan, decoder_plan = _plans(source / f"trustmark_{variant}.yaml", variant)
    encoder, decoder = _part(encoder_file, "encoder."), _part(decoder_file, "decoder.decoder.")
    with torch.device("meta"):
        networks = Encoder(encoder_plan), Decoder(decoder_plan)
    fitted(networks[0], encoder, str(encoder_file))
    fitted(networks[1], decoder, str(decoder_file))
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=destination.parent, prefix=".watermark-") as name:
            folder = Path(name) / "made"
            folder.mkdir()
            save_file(encoder, folder / ENCODER)
            save_file(decoder, folder / DECODER)
            card = Card(
                name=f"TrustMark {variant}",
                soft_binding=f"com.adobe.trustmark.{variant}",
                strength=STRENGTH.get(variant, 1.0),
                widest=WIDEST.get(variant, 2.0),
                encoder=encoder_plan,
                decoder=decoder_plan,
                sha256={ENCODER: digest(folder / ENCODER), DECODER: digest(folder / DECODER)},
                made_from={path.name: digest(path) for path in (encoder_file, decoder_file)},
            )
            (folder / CONFIG).write_text(card.model_dump_json(indent=1) + "\n", "utf-8")
            Hider.open(folder)
            if destination.exists():
                destination.rmdir()
            shutil.move(os.fspath(folder), os.fspath(destination))
    except OSError as error:
        raise ConfigError(f"“{destination}” cannot be written ({error.strerror}).") from error
    known = (digest(encoder_file, "md5"), digest(decoder_file, "md5")) == PUBLISHED.get(variant)
    return Converted(card, known)


def _plans(path: Path, variant: str) -> tuple[EncoderPlan, DecoderPlan]:
    """What the published configuration says of the two networks."""
    try:
        given = yaml.safe_load(path.read_text("utf-8"))["model"]["params"]
        hides, reads = given["secret_encoder_config"], given["secret_decoder_config"]
        kinds = (str(hides["target"]).rpartition(".")[2], str(reads["target"]).rpartition(".")[2])
        if kinds != ("Unet1", "SecretDecoder") or given["secret_len"] != 100:
            raise ConfigError(f"“{path}” describes other networks than TrustMark's, or another length than 100 bits.")
        made, architecture = hides["params"], str(reads["params"]["arch"])
        if architecture not in RESIDUAL_NETWORKS:
            raise ConfigError(f"“{path}” asks for a decoder “{architecture[:40]}”, which is not known here.")
        bottleneck, blocks = RESIDUAL_NETWORKS[architecture]
        encoder = EncoderPlan(
            side=given["resolution"],
            width=made["width"],
            halvings=made["ndown"],
            middle=made.get("nmiddle", 0),
            activation=made.get("activ", "relu"),
        )
        decoder = DecoderPlan(
            side=READ_AT.get(variant, 245),
            inner=TRAINED_ON,
            width=RESIDUAL_WIDTH,
            bottleneck=bottleneck,
            blocks=blocks,
        )
    except OSError as error:
        raise ConfigError(f"“{path}” cannot be read ({error.strerror}).") from error
    except (yaml.YAMLError, ValidationError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise ConfigError(f"“{path}” is no configuration of TrustMark that is known here.") from error
    return encoder, decoder


def _part(path: Path, prefix: str) -> dict[str, torch.Tensor]:
    """The tensors under `prefix` in a published file; what else training left there is not part of the network."""
    if not path.is_file():
        raise ConfigError(f"“{path}” is not there.")
    try:
        read: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # its parser raises almost anything; only plain weights get through
        raise ConfigError(f"“{path}” is no plain file of weights, or it is damaged, and was not opened.") from error
    if isinstance(read, Mapping) and isinstance(read.get("state_dict"), Mapping):
        read = read["state_dict"]
    if not isinstance(read, Mapping) or not all(isinstance(name, str) for name in read):
        raise ConfigError(f"“{path}” holds no table of weights.")
    found = {name.removeprefix(prefix): each for name, each in read.items() if name.startswith(prefix)}
    if not found or not all(isinstance(each, torch.Tensor) for each in found.values()):
        raise ConfigError(f"“{path}” holds no weights whose names begin with “{prefix}”.")
    return {name: each.contiguous() for name, each in found.items()}
