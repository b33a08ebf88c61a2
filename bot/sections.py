"""The sections of config.yaml, one class each; every value has a default that works."""

from __future__ import annotations

import re
from dataclasses import replace
from ipaddress import ip_address
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from generation import options, request
from generation.licences import Commercial, Licence, licence_named
from generation.limits import Allowance, Budget
from generation.options import SAMPLERS

UNBOUNDED = 1e7  # credits an hour that no machine paints

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
    weights: dict[int, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)  # shares of guilds, by their ids


class Tier(Section):
    """What members with certain roles may spend."""

    roles: tuple[str | int, ...] = ()
    burst: float = Field(default=20, gt=0)
    per_hour: float = Field(default=120, gt=0)
    daily: float = Field(default=400, gt=0)
    waiting: int = Field(default=3, ge=1)
    weight: float = Field(default=1.0, gt=0)
    account_days: float = Field(default=0.0, ge=0)  # of the tier “newcomer” alone: who counts as one
    server_hours: float = Field(default=0.0, ge=0)  # likewise

    def allowance(self) -> Allowance:
        """The tier as the limits know it."""
        return Allowance(self.burst, self.per_hour, self.daily, self.waiting, self.weight)


class Purse(Section):
    """Credits for more than one person; 0: no bound."""

    per_hour: float = Field(default=0.0, ge=0)
    daily: float = Field(default=0.0, ge=0)

    def budget(self) -> Budget | None:
        """The purse as the limits know it: an hour's credits may be spent at once."""
        if not self.per_hour and not self.daily:
            return None
        return Budget(self.per_hour or UNBOUNDED, self.per_hour or UNBOUNDED, self.daily or float("inf"))


class Budgets(Section):
    """What servers and the whole house may spend."""

    server: Purse = Purse()
    house: Purse = Purse()


class Probing(Section):
    """What happens to people whose prompts are refused again and again."""

    refusals: int = Field(default=5, ge=0)
    per_hour: float = Field(default=6.0, gt=0)
    first: float = Field(default=1.0, gt=0)  # minutes
    longest: float = Field(default=60.0, gt=0)  # minutes


class Safety(Section):
    """What looks at pictures before anybody else does."""

    checkers: tuple[str, ...] = ()


class Filter(Section):
    """Rules on prompts that hold in every server, beside those of its moderators."""

    rules: str = ""  # file with one rule a line
    artists: str = ""  # file with one name a line
    negative: Literal["block", "review", "shadow"] = "review"  # the most a hit in the negative prompt alone comes to


class Moderation(Section):
    """What holds in every guild until its moderators choose otherwise."""

    report_threshold: int = Field(default=2, ge=0, le=100)
    reports_per_hour: int = Field(default=10, ge=1)
    strike_days: float = Field(default=30.0, gt=0, le=3650)
    pause_at: int = Field(default=3, ge=0, le=100)
    pause_hours: float = Field(default=24.0, gt=0, le=8760)
    ban_at: int = Field(default=5, ge=0, le=100)
    owner_channel: int = Field(default=0, ge=0)


class Files(Section):
    """How pictures are stored and posted."""

    format: Literal["webp", "png", "jpeg"] = "webp"
    embed_recipe: bool = True  # the prompt is part of it only for members who ask for that
    watermark: str = ""  # folder with a watermark's weights


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


class Privacy(Section):
    """How long what is kept of people is kept; /privacy show and TRUST.md are made from it."""

    prompts_days: int = Field(default=30, ge=0, le=3650)  # after the last use of a picture's buttons; 0: no end
    files_days: int = Field(default=7, ge=0, le=365)
    uploads_hours: int = Field(default=1, ge=1, le=168)
    evidence_days: int = Field(default=14, ge=1, le=90)
    moderation_days: int = Field(default=180, ge=7, le=730)
    quota_hours: int = Field(default=48, ge=24, le=168)
    records_days: int = Field(default=730, ge=30, le=3650)
    departed_days: int = Field(default=30, ge=1, le=365)
    logs_days: int = Field(default=14, ge=1, le=365)  # only said: what keeps the log is the owner's system
    sweep_minutes: int = Field(default=15, ge=1, le=24 * 60)

    @model_validator(mode="after")
    def _words_go_first(self) -> Self:
        if self.records_days < self.prompts_days:
            raise ValueError("must keep records_days at least as long as prompts_days")
        return self


class Backups(Section):
    """How often the SQLite database is copied, and how many copies are kept."""

    every_hours: float = Field(default=1.0, ge=0, le=168)  # 0: never
    keep: int = Field(default=24, ge=1, le=1000)


class LicenceEntry(Section):
    """What the owner says of a model's licence: a known name, or all that members have to know."""

    name: str = Field(min_length=1, max_length=100)
    url: str = Field(default="", max_length=300)
    version: str = Field(default="", max_length=40)
    uses: tuple[Annotated[str, Field(min_length=1, max_length=120)], ...] = Field(default=(), max_length=8)
    commercial: Commercial | None = None

    @model_validator(mode="before")
    @classmethod
    def _just_a_name(cls, value: object) -> object:
        return {"name": value} if isinstance(value, str) else value

    def licence(self) -> Licence:
        """The licence meant: a known one as it stands, with whatever else is said here."""
        known = licence_named(self.name)
        said = {"url": self.url, "version": self.version, "uses": self.uses, "commercial": self.commercial}
        changes: dict[str, Any] = {key: value for key, value in said.items() if value}
        return replace(known, known=known.known or self.commercial is not None, **changes) if changes else known


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
