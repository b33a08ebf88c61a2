"""Reading an untrusted JSON document field by field, noting every problem where it is."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from bot.playground.documents import Json, Path, Problems, snowflake

_URL = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.\-]*)://[^\s]+")


class Form:
    """One JSON object of a request. What is missing or wrong reads as None, or as empty, and is noted."""

    def __init__(self, document: Any, problems: Problems, path: Path = ()) -> None:
        self.problems = problems
        self.path = path
        self.document: Json = document if isinstance(document, dict) else {}
        if not isinstance(document, dict):
            self.refuse("MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")

    def __contains__(self, key: str) -> bool:
        return self.document.get(key) is not None

    def names(self, key: str) -> bool:
        """Whether the key is there, even as null."""
        return key in self.document

    def refuse(self, code: str, message: str, *steps: str | int) -> None:
        """Notes a problem here, or below."""
        self.problems.add((*self.path, *steps), code, message)

    def miss(self, key: str) -> None:
        """Notes that a field should have been there."""
        self.refuse("BASE_TYPE_REQUIRED", "This field is required", key)

    def text(self, key: str, most: int, *, least: int = 0, required: bool = False) -> str | None:
        """A string of so many characters."""
        value = self._get(key, required)
        if value is None:
            return None
        if not isinstance(value, str):
            if isinstance(value, int | float) and not isinstance(value, bool):
                return str(value)
            self.refuse("BASE_TYPE_BAD_TYPE", f'Value "{str(value)[:40]}" is not string.', key)
            return None
        if len(value) < least and value == "" and required:
            self.miss(key)
        elif not least <= len(value) <= most and least > 0:
            self.refuse("BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.", key)
        elif len(value) > most:
            self.refuse("BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.", key)
        return value

    def number(self, key: str, low: int, high: int, *, required: bool = False) -> int | None:
        """A whole number in a range."""
        value = self._get(key, required)
        if value is None:
            return None
        whole = _whole(value)
        if whole is None:
            self.refuse("NUMBER_TYPE_COERCE", f'Value "{str(value)[:40]}" is not int.', key)
        elif whole < low:
            self.refuse("NUMBER_TYPE_MIN", f"int value should be greater than or equal to {low}.", key)
        elif whole > high:
            self.refuse("NUMBER_TYPE_MAX", f"int value should be less than or equal to {high}.", key)
        else:
            return whole
        return None

    def real(self, key: str) -> float | None:
        """A number with or without a fraction."""
        value = self._get(key, required=False)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return value
        self.refuse("NUMBER_TYPE_COERCE", f'Value "{str(value)[:40]}" is not float.', key)
        return None

    def flag(self, key: str, default: bool = False) -> bool:
        """A truth value."""
        value = self._get(key, required=False)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.refuse("BASE_TYPE_BAD_TYPE", "Must be either true or false.", key)
            return default
        return value

    def choice(self, key: str, allowed: Collection[int], *, required: bool = True) -> int | None:
        """One of these numbers."""
        value = self._get(key, required)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value not in allowed:
            choices = ", ".join(map(str, sorted(allowed)))
            self.refuse("BASE_TYPE_CHOICES", f"Value must be one of {{{choices}}}.", key)
            return None
        return value

    def id(self, key: str, *, required: bool = False) -> int | None:
        """A snowflake, as a string or a number."""
        value = self._get(key, required)
        if value is None:
            return None
        found = snowflake(value)
        if found is None:
            self.refuse("NUMBER_TYPE_COERCE", f'Value "{str(value)[:40]}" is not snowflake.', key)
        return found

    def url(self, key: str, *, schemes: tuple[str, ...] = ("http", "https"), required: bool = False) -> str | None:
        """A URL of one of the schemes, at most 2048 characters."""
        value = self.text(key, 2048, required=required)
        if not value:
            return None
        match = _URL.fullmatch(value)
        if match is None:
            self.refuse("URL_TYPE_INVALID_URL", "Not a well formed URL.", key)
        elif match["scheme"].lower() not in schemes:
            names = ", ".join(f"'{scheme}'" for scheme in schemes)
            sentence = f'Scheme "{match["scheme"]}" is not supported. Scheme must be one of ({names}).'
            self.refuse("URL_TYPE_INVALID_SCHEME", sentence, key)
        else:
            return value
        return None

    def form(self, key: str, *, required: bool = False) -> Form | None:
        """An object within."""
        value = self._get(key, required)
        return None if value is None else Form(value, self.problems, (*self.path, key))

    def forms(self, key: str, most: int, *, least: int = 0, required: bool = False) -> list[Form]:
        """A list of objects."""
        return [
            Form(each, self.problems, (*self.path, key, index))
            for index, each in self.items(key, most, least, required)
        ]

    def items(self, key: str, most: int, least: int = 0, required: bool = False) -> list[tuple[int, Any]]:
        """A list of anything, with positions."""
        value = self._get(key, required or least > 0)
        if value is None:
            return []
        if not isinstance(value, list):
            self.refuse("BASE_TYPE_BAD_TYPE", "Only iterables may be used in a ListType", key)
            return []
        if least and not least <= len(value) <= most:
            self.refuse("BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.", key)
        elif len(value) > most:
            self.refuse("BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.", key)
        return list(enumerate(value[: most + 1]))

    def _get(self, key: str, required: bool) -> Any:
        value = self.document.get(key)
        if value is None and required:
            self.miss(key)
        return value


def _whole(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,25}", value):
        return int(value)
    return None
