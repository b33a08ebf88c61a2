"""Request bodies of the API, JSON or multipart, read once and kept with the request."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

MAX_BODY = 26 * 2**20  # bytes; Discord takes 25 MiB of files in one request


@dataclass(frozen=True, slots=True)
class Upload:
    """One file part, as the client named it. Clients call every file application/octet-stream."""

    field: str  # such as files[0]
    filename: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Body:
    """The JSON document of a request, None without one, and the files beside it."""

    payload: Any = None
    files: list[Upload] = field(default_factory=list)


class UnreadableBodyError(ValueError):
    """The body is neither JSON nor a multipart form with a payload_json part."""


BODY = web.RequestKey("body", Body)


async def read_body(request: web.Request) -> Body:
    """Raises `UnreadableBodyError`, and aiohttp's own 413 when the body is too large."""
    if BODY not in request:
        is_form = request.content_type.startswith("multipart/")
        request[BODY] = await _read_form(request) if is_form else Body(_parse(await request.read()))
    return request[BODY]


async def _read_form(request: web.Request) -> Body:
    document, files, total = b"", [], 0
    plain: dict[str, str] = {}
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                raise ValueError("a form inside the form")
            content = bytearray()
            while chunk := await part.read_chunk(2**16):
                content += chunk
                total += len(chunk)
                if total > MAX_BODY:
                    raise web.HTTPRequestEntityTooLarge(max_size=MAX_BODY, actual_size=total)
            if part.name == "payload_json":
                document = bytes(content)
            elif part.filename is not None:
                files.append(Upload(part.name or "", part.filename, bytes(content)))
            else:
                plain[part.name or ""] = content.decode(errors="replace")
    except (ValueError, HttpProcessingError) as error:
        raise UnreadableBodyError("The request body is no multipart form.") from error
    return Body(_parse(document) if document or not plain else plain, files)


def _parse(content: bytes) -> Any:
    if not content:
        return None
    try:
        return json.loads(content, parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise UnreadableBodyError("The request body contains invalid JSON.") from error


def _finite(text: str) -> float:
    """Python alone reads NaN, Infinity and 1e999, which nobody could be sent again."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no JSON number")
    return value
