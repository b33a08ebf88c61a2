"""Discord's rate limits on the REST routes: buckets per route, a global one, and the headers that tell of them."""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass
from typing import Literal

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.playground.clock import Clock
from bot.playground.documents import respond

Scope = Literal["user", "global", "shared"]

API = re.compile(r"/api(?:/v\d+)?(?=/)")
FULL = 10_000  # windows kept before those that have run out are thrown away


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests in so many seconds. `{channel}`, `{guild}`, `{webhook}`, `{token}` each have their own."""

    method: str  # "*" for any; then every method counts for itself
    path: str
    count: int
    seconds: float


# As observed on the real service, which publishes no numbers and changes them at will. The first match counts.
LIMITS = (
    Limit("POST", "/channels/{channel}/messages", 5, 5.0),
    Limit("PATCH", "/channels/{channel}/messages/{id}", 5, 5.0),
    Limit("DELETE", "/channels/{channel}/messages/{id}", 5, 1.0),
    Limit("PUT", "/channels/{channel}/messages/{id}/reactions/{emoji}/{user}", 1, 0.25),
    Limit("DELETE", "/channels/{channel}/messages/{id}/reactions/{emoji}/{user}", 1, 0.25),
    Limit("POST", "/channels/{channel}/typing", 5, 5.0),
    Limit("POST", "/webhooks/{webhook}/{token}", 5, 2.0),
    Limit("*", "/webhooks/{webhook}/{token}/messages/{id}", 5, 2.0),
    Limit("GET", "/gateway/bot", 2, 5.0),
    Limit("POST", "/users/@me/channels", 5, 5.0),
    Limit("*", "/applications/{application}/commands", 5, 20.0),
    Limit("*", "/applications/{application}/guilds/{guild}/commands", 5, 20.0),
)
DEFAULT = (50, 1.0)
GLOBAL = (50, 1.0)

# The answer to an interaction has three seconds and no bucket; it and the webhook routes are outside the global limit.
UNLIMITED = re.compile(r"/interactions/[^/]+/[^/]+/callback")
OUTSIDE_GLOBAL = re.compile(r"/(?:interactions|webhooks)/[^/]+/[^/]+(?:/.*)?")

_MAJOR = {"channel", "guild", "webhook", "token"}
_PLACE = re.compile(r"{(\w+)}")
_COMPILED = [(limit, re.compile(_PLACE.sub(r"(?P<\1>[^/]+)", limit.path))) for limit in LIMITS]
_MAJOR_RESOURCE = re.compile(r"/(?:channels|guilds|webhooks)/(\d+)")


@dataclass(frozen=True, slots=True)
class Route:
    """What a request counts for: the limit's public name, whose it is, and the numbers."""

    bucket: str
    major: str
    count: int
    seconds: float


@dataclass(slots=True)
class Window:
    """Requests since the first one of the current window."""

    opened: float
    used: int = 0

    def take(self, count: int, seconds: float, now: float) -> bool:
        """Counts one request; False when the window is full."""
        if now - self.opened >= seconds:
            self.opened, self.used = now, 0
        if self.used >= count:
            return False
        self.used += 1
        return True


class Buckets:
    """Counts requests per route on the clock; `middleware` answers 429 for those too many and stamps the headers."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._windows: dict[tuple[str, str, str], Window] = {}
        self._global: dict[str, Window] = {}

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """For the application's list of middlewares; only paths under /api are counted."""
        path = api_path(request.path)
        if path is None or UNLIMITED.fullmatch(path):
            return await handler(request)
        who = request.headers.get("Authorization", request.remote or "")
        if not OUTSIDE_GLOBAL.fullmatch(path):
            total = self._global.setdefault(who, Window(self._clock.monotonic()))
            if not total.take(*GLOBAL, self._clock.monotonic()):
                await request.release()
                return rate_limited("global", self._left(total, GLOBAL[1]))
        route = find_route(request.method, path)
        window = self._window(who, route)
        allowed = window.take(route.count, route.seconds, self._clock.monotonic())
        headers = self._headers(route, window)
        if not allowed:
            # An upload is read to its end first: clients that are still sending would miss the answer.
            await request.release()
            return rate_limited("user", self._left(window, route.seconds), headers=headers)
        try:
            response = await handler(request)
        except web.HTTPException as refusal:
            refusal.headers.update(headers)
            raise
        if not response.prepared:
            response.headers.update(headers)
        return response

    def _window(self, who: str, route: Route) -> Window:
        now = self._clock.monotonic()
        if len(self._windows) >= FULL:
            longest = max(limit.seconds for limit in LIMITS)
            self._windows = {key: window for key, window in self._windows.items() if now - window.opened < longest}
        return self._windows.setdefault((who, route.bucket, route.major), Window(now))

    def _left(self, window: Window, seconds: float) -> float:
        """Rounded up to a millisecond: who comes back then must not be early."""
        left = window.opened + seconds - self._clock.monotonic()
        return max(1, math.ceil(left * 1000)) / 1000

    def _headers(self, route: Route, window: Window) -> dict[str, str]:
        left = self._left(window, route.seconds)
        return {
            "X-RateLimit-Limit": str(route.count),
            "X-RateLimit-Remaining": str(route.count - window.used),
            "X-RateLimit-Reset": f"{self._clock.now() + left:.3f}",
            "X-RateLimit-Reset-After": f"{left:.3f}",
            "X-RateLimit-Bucket": route.bucket,
        }


def api_path(path: str) -> str | None:
    """The route within the API, without its version prefix; None outside the API."""
    prefix = API.match(path)
    return path[prefix.end() :] if prefix else None


def find_route(method: str, path: str) -> Route:
    """The bucket a request belongs to."""
    for limit, pattern in _COMPILED:
        match = pattern.fullmatch(path)
        if match and limit.method in ("*", method):
            major = "/".join(value for name, value in match.groupdict().items() if name in _MAJOR)
            return Route(_public_name(method, limit.path), major, limit.count, limit.seconds)
    resource = _MAJOR_RESOURCE.match(path)
    template = re.sub(r"\d{5,}", "{id}", path)
    return Route(_public_name(method, template), resource.group(1) if resource else "", *DEFAULT)


def rate_limited(
    scope: Scope, retry_after: float, *, via: bool = True, headers: dict[str, str] | None = None
) -> web.Response:
    """Discord's 429. Without `Via` it looks like a ban by the proxy in front of Discord."""
    body = {
        "message": "You are being rate limited.",
        "retry_after": retry_after,
        "global": scope == "global",
        "code": 0,
    }
    response = respond(body, 429)
    response.headers.update(headers or {})
    response.headers["Retry-After"] = str(math.ceil(retry_after))
    response.headers["X-RateLimit-Scope"] = scope
    if scope == "global":
        response.headers["X-RateLimit-Global"] = "true"
    if via:
        response.headers["Via"] = "1.1 google"
    return response


def _public_name(method: str, template: str) -> str:
    return hashlib.blake2s(f"{method} {template}".encode(), digest_size=16).hexdigest()
