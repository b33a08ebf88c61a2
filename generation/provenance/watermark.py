"""The folder with a watermark's weights: what its configuration says, and whether it is whole. No torch."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from generation.errors import AtelierError, ConfigError
from generation.headers import read_header
from generation.provenance.payload import BITS

CONFIG = "config.json"
ENCODER: Final = "encoder.safetensors"
DECODER: Final = "decoder.safetensors"
REMEDY = "make it with `python -m generation provenance convert-watermark`, or leave files.watermark empty"

Width = Annotated[int, Field(ge=1, le=512)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class EncoderPlan(_Strict):
    """The network that hides bits: a U-Net."""

    side: int = Field(ge=16, le=1024, multiple_of=16)  # pixels of the square that it sees
    width: Width  # channels at full size; twice as many after each halving
    halvings: int = Field(ge=1, le=6)
    middle: int = Field(ge=0, le=4)  # groups of so many residual blocks at the bottom
    activation: Literal["relu", "silu"]

    @model_validator(mode="after")
    def _whole_halves(self) -> EncoderPlan:
        if self.side % 2**self.halvings:
            raise ValueError("its side cannot be halved so often")
        return self


class DecoderPlan(_Strict):
    """The network that reads bits: a residual network."""

    side: int = Field(ge=16, le=1024)  # pixels of the square that pictures are resized to
    inner: int = Field(ge=16, le=1024)  # pixels that the network was trained on; a larger square is shrunk once more
    width: Width  # channels of its first stage
    bottleneck: bool
    blocks: list[Annotated[int, Field(ge=1, le=64)]] = Field(min_length=4, max_length=4)  # by stage


class Card(_Strict):
    """One watermark."""

    name: str = Field(min_length=1, max_length=60)  # e.g. “TrustMark Q”
    soft_binding: str = Field(max_length=60)  # its name in C2PA's list of algorithms; empty: it has none
    bits: Literal[100] = BITS
    strength: float = Field(gt=0, le=4)
    widest: float = Field(ge=0, le=8)  # of longer pictures only the central square is marked
    encoder: EncoderPlan
    decoder: DecoderPlan
    sha256: dict[Literal["encoder.safetensors", "decoder.safetensors"], Sha256] = Field(min_length=2)
    made_from: dict[str, Sha256] = Field(default_factory=dict)  # the published files, by name

    @property
    def title(self) -> str:
        """For people and recipes: the name, and by what its weights are known."""
        return f"{self.name} {self.sha256[ENCODER][:10]}"


def read_card(folder: Path) -> Card:
    """The configuration in `folder`; raises ConfigError when there is none that could be used."""
    path = folder / CONFIG
    try:
        return Card.model_validate(json.loads(path.read_bytes()))
    except OSError as error:
        raise ConfigError(f"There is no watermark in “{folder}”: {CONFIG} cannot be read; {REMEDY}.") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise ConfigError(f"The watermark's {path} cannot be used: {where}: {first['msg']}.") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"The watermark's {path} is no JSON; {REMEDY}.") from error


def check_folder(folder: Path) -> Card:
    """The same after reading every byte: both files are whole and those that the configuration was made for.

    Whether they are networks that hide and read anything is for the engine to say.
    """
    card = read_card(folder)
    for name, wanted in card.sha256.items():
        path = folder / name
        try:
            read_header(path)
            found = digest(path)
        except AtelierError as error:
            raise ConfigError(f"The watermark in “{folder}” cannot be used: {error.sentence}") from error
        except OSError as error:
            raise ConfigError(f"The watermark's {path} cannot be read ({error.strerror}).") from error
        if found != wanted:
            raise ConfigError(
                f"The watermark's {path} is not the file that its {CONFIG} was made for: its SHA-256 begins with "
                f"{found[:10]} and should begin with {wanted[:10]}."
            )
    return card


def digest(path: Path, algorithm: str = "sha256") -> str:
    """The hash of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
