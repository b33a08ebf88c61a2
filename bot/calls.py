"""What became of every request of one call: discord.py asks again by itself, and tells only how the last one ended.

A message may be there although the last answer says no: an earlier request may have been carried out before its answer
was lost. And a call that was held up, or a process that stood still, must not post what another one has posted since.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import aiohttp

TIMED_OUT = 408
TURNED_AWAY = frozenset({403, 404, 413, 429})  # by whomever: nothing got through
LONGEST = 60.0  # seconds after which a call posts nothing more: well within what Discord remembers a nonce for


class NotAsked(OSError):
    """This request was not made."""


class CallTooOld(NotAsked):
    """Its call began so long ago that whoever wants it has to look first."""


@dataclass(slots=True)
class Call:
    """Everything that is asked between one entry of `call` and its end."""

    began: float = field(default_factory=time.monotonic)
    in_doubt: bool = False  # whether a request of it may have been carried out although its answer did not say so


_current: ContextVar[Call | None] = ContextVar("call", default=None)


@contextmanager
def call() -> Iterator[Call]:
    """Whatever this task asks until the end of the block is one call."""
    this = Call()
    token = _current.set(this)
    try:
        yield this
    finally:
        _current.reset(token)


def watch(trace: aiohttp.TraceConfig) -> aiohttp.TraceConfig:
    """Let the requests of a client tell their calls how they ended."""
    trace.on_request_start.insert(0, _begins)  # before whoever counts those that are made
    trace.on_request_end.append(_ends)
    trace.on_request_exception.append(_breaks)
    return trace


async def _begins(_: object, __: SimpleNamespace, begun: aiohttp.TraceRequestStartParams) -> None:
    this = _current.get()
    if this is not None and begun.method == "POST" and time.monotonic() - this.began > LONGEST:
        raise CallTooOld("this call has taken too long")


async def _ends(_: object, __: SimpleNamespace, ended: aiohttp.TraceRequestEndParams) -> None:
    this = _current.get()
    if this is not None and may_be_done(ended.response):
        this.in_doubt = True


async def _breaks(_: object, __: SimpleNamespace, broken: aiohttp.TraceRequestExceptionParams) -> None:
    this = _current.get()
    if this is not None and not isinstance(broken.exception, aiohttp.ClientConnectorError | NotAsked):
        this.in_doubt = True


def may_be_done(answer: Any) -> bool:
    """Whether what was asked may have been done although the answer (aiohttp's) says no.

    A refusal that is Discord's own word is a document; anything else comes from something on the way, or behind it.
    """
    status = answer.status
    if status >= 500 or status == TIMED_OUT:
        return True
    return status >= 400 and status not in TURNED_AWAY and "json" not in answer.headers.get("Content-Type", "")
