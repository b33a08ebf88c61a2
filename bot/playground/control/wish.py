"""The fields of one control request, read with a sentence for each mistake."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from bot.playground.bodies import Upload
from bot.playground.documents import Json


class Wish:
    """A JSON object from the caller. Every reader raises ValueError with a sentence for what is missing or wrong."""

    def __init__(self, fields: Any, files: Sequence[Upload] = ()) -> None:
        if not isinstance(fields, dict):
            raise ValueError("The body is a JSON object.")
        self.fields: Json = fields
        self._files = files

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    def text(self, name: str) -> str:
        """A string."""
        value = self.fields.get(name)
        if not isinstance(value, str):
            raise ValueError(f"{name!r} is missing, or is not a string.")
        return value

    def number(self, name: str, default: int | None = None) -> int:
        """An id or a count, as a number or a string of digits."""
        value = self.fields.get(name, default)
        if isinstance(value, bool) or not str(value).isdecimal():
            raise ValueError(f"{name!r} is missing, or is not a number.")
        return int(str(value))

    def seconds(self, name: str) -> float:
        """A time span of zero or more."""
        value = self.fields.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise ValueError(f"{name!r} is missing, or is not a number of seconds.")
        return float(value)

    def mapping(self, name: str) -> Json:
        """An object; empty when it is not there."""
        value = self.fields.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise ValueError(f"{name!r} is not an object.")
        return value

    def texts(self, name: str) -> list[str]:
        """A list of strings; empty when it is not there."""
        value = self.fields.get(name, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise ValueError(f"{name!r} is not a list of strings.")
        return value

    def content(self) -> bytes:
        """The bytes of a file, sent as `content_base64` or as a part of a form."""
        if self._files:
            return self._files[0].content
        try:
            return base64.b64decode(self.text("content_base64"), validate=True)
        except binascii.Error as error:
            raise ValueError("'content_base64' is not base64.") from error
