"""Pictures as answers: the one place where bytes of a picture leave by the page."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from generation.safety.approved import Approved

MEDIA_TYPES: Final = frozenset({"image/webp", "image/png", "image/jpeg"})


def served(picture: Approved | None) -> web.Response:
    """Nothing but an approved picture becomes an answer; opened by itself it may do nothing at all."""
    if picture is None or picture.media_type not in MEDIA_TYPES:
        raise web.HTTPNotFound()
    headers = {"Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'"}
    return web.Response(body=picture.data, content_type=picture.media_type, headers=headers)
