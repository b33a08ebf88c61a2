"""Settings from config.yaml and the environment, typed, frozen and strict."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, get_args

import yaml
from dotenv import dotenv_values
from pydantic import BaseModel, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails

from bot.order import Member
from bot.sections import (
    Backups,
    Budgets,
    Dream,
    Engine,
    Files,
    Filter,
    LicenceEntry,
    Line,
    Metrics,
    Moderation,
    Page,
    Playground,
    Previews,
    Privacy,
    Probing,
    Safety,
    Section,
    Tier,
)
from bot.tiers import MEMBER, NEWCOMER, Grade, grade_of
from generation.engine.options import EngineOptions
from generation.errors import ConfigError
from generation.workers.worker import EngineSettings

DISCORD_API = "https://discord.com/api/v10"
FROM_ENVIRONMENT = ("token", "client_secret", "api_url")  # never in the file
TOKEN_SHAPE = re.compile(r"[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{20,}")  # base64(app id).time.signature


class Config(Section):
    """Everything the owner can decide; secrets come from the environment alone."""

    data_dir: Path = Path("data")
    database_url: str = ""
    model: str = Field(default="starter", min_length=1)
    models: dict[str, str] = Field(default_factory=dict, max_length=24)  # further ones, by the names members choose
    licences: dict[str, LicenceEntry] = Field(default_factory=dict)  # by model name, where the known one is wrong
    costs: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)  # of a model's step; default: 1
    loras: str = ""  # folder
    engine: Engine = Engine()
    dream: Dream = Dream()
    line: Line = Line()
    limits: dict[str, Tier] = Field(default_factory=lambda: {"member": Tier()})
    budgets: Budgets = Budgets()
    probing: Probing = Probing()
    safety: Safety = Safety()
    filter: Filter = Filter()
    moderation: Moderation = Moderation()
    files: Files = Files()
    previews: Previews = Previews()
    playground: Playground = Playground()
    metrics: Metrics = Metrics()
    privacy: Privacy = Privacy()
    backups: Backups = Backups()
    page: Page = Page()
    shutdown_grace: float = Field(default=30.0, ge=0)  # seconds
    token: SecretStr | None = Field(default=None, exclude=True)
    client_secret: SecretStr | None = Field(default=None, exclude=True)  # of the application, for moderators' page
    api_url: str = DISCORD_API

    @field_validator("limits")
    @classmethod
    def _everybody_has_a_tier(cls, value: dict[str, Tier]) -> dict[str, Tier]:
        if MEMBER not in value:
            raise ValueError("must contain the tier “member”, which everybody has")
        if any(name != NEWCOMER and (tier.account_days or tier.server_hours) for name, tier in value.items()):
            raise ValueError("must give account_days and server_hours to the tier “newcomer” alone")
        if NEWCOMER in value and value[NEWCOMER].roles:
            raise ValueError("must give “newcomer” no roles: whoever has a role's tier is no newcomer")
        return value

    @field_validator("models")
    @classmethod
    def _named(cls, value: dict[str, str]) -> dict[str, str]:
        if any(not 1 <= len(name) <= 100 or not place for name, place in value.items()):
            raise ValueError("must give every model a name of 1 to 100 letters and a place")
        return value

    @field_validator("licences")
    @classmethod
    def _of_models_on_offer(cls, value: dict[str, LicenceEntry], info: ValidationInfo) -> dict[str, LicenceEntry]:
        offered = (info.data.get("model", ""), *info.data.get("models", ()))
        strange = next((name for name in value if name not in offered), None)
        if strange is not None:
            raise ValueError(f"must name models of this file; there is no “{strange}”")
        return value

    @field_validator("costs")
    @classmethod
    def _costs_are_of_models(cls, value: dict[str, float], info: ValidationInfo) -> dict[str, float]:
        unknown = next((name for name in value if name not in info.data.get("models", value)), None)
        if unknown is not None:
            raise ValueError(f"must name models only, and there is no model “{unknown}” under models")
        return value

    @property
    def database(self) -> str:
        """The SQLAlchemy URL of the store."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir / 'atelier.sqlite'}"

    def tier_of(self, member: Member, now: float) -> Grade:
        """The tier that the member has at `now`, epoch seconds."""
        return grade_of(self.limits, member, now)

    def engine_settings(self, *, alone: bool) -> EngineSettings:
        """What the engine process is told; `alone` when only this machine's user can be reached."""
        return EngineSettings(
            model=self.model,
            places=dict(self.models),
            loras=self.loras,
            device=self.engine.device,
            dtype=self.engine.dtype,
            threads=self.engine.threads,
            checkers=self.safety.checkers,
            allow_unchecked_uploads=alone,
            file_format=self.files.format,
            embed_recipe=self.files.embed_recipe,
            watermark=self.files.watermark,
            step_timeout=self.engine.step_timeout,
            options=self._options(),
            notebook=str(self.data_dir.absolute() / "measured.json"),
        )

    def _options(self) -> EngineOptions:
        engine, previews = self.engine, self.previews
        return EngineOptions(
            exact=engine.exact,
            rows=engine.rows,
            compile=engine.compile,
            graphs=engine.graphs,
            preview_every=previews.every,
            previews_per_second=previews.per_second if previews.enabled else 0.0,
            memory_budget=round(engine.memory_gib * 2**30),
            patience=engine.patience,
        )


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """Read config.yaml (or `path`) and the environment; raises ConfigError with one sentence."""
    env = dict(environ) if environ is not None else {**_dotenv(), **os.environ}
    chosen = path or (Path(env["ATELIER_CONFIG"]) if env.get("ATELIER_CONFIG") else None)
    data = _read(chosen or Path("config.yaml"), required=chosen is not None)
    where = str(chosen or "config.yaml")
    _refuse_secrets(data, where)
    for key in FROM_ENVIRONMENT:
        if key in data:
            raise ConfigError(f"{where}: “{key}” does not belong into the file; set it in the environment or in .env.")
    _refuse_unknown(Config, data, where, ())
    data |= _from_environment(env)
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        raise ConfigError(_sentence(error, where)) from None


def _dotenv() -> dict[str, str]:
    return {key: value for key, value in dotenv_values(".env").items() if value is not None}


def _read(path: Path, *, required: bool) -> dict[str, Any]:
    try:
        if not path.exists() and not required:
            return {}
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}).") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # no text, no such date, brackets without an end
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise ConfigError(f"{path}{line}: this is not valid YAML; check indentation and quotes.") from error
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise ConfigError(f"{path}: the file must be a list of “key: value” lines.")
    return loaded


def _from_environment(env: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    secrets = {
        "token": ("DISCORD_TOKEN", "the bot's token"),
        "client_secret": ("DISCORD_CLIENT_SECRET", "the application's client secret"),
    }
    for key, (variable, what) in secrets.items():
        if secret := _secret(env, variable, what):
            found[key] = SecretStr(secret)
    names = {"DISCORD_API_URL": "api_url", "ATELIER_DATABASE_URL": "database_url", "ATELIER_DATA_DIR": "data_dir"}
    for variable, key in names.items():
        if env.get(variable):
            found[key] = env[variable].rstrip("/") if key == "api_url" else env[variable]
    return found


def _secret(env: Mapping[str, str], variable: str, what: str) -> str:
    """What the variable holds, or the file that `variable`_FILE names."""
    secret, file = env.get(variable, "").strip(), env.get(f"{variable}_FILE")
    if secret or not file:
        return secret
    try:
        secret = Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{variable}_FILE cannot be read ({error.strerror}); check the path.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{variable}_FILE is no text; put nothing but {what} into it.") from error
    if not secret:
        raise ConfigError(f"{variable}_FILE is empty; put {what} into it.")
    return secret


def _refuse_secrets(value: Any, where: str) -> None:
    if isinstance(value, dict):
        for item in (*value.keys(), *value.values()):
            _refuse_secrets(item, where)
    elif isinstance(value, list):
        for item in value:
            _refuse_secrets(item, where)
    elif isinstance(value, str) and TOKEN_SHAPE.search(value):
        raise ConfigError(
            f"{where}: this looks like a bot token; move it to DISCORD_TOKEN in .env and reset it at Discord."
        )


def _refuse_unknown(model: type[BaseModel], data: Mapping[str, Any], where: str, path: tuple[str, ...]) -> None:
    for key, value in data.items():
        field = model.model_fields.get(str(key))
        if field is None:
            names = [name for name in model.model_fields if name not in FROM_ENVIRONMENT]
            near = difflib.get_close_matches(str(key), names, n=1, cutoff=0.0)
            raise ConfigError(
                f"{where}: there is no setting “{'.'.join((*path, str(key)))}”; did you mean “{near[0]}”?"
            )
        for inner in (field.annotation, *get_args(field.annotation)):
            if not (isinstance(inner, type) and issubclass(inner, BaseModel) and isinstance(value, dict)):
                continue
            nested = value if inner is field.annotation else None
            if nested is not None:
                _refuse_unknown(inner, nested, where, (*path, str(key)))
            else:
                for name, tier in value.items():
                    if isinstance(tier, dict):
                        _refuse_unknown(inner, tier, where, (*path, str(key), str(name)))


def _sentence(error: ValidationError, where: str) -> str:
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    shown = repr(first["input"])
    shown = shown if len(shown) <= 60 else shown[:60] + "…"
    return f"{where}: “{key}” is {shown}, but it {_allowed(first)}."


def _allowed(error: ErrorDetails) -> str:
    message = error["msg"].removeprefix("Value error, ")
    if message.startswith("must "):
        return message
    if error["type"] == "model_type":
        return "must be a list of “key: value” lines"
    if error["type"].endswith("_parsing") or error["type"].endswith("_type"):
        return "must be " + message.removeprefix("Input should be ").partition(",")[0]
    return "must be " + message.removeprefix("Input should be ").removeprefix("be ")
