"""What is asked of Discord for signing in (RFC 6749 with PKCE, RFC 7636); the same for the real and the local one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import aiohttp
import discord
from pydantic import SecretStr

from bot.page.sessions import Person, Rights
from bot.review.moderators import rights_suffice
from generation.errors import Refusal

log = logging.getLogger(__name__)

SCOPES: Final = "identify guilds"
PATIENCE: Final = aiohttp.ClientTimeout(total=10.0)


class Unreachable(Refusal):
    """Discord does not answer right now; please try again in a moment."""


class NotSignedIn(Refusal):
    """Discord does not know this sign-in any more; please sign in again."""


class Discord:
    """The OAuth2 side of Discord. Use as an async context manager."""

    def __init__(self, api_url: str, secret: SecretStr) -> None:
        self._api_url = api_url
        self._secret = secret
        self._http: aiohttp.ClientSession | None = None

    @property
    def origin(self) -> str:
        """Scheme and host, where people give their consent; also the issuer that answers name (RFC 9207)."""
        parts = urlsplit(self._api_url)
        return f"{parts.scheme}://{parts.netloc}"

    async def __aenter__(self) -> Discord:
        self._http = aiohttp.ClientSession(timeout=PATIENCE)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._http is not None:
            await self._http.close()

    def consent_url(self, application_id: int, redirect_uri: str, state: str, challenge: str) -> str:
        """Where a person's browser is sent to sign in."""
        asked = {
            "client_id": str(application_id),
            "response_type": "code",
            "redirect_uri": redirect_uri,
            "scope": SCOPES,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "prompt": "none",  # who gave their consent before is not asked again
        }
        return f"{self.origin}/oauth2/authorize?{urlencode(asked)}"

    async def exchange(self, application_id: int, redirect_uri: str, code: str, verifier: str) -> SecretStr:
        """The access token for a code; raises NotSignedIn or Unreachable."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        form |= {"code_verifier": verifier} | self._names(application_id)
        answer = await self._ask("POST", "/oauth2/token", data=form)
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token:
            raise Unreachable()
        return SecretStr(token)

    async def revoke(self, application_id: int, token: SecretStr) -> None:
        """Give a token back; when Discord does not answer, it runs out by itself."""
        form = {"token": token.get_secret_value(), "token_type_hint": "access_token"} | self._names(application_id)
        try:
            await self._ask("POST", "/oauth2/token/revoke", data=form)
        except Refusal as error:
            log.info("A sign-in could not be given back to Discord: %s", error)

    async def person(self, token: SecretStr) -> Person:
        """Whose token it is; raises NotSignedIn or Unreachable."""
        me = await self._ask("GET", "/users/@me", headers=_bearer(token))
        return Person(int(me["id"]), str(me.get("global_name") or me["username"]))

    async def rights(self, token: SecretStr) -> Rights:
        """The servers the person may manage, and where they decide cases; raises NotSignedIn or Unreachable."""
        servers = await self._ask("GET", "/users/@me/guilds", headers=_bearer(token))
        managed = [each for each in servers or () if _has(each, _manages)]
        return Rights(
            servers={int(each["id"]): str(each["name"]) for each in managed},
            moderated=frozenset(int(each["id"]) for each in managed if _has(each, rights_suffice)),
        )

    def _names(self, application_id: int) -> dict[str, str]:
        return {"client_id": str(application_id), "client_secret": self._secret.get_secret_value()}

    async def _ask(self, method: str, path: str, **given: Any) -> Any:
        assert self._http is not None, "Discord is entered first"
        try:
            async with self._http.request(method, self._api_url + path, allow_redirects=False, **given) as response:
                if response.status in (400, 401, 403):
                    # Its text may repeat what was sent; the code of the error says enough.
                    log.warning("Discord refused %s %s with status %d", method, path, response.status)
                    raise NotSignedIn()
                if response.status != 200:
                    raise Unreachable()
                return await response.json()
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            log.warning("Discord did not answer %s %s: %s", method, path, type(error).__name__)
            raise Unreachable() from error


def _has(server: dict[str, Any], suffice: Callable[[discord.Permissions], bool]) -> bool:
    """Owners may do everything, whatever their roles say."""
    return bool(server.get("owner")) or suffice(discord.Permissions(int(server.get("permissions") or 0)))


def _manages(rights: discord.Permissions) -> bool:
    return rights.administrator or rights.manage_guild


def _bearer(token: SecretStr) -> dict[str, str]:
    return {"Authorization": f"Bearer {token.get_secret_value()}"}
