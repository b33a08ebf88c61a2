"""What says that Discord cannot be reached for now, and trying again until it can.

Between the bot and Discord stands more than Discord: Cloudflare turns a whole address away for a while (429, with a
page or a document of its own), a proxy answers 200 with a page, an answer is cut off. None of that is about this bot.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
import traceback
from collections.abc import Awaitable, Callable

import aiohttp
import discord

from bot.calls import TIMED_OUT
from bot.wire import Unavailable

log = logging.getLogger(__name__)

SLOWEST = 60.0  # seconds between two attempts at most, unless Discord asks for more
LONGEST = 600.0  # seconds that Discord may ask for; Cloudflare's word can be an hour, and its limit end sooner
LONGEST_AFTER_MISTAKE = 300.0  # seconds between two attempts of what fails for another reason
REPEATED = 240.0  # seconds in which such a failure is logged once
UNAUTHORIZED, TOO_MANY = 401, 429
LOST = (
    aiohttp.ClientError,
    OSError,
    TimeoutError,
    json.JSONDecodeError,
    UnicodeDecodeError,
    discord.GatewayNotFound,
    discord.RateLimited,
    Unavailable,
)
STUMBLES = (TypeError, LookupError, AttributeError)  # of discord.py, over an answer that is no JSON object


def is_outage(error: BaseException) -> bool:
    """Whether it will pass by itself: no answer, or one that is not Discord's about this request."""
    if isinstance(error, discord.HTTPException):
        is_discords = "json" in error.response.headers.get("Content-Type", "")
        passing = error.status >= 500 or error.status in (TIMED_OUT, TOO_MANY)
        return passing or (not is_discords and error.status != UNAUTHORIZED)
    return isinstance(error, LOST) or (isinstance(error, STUMBLES) and _is_of_discord_py(error))


async def through_outages(attempt: Callable[[], Awaitable[None]], is_over: Callable[[], bool]) -> None:
    """Attempt it until it is done or `is_over`; raises whatever is no outage."""
    tries = 0
    while not is_over():
        try:
            await attempt()
            return
        except Exception as error:
            if is_over() or not is_outage(error):
                raise
            tries += 1
            pause = _asked_for(error) + random.uniform(0.2, min(SLOWEST, 2.0 ** min(tries, 8)))  # noqa: S311 - jitter
            log.warning("Discord cannot be reached (%s), trying again in %.0f s", _in_short(error), pause)
            await asyncio.sleep(pause)


async def until_done(attempt: Callable[[], Awaitable[None]], is_over: Callable[[], bool], name: str) -> None:
    """The same, but tried again after everything else, too, which is logged as a fault every few minutes."""
    tries, logged_at = 0, float("-inf")
    while not is_over():
        try:
            await through_outages(attempt, is_over)
            return
        except Exception:
            if is_over():
                return
            tries += 1
            pause = min(LONGEST_AFTER_MISTAKE, 2.0 ** min(tries, 16))
            if time.monotonic() - logged_at >= REPEATED:
                log.exception("%s failed and is tried again", name)
                logged_at = time.monotonic()
            await asyncio.sleep(pause)


def _is_of_discord_py(error: BaseException) -> bool:
    """Whether it was raised there; the same of a line of ours is a mistake of ours."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(frames) and str(frames[-1].f_globals.get("__name__", "")).partition(".")[0] == "discord"


def _asked_for(error: BaseException) -> float:
    """Seconds that a 429 asks to wait."""
    refusal = error.__cause__ if isinstance(error, discord.GatewayNotFound) else error
    if isinstance(refusal, discord.RateLimited):
        return min(refusal.retry_after, LONGEST)
    if not isinstance(refusal, discord.HTTPException) or refusal.status != TOO_MANY:
        return 0.0
    try:
        wanted = float(refusal.response.headers.get("Retry-After", "0"))
    except ValueError:  # it may be a date
        return 0.0
    return min(wanted, LONGEST) if wanted > 0 else 0.0


def _in_short(error: BaseException) -> str:
    """One line: a page that came instead of an answer has many."""
    refusal = error.__cause__ if isinstance(error, discord.GatewayNotFound) else error
    if isinstance(refusal, discord.HTTPException):
        return f"{refusal.status} {refusal.response.reason}"
    if isinstance(refusal, LOST):
        return f"{refusal}".partition("\n")[0] or type(refusal).__name__
    return f"its answer cannot be read, {type(refusal).__name__}"
