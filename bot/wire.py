"""What Discord and the network say no with, translated once into what it means for a message of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import discord

from bot.calls import NotAsked, call, may_be_done
from generation.errors import AtelierError

ENTITY_TOO_LARGE = 40005
INVALID_WEBHOOK_TOKEN = 50027
FOLLOWUPS_USED_UP = 40094
LACKING = (50001, 50013)  # access to a place, or a permission there
UNKNOWN_MESSAGE = 10008
# Discord says some of these with 400; each means that nothing gets through here, whatever it is.
CLOSED = frozenset(
    {
        FOLLOWUPS_USED_UP,
        50007,  # this person takes no direct messages from the bot
        50008,  # a channel that takes no messages
        50024,  # likewise
        50083,  # a thread that was archived and locked
        50278,  # this person shares no server with the bot any more
        160005,  # a locked thread
    }
)


class WayClosed(AtelierError):
    """There is no way through here: forbidden, gone or expired."""


class Gone(WayClosed):
    """The message does not exist any more: somebody deleted it."""


class TokenEnded(WayClosed):
    """The interaction's token opens nothing any more."""


class Forbidden(WayClosed):
    """The bot lacks a permission there."""


class Unavailable(AtelierError):
    """Discord cannot be reached right now; trying again later makes sense."""

    def __init__(self, *, in_doubt: bool = False) -> None:
        super().__init__()
        self.in_doubt = in_doubt  # whether Discord may have done what was asked all the same


class TooLarge(AtelierError):
    """Discord does not take files of this size here."""


class TokenRefused(AtelierError):
    """Discord does not accept the bot's token any more."""


class Rejected(AtelierError):
    """Discord does not accept this message as it is."""


class HeldBack(NotAsked):
    """Not asked at all: too many of the last requests were refused, see bot.restraint."""


class TokensHeldBack(HeldBack):
    """So many tokens were refused lately that none is tried: there are other ways."""


@contextmanager
def translated() -> Iterator[None]:
    """Discord's and the network's errors as one of WayClosed, Unavailable, TooLarge, TokenRefused, Rejected.

    An answer that is no JSON although it says so comes from something on the way, and says nothing of what was done.
    A refusal says nothing either where an earlier request of the same call may have been carried out.
    """
    with call() as this:
        try:
            yield
        except Exception as error:
            meant = _meaning(error)
            if meant is None:
                raise
            if this.in_doubt and not isinstance(meant, TokenRefused):
                meant = Unavailable(in_doubt=True)
            raise meant from error


def _meaning(error: Exception) -> AtelierError | None:
    if isinstance(error, discord.HTTPException):
        return _translation(error)
    if isinstance(error, TokensHeldBack):
        return WayClosed()
    if isinstance(error, discord.RateLimited | aiohttp.ClientConnectorError | NotAsked):
        return Unavailable()
    if isinstance(error, aiohttp.ClientError | OSError | TimeoutError | json.JSONDecodeError | UnicodeDecodeError):
        return Unavailable(in_doubt=True)
    return None


def _translation(error: discord.HTTPException) -> AtelierError:
    if error.status == 413 or error.code == ENTITY_TOO_LARGE:
        return TooLarge()
    if may_be_done(error.response):
        return Unavailable(in_doubt=True)
    is_discords = "json" in error.response.headers.get("Content-Type", "")
    if error.status == 429 or (error.status in (403, 404) and not is_discords):
        return Unavailable()  # asked too often; or a shield or a proxy on the way, for a while
    if error.status == 401:
        return TokenEnded() if error.code == INVALID_WEBHOOK_TOKEN else TokenRefused()
    if error.code == UNKNOWN_MESSAGE:
        return Gone()
    if error.status == 403 and error.code in LACKING:
        return Forbidden()
    if error.status in (403, 404, 410) or error.code in CLOSED:
        return WayClosed()
    return Rejected()
