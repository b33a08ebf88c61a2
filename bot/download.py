"""Fetches a member's attachment: from Discord's own file hosts only, never further, never more than allowed."""

from __future__ import annotations

from urllib.parse import urlsplit

import aiohttp

from bot.config import DISCORD_API
from generation.errors import BadRequest
from generation.intake import MAX_BYTES

CDN_HOSTS = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
TIMEOUT = aiohttp.ClientTimeout(total=20, connect=5)
CHUNK = 64 * 1024  # bytes
TOO_MANY = f"That file is larger than {MAX_BYTES // 1024**2} MiB; please use a smaller one."
UNREADABLE = "That picture could not be fetched from Discord; please attach it again."


class Download:
    """One client for all attachments; owns its connections."""

    def __init__(self, api_url: str) -> None:
        self._local = None if api_url == DISCORD_API else urlsplit(api_url)
        self._client: aiohttp.ClientSession | None = None

    async def fetch(self, url: str) -> bytes:
        """The bytes behind an attachment's URL; raises BadRequest with a sentence."""
        if not self._allowed(url):
            raise BadRequest(UNREADABLE)
        if self._client is None:
            self._client = aiohttp.ClientSession(timeout=TIMEOUT)
        try:
            async with self._client.get(url, allow_redirects=False) as response:
                if response.status != 200:
                    raise BadRequest(UNREADABLE)
                return await _limited(response)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise BadRequest(UNREADABLE) from error

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    def _allowed(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
            if self._local is not None:
                return (parts.scheme, parts.netloc) == (self._local.scheme, self._local.netloc)
            return parts.scheme == "https" and parts.netloc in CDN_HOSTS
        except ValueError:
            return False


async def _limited(response: aiohttp.ClientResponse) -> bytes:
    if (response.content_length or 0) > MAX_BYTES:
        raise BadRequest(TOO_MANY)
    data = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK):
        data += chunk
        if len(data) > MAX_BYTES:
            raise BadRequest(TOO_MANY)
    return bytes(data)
