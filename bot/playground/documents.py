"""JSON documents and Discord's way of refusing them."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

Json = dict[str, Any]
Path = tuple[str | int, ...]

# discord.py takes the media type literally: with a charset parameter it hands back text.
_HEADERS = {"Content-Type": "application/json"}


def respond(document: Any, status: int = 200) -> web.Response:
    """A JSON response with the one media type every client understands."""
    return web.Response(status=status, body=json.dumps(document).encode(), headers=_HEADERS)


def no_content() -> web.Response:
    """Done, and nothing to say."""
    return web.Response(status=204)


class ApiError(web.HTTPException):
    """A refusal with Discord's error code; raised anywhere, it becomes the response."""

    status_code = 400

    def __init__(self, status: int, code: int, message: str, errors: Json | None = None) -> None:
        super().__init__()
        self.code = code
        self.message = message
        document: Json = {"message": message, "code": code}
        if errors:
            document["errors"] = errors
        self.set_status(status)
        self.body = json.dumps(document).encode()
        self.headers["Content-Type"] = "application/json"

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.message}"


class Problems:
    """Collects what is wrong with a form, each at its place, and refuses it as a whole (50035)."""

    def __init__(self) -> None:
        self._tree: Json = {}

    def add(self, path: Path, code: str, message: str) -> None:
        """Notes one problem at a path such as ("embeds", 0, "title"), unless a problem above or below it is noted."""
        place = self._tree
        for step in path:
            if "_errors" in place:
                return
            place = place.setdefault(str(step), {})
        if place and "_errors" not in place:
            return
        place.setdefault("_errors", []).append({"code": code, "message": message})

    def raise_if_any(self) -> None:
        """Raises `ApiError` 50035 with everything noted so far."""
        if self._tree:
            raise ApiError(400, 50035, "Invalid Form Body", self._tree)


def unauthorized() -> ApiError:
    """No token, or a wrong one."""
    return ApiError(401, 0, "401: Unauthorized")


def missing_access() -> ApiError:
    """The place exists, but not for this one."""
    return ApiError(403, 50001, "Missing Access")


def missing_permissions() -> ApiError:
    """May look, not touch."""
    return ApiError(403, 50013, "Missing Permissions")


def unknown(what: str, code: int) -> ApiError:
    """Discord's 10000s."""
    return ApiError(404, code, f"Unknown {what}")


def too_large() -> ApiError:
    """A file, or all of them together."""
    return ApiError(413, 40005, "Request entity too large")


def snowflake(value: object) -> int | None:
    """An id from a document or a path; clients send them as strings, some as numbers."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 20 else None
