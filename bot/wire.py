"""What Discord and the network say no with, translated once into what it means for a message of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import discord

from generation.errors import AtelierError

ENTITY_TOO_LARGE = 40005
INVALID_WEBHOOK_TOKEN = 50027
FOLLOWUPS_USED_UP = 40094
LACKING = (50001, 50013)  # access to a place, or a permission there
UNKNOWN_MESSAGE = 10008
REQUEST_TIMEOUT = 408
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


class HeldBack(OSError):
    """Not asked at all: too many of the last requests were refused, see bot.restraint."""


class TokensHeldBack(HeldBack):
    """So many tokens were refused lately that none is tried: there are other ways."""


@contextmanager
def translated() -> Iterator[None]:
    """Discord's and the network's errors as one of WayClosed, Unavailable, TooLarge, TokenRefused, Rejected.

    An answer that is no JSON although it says so comes from something on the way, and says nothing of what was done.
    """
    try:
        yield
    except discord.HTTPException as error:
        raise _translation(error) from error
    except TokensHeldBack as error:
        raise WayClosed() from error
    except (discord.RateLimited, aiohttp.ClientConnectorError, HeldBack) as error:
        raise Unavailable() from error
    except (aiohttp.ClientError, OSError, TimeoutError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise Unavailable(in_doubt=True) from error


def _translation(error: discord.HTTPException) -> AtelierError:
    if error.status == 413 or error.code == ENTITY_TOO_LARGE:
        return TooLarge()
    if error.status == 401:
        return TokenEnded() if error.code == INVALID_WEBHOOK_TOKEN else TokenRefused()
    if error.code == UNKNOWN_MESSAGE:
        return Gone()
    is_discords = "json" in error.response.headers.get("Content-Type", "")
    if error.status in (403, 404) and not is_discords:
        return Unavailable()  # a shield or a proxy on the way, for a while
    if error.status == 403 and error.code in LACKING:
        return Forbidden()
    if error.status in (403, 404, 410) or error.code in CLOSED:
        return WayClosed()
    if error.status >= 500 or error.status in (REQUEST_TIMEOUT, 429):
        return Unavailable(in_doubt=error.status != 429)
    return Rejected()
