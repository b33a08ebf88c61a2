"""The sections of config.yaml, one class each; every value has a default that works."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from generation import options, request
from generation.limits import Allowance
from generation.options import SAMPLERS

Port = Annotated[int, Field(ge=0, le=65535)]


class Section(BaseModel):
    """Strict and frozen: an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Engine(Section):
    """How the engine process paints."""

    device: str = "auto"
    dtype: Literal["auto", "float32", "float16", "bfloat16"] = "auto"
    threads: int = Field(default=0, ge=0, le=256)
    step_timeout: float = Field(default=60.0, gt=0)  # seconds
    exact: Literal["auto", "on", "off"] = "auto"
    rows: int = Field(default=0, ge=0, le=32)
    compile: Literal["auto", "on", "off"] = "auto"
    graphs: Literal["auto", "on", "off"] = "auto"
    memory_gib: float = Field(default=0.0, ge=0)
    patience: float = Field(default=30.0, ge=0)  # seconds

    @field_validator("exact", "compile", "graphs", mode="before")
    @classmethod
    def _yaml_words(cls, value: object) -> object:
        """YAML reads a bare `on` or `off` as a truth value."""
        return {True: "on", False: "off"}.get(value, value) if isinstance(value, bool) else value

    @field_validator("device")
    @classmethod
    def _known_device(cls, value: str) -> str:
        if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", value):
            raise ValueError("must be auto, cpu, cuda or a numbered card such as cuda:1")
        return value


class Dream(Section):
    """What /dream uses when a member does not say."""

    steps: int = Field(default=0, ge=0, le=int(request.STEPS.high))
    guidance: float = Field(default=-1.0, ge=-1.0, le=request.GUIDANCE.high)
    sampler: str = ""
    count: int = Field(default=1, ge=int(request.COUNT.low), le=int(request.COUNT.high))
    max_steps: int = Field(default=50, ge=1, le=int(request.STEPS.high))
    strength: float = Field(default=0.6, ge=request.STRENGTH.low, le=request.STRENGTH.high)
    variation_strength: float = Field(default=0.35, gt=0, le=1)
    styles: dict[str, str] = Field(default_factory=lambda: dict(options.STYLES), max_length=25)

    @field_validator("sampler")
    @classmethod
    def _known_sampler(cls, value: str) -> str:
        if value and value not in SAMPLERS:
            raise ValueError(f"must be one of {', '.join(SAMPLERS)}")
        return value

    @field_validator("styles")
    @classmethod
    def _templates(cls, value: dict[str, str]) -> dict[str, str]:
        for name, template in value.items():
            if template.count("{prompt}") != 1 or not 1 <= len(name) <= 100:
                raise ValueError(f"must give every style a template with {{prompt}} exactly once; “{name}” has not")
        return value


class Line(Section):
    """Bounds of the whole line."""

    waiting: int = Field(default=1000, ge=1)


class Tier(Section):
    """What members with certain roles may spend."""

    roles: tuple[str | int, ...] = ()
    burst: float = Field(default=20, gt=0)
    per_hour: float = Field(default=120, gt=0)
    daily: float = Field(default=400, gt=0)
    waiting: int = Field(default=3, ge=1)
    weight: float = Field(default=1.0, gt=0)

    def allowance(self) -> Allowance:
        """The tier as the limits know it."""
        return Allowance(self.burst, self.per_hour, self.daily, self.waiting, self.weight)


class Safety(Section):
    """What looks at pictures before anybody else does."""

    checkers: tuple[str, ...] = ()


class Files(Section):
    """How pictures are stored and posted."""

    format: Literal["webp", "png", "jpeg"] = "webp"
    embed_recipe: bool = True


class Previews(Section):
    """The shared budget for showing unfinished pictures."""

    enabled: bool = True
    every: float = Field(default=1.5, gt=0)  # seconds
    per_second: float = Field(default=5.0, gt=0)


class Playground(Section):
    """Where the local Discord listens."""

    host: str = "127.0.0.1"
    port: Port = 8080


class Metrics(Section):
    """Where figures and health are shown."""

    enabled: bool = True
    host: str = "127.0.0.1"
    port: Port = 9464


class Page(Section):
    """Where moderators' page is; its secret comes from the environment."""

    enabled: bool = False
    host: str = "127.0.0.1"
    port: Port = 8090
    public_url: str = ""  # as browsers see it; empty: the address it listens on

    @field_validator("public_url")
    @classmethod
    def _an_origin(cls, value: str) -> str:
        if not value:
            return ""
        value = value.rstrip("/")
        try:
            parts = urlsplit(value)
            host, _ = parts.hostname or "", parts.port  # reading the port raises for what is none
        except ValueError:
            host = ""
        if not host or value != f"{parts.scheme}://{parts.netloc}" or "@" in value:
            raise ValueError("must be an address without a path, such as https://art.example.org")
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
            raise ValueError("must begin with https:// unless it is on this machine")
        return value.lower().removesuffix(":443" if parts.scheme == "https" else ":80")  # browsers leave it out

    @model_validator(mode="after")
    def _reachable_by_a_name(self) -> Page:
        if self.enabled and not self.public_url and not is_loopback(self.host):
            raise ValueError("must have a public_url where host is not on this machine")
        return self


def is_loopback(host: str) -> bool:
    """Whether a host name or address stays on this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
