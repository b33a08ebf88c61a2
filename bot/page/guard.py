"""What stands before every answer: the page's own name, its own forms, headers on everything, errors without causes."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from generation.errors import NotAllowed, Refusal

log = logging.getLogger(__name__)

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Nothing goes abroad; with “no-referrer” browsers would hide their Origin from our own forms too.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
TLS_ONLY: Final = {"Strict-Transport-Security": "max-age=31536000"}
SENTENCES: Final = {
    400: "That could not be read; please go back and try again.",
    403: "That is not for you to see or to change.",
    404: "There is nothing here.",
    405: "That cannot be done here.",
    413: "That is too long; please shorten it.",
    415: "That could not be read; please go back and try again.",
}
OURS: Final = "Something went wrong here; the owner finds the cause in the log."

Telling = Callable[[web.Request, int, str], Awaitable[web.Response]]


class Guard:
    """Two middlewares and a signal for an application that browsers know as `origin`."""

    def __init__(self, origin: Callable[[], str], tell: Telling) -> None:
        self._origin = origin
        self._tell = tell

    def protect(self, app: web.Application) -> None:
        """Stand before everything the application answers."""
        app.middlewares.append(self._kindly)
        app.middlewares.append(self._only_own)
        app.on_response_prepare.append(self._add_headers)

    @web.middleware
    async def _only_own(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        # A foreign name that was pointed here (DNS rebinding) would make this page part of the foreign site.
        if request.host.lower() != self._origin().partition("://")[2]:
            return await self._tell(request, 421, f"This page goes by another name: {self._origin()}")
        if request.method not in ("GET", "HEAD"):
            site = request.headers.get("Sec-Fetch-Site", "same-origin")
            if request.headers.get("Origin", "").lower() != self._origin() or site != "same-origin":
                return await self._tell(
                    request, 403, "That form was not sent from this page; please send it again here."
                )
        return await handler(request)

    @web.middleware
    async def _kindly(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            return await self._tell(request, error.status, SENTENCES.get(error.status, SENTENCES[400]))
        except Refusal as refusal:
            return await self._tell(request, 403 if isinstance(refusal, NotAllowed) else 400, refusal.sentence)
        except Exception:  # the outermost edge: the log gets the cause, the person a sentence
            log.exception("Moderators' page: %s failed", request.match_info.handler)
            return await self._tell(request, 500, OURS)

    async def _add_headers(self, _: web.Request, response: web.StreamResponse) -> None:
        for name, value in HEADERS.items():
            if name not in response.headers:
                response.headers[name] = value
        if self._origin().startswith("https://"):
            response.headers.update(TLS_ONLY)
        response.headers["Server"] = "Atelier"
