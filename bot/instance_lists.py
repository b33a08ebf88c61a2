"""The owner's own lists, which hold in every server: files named in the configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from bot.moderation.artists import Artist, parse_artist
from bot.moderation.rules import Rule, RuleError, parse_rule
from generation.errors import ConfigError

Item = TypeVar("Item")


def read_rules(path: str) -> tuple[Rule, ...]:
    """The rules of a file with one a line; none without a file. Raises ConfigError naming the line. Blocking."""
    return tuple(_read(path, "filter.rules", parse_rule))


def read_artists(path: str) -> tuple[Artist, ...]:
    """The artists of a file with one name a line, like `read_rules`."""
    return tuple(_read(path, "filter.artists", parse_artist))


def _read(path: str, setting: str, parse: Callable[[str], Item | None]) -> Iterable[Item]:
    if not path:
        return []
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ConfigError(f"{setting}: the file {path} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{setting}: the file {path} is no UTF-8 text; save it as such.") from error
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            item = parse(line)
        except RuleError as error:
            raise ConfigError(f"{setting}: {path}, line {number}: {error}") from error
        if item is not None:
            found.append(item)
    return found
