"""The local CDN: signed attachment URLs that expire, served so that nothing in them can run in the page."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from urllib.parse import quote

from aiohttp import web

from bot.playground.clock import Clock

LIFETIME = 24 * 3600.0  # seconds, as on Discord since 2024
ROUTE = "/cdn/attachments/{channel_id:\\d+}/{attachment_id:\\d+}/{filename}"

Lookup = Callable[[int], "tuple[bytes, str] | None"]

# Only what a browser cannot run keeps its media type; SVG and HTML are bytes like any other.
_SHOWN = {"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "video/mp4", "video/webm", "audio/mpeg"}
_GUARDED = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, max-age=3600",
}


class Cdn:
    """Signs attachment URLs and serves them. `lookup` gives an attachment's bytes and media type by its id."""

    def __init__(self, clock: Clock, lookup: Lookup, *, origin: str = "", lifetime: float = LIFETIME) -> None:
        self._clock = clock
        self._lookup = lookup
        self._key = secrets.token_bytes(32)
        self.origin = origin  # such as http://127.0.0.1:8080, known once the server listens
        self.lifetime = lifetime  # seconds, of URLs signed from now on

    def add_routes(self, app: web.Application) -> None:
        """Serves GET and HEAD of every attachment."""
        app.router.add_get(ROUTE, self.serve)

    def sign(self, channel_id: int, attachment_id: int, filename: str) -> str:
        """A fresh URL, good for `lifetime` seconds from now."""
        issued = int(self._clock.now())
        expires = int(self._clock.now() + self.lifetime)
        path = f"/cdn/attachments/{channel_id}/{attachment_id}/{quote(filename, safe='')}"
        signature = self._signature(channel_id, attachment_id, filename, f"{expires:x}", f"{issued:x}")
        return f"{self.origin}{path}?ex={expires:x}&is={issued:x}&hm={signature}&"

    async def serve(self, request: web.Request) -> web.Response:
        """The attachment, or Discord's 404 when the URL is forged or out of date."""
        attachment_id = int(request.match_info["attachment_id"])
        filename = request.match_info["filename"]
        found = self._lookup(attachment_id) if self._is_good(request) else None
        if found is None:
            return web.Response(status=404, text="This content is no longer available.", headers=_GUARDED)
        content, media_type = found
        is_shown = media_type in _SHOWN
        disposition = "inline" if is_shown else "attachment"
        headers = {
            **_GUARDED,
            "Content-Type": media_type if is_shown else "application/octet-stream",
            "Content-Disposition": f"{disposition}; filename*=UTF-8''{quote(filename, safe='')}",
        }
        return web.Response(body=content, headers=headers)

    def _is_good(self, request: web.Request) -> bool:
        expires, issued, given = (request.query.get(name, "") for name in ("ex", "is", "hm"))
        channel_id, attachment_id = int(request.match_info["channel_id"]), int(request.match_info["attachment_id"])
        expected = self._signature(channel_id, attachment_id, request.match_info["filename"], expires, issued)
        # Only what was signed is read as a number: the signature is looked at first.
        return hmac.compare_digest(given.encode(), expected.encode()) and int(expires, 16) > self._clock.now()

    def _signature(self, channel_id: int, attachment_id: int, filename: str, expires: str, issued: str) -> str:
        signed = f"{channel_id}/{attachment_id}/{filename}?{expires}&{issued}"
        return hmac.new(self._key, signed.encode(), hashlib.sha256).hexdigest()
