"""One programmed fault: what goes wrong, for which requests, and for how long."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, get_args

from bot.playground.buckets import Scope


class FaultKind(StrEnum):
    """What goes wrong."""

    RATE_LIMIT = "rate_limit"  # a 429 with `scope` and `retry_after`, with or without `via`
    STATUS = "status"  # an error `status`, as from a broken server
    LATENCY = "latency"  # `delay_s` before the request is looked at, even if its sender has gone when it is `executed`
    DISCONNECT = "disconnect"  # the line is cut: at once, or in the middle of the response when `executed`
    SLOW_UPLOAD = "slow_upload"  # a multipart body comes in at `bytes_per_s`
    REJECT_CONNECT = "reject_connect"  # gateway connections are turned away
    WITHHOLD_ACK = "withhold_ack"  # heartbeats are not answered


GATEWAY_KINDS = frozenset({FaultKind.REJECT_CONNECT, FaultKind.WITHHOLD_ACK})


@dataclass(frozen=True, slots=True)
class Fault:
    """Without `count` and `duration_s` it lasts until it is taken back."""

    kind: FaultKind
    method: str = "*"
    path: str = "**"  # of the API without /api/v10, or of the CDN; * is one segment, ** any number
    count: int | None = None
    duration_s: float | None = None
    skip: int = 0  # so many matching requests pass first
    uploads_only: bool = False
    executed: bool = False  # the request takes effect, before status or disconnect hides it or however late it is
    scope: Scope = "user"
    retry_after: float = 1.0
    via: bool = True
    status: int = 500
    code: int = 0  # of Discord's own error codes
    body: str | None = None  # instead of an error document, as from something on the way that is not Discord
    delay_s: float = 0.0
    bytes_per_s: float = 65_536.0

    def matches(self, method: str, path: str, *, is_upload: bool) -> bool:
        """Whether the fault is meant for a request like this."""
        if self.method not in ("*", method) or (not is_upload and self._wants_upload()):
            return False
        return bool(_pattern(self.path).fullmatch(path))

    def as_json(self) -> dict[str, Any]:
        """The fault as `from_json` takes it."""
        return dataclasses.asdict(self)

    def _wants_upload(self) -> bool:
        return self.uploads_only or self.kind is FaultKind.SLOW_UPLOAD


def fault_from_json(document: Any) -> Fault:
    """Raises ValueError with a sentence about what is wrong."""
    if not isinstance(document, dict):
        raise ValueError("A fault is a JSON object.")
    fields = {field.name: field for field in dataclasses.fields(Fault)}
    for key, value in document.items():
        if key not in fields:
            raise ValueError(f"A fault has no {key!r}; it has {', '.join(fields)}.")
        if not _fits(key, value):
            raise ValueError(f"{key} of a fault cannot be {value!r}.")
    if "kind" not in document:
        raise ValueError("A fault needs a kind.")
    return Fault(**{**document, "kind": FaultKind(document["kind"])})


def _fits(key: str, value: Any) -> bool:
    match key:
        case "kind":
            return value in list(FaultKind)
        case "method" | "path":
            return isinstance(value, str)
        case "scope":
            return value in get_args(Scope)
        case "via" | "executed" | "uploads_only":
            return isinstance(value, bool)
        case "count":
            return value is None or (type(value) is int and value > 0)
        case "skip" | "code":
            return type(value) is int and value >= 0
        case "body":
            return value is None or isinstance(value, str)
        case "status":
            return type(value) is int and 400 <= value <= 599
        case "bytes_per_s":
            return type(value) in (int, float) and value > 0
        case "duration_s":
            return value is None or (type(value) in (int, float) and value >= 0)
        case _:
            return type(value) in (int, float) and value >= 0


def _pattern(path: str) -> re.Pattern[str]:
    pieces = re.split(r"(\*\*|\*)", path)
    return re.compile("".join({"**": ".*", "*": "[^/]+"}.get(piece, re.escape(piece)) for piece in pieces))
