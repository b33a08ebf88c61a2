"""Keeps other web sites away from the local Discord: foreign Host and Origin headers, and what a page may load."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "media-src 'self' blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


class Guard:
    """Answers only under its own names: a page elsewhere can point its name here, but not its Host header."""

    def __init__(self, host: str) -> None:
        self._names = {host.strip("[]").lower(), "localhost"}
        self._is_open = host in ("0.0.0.0", "::", "")  # noqa: S104 -- compared, and asked for by the owner
        if self._is_open:
            own = socket.gethostname().lower()
            self._names |= {own, f"{own}.local"}

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """For the application's list of middlewares."""
        if not self._is_own(f"//{request.host}"):
            return web.Response(status=421, text="This server does not go by that name.")
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc.lower() != request.host.lower():
            return web.Response(status=403, text="Requests from other sites are refused.")
        if request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site") and not _is_visit(request):
            return web.Response(status=403, text="Requests from other sites are refused.")
        return await handler(request)

    def _is_own(self, address: str) -> bool:
        try:
            name = (urlsplit(address).hostname or "").lower()
        except ValueError:
            return False
        if name in self._names:
            return True
        try:
            number = ipaddress.ip_address(name)
        except ValueError:
            return False
        return number.is_loopback or self._is_open


def _is_visit(request: web.Request) -> bool:
    """Following a link to the page is not an attack."""
    visited = request.path in ("/", "/oauth2/authorize")
    return request.method == "GET" and visited and request.headers.get("Sec-Fetch-Mode") == "navigate"


async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
    """For `on_response_prepare`: what is not already stricter gets the page's policy."""
    for name, value in HEADERS.items():
        if name not in response.headers:
            response.headers[name] = value
