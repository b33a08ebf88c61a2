"""Sign-in with the local Discord: who asks, whom they chose to be, and the tokens that come of it (RFC 6749, 7636)."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import re
import secrets
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode, urlsplit

from bot.playground import ids
from bot.playground.clock import Clock

SCOPES = ("identify", "guilds")
CODE_LIFE, CONSENT_LIFE, TOKEN_LIFE = 60.0, 600.0, 604_800.0  # seconds
MOST = 500  # of each kind that are remembered; the oldest goes first

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")

T = TypeVar("T")


class AskedWrongly(ValueError):
    """The link that led here cannot be right; the text says why. Nobody is sent back on its word."""


class OAuthError(Exception):
    """A refusal by the token route; `code` is one of RFC 6749, section 5.2."""

    def __init__(self, code: str, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.code, self.sentence, self.status = code, sentence, status


@dataclass(frozen=True, slots=True)
class Wish:
    """What an application asks of a person."""

    redirect_uri: str
    scopes: tuple[str, ...]
    state: str
    challenge: str  # empty without PKCE

    def answer(self, **parameters: str) -> str:
        """Where the person's browser goes next."""
        told = parameters | ({"state": self.state} if self.state else {})
        return f"{self.redirect_uri}{'&' if urlsplit(self.redirect_uri).query else '?'}{urlencode(told)}"


@dataclass(frozen=True, slots=True)
class Grant:
    """A person's consent, behind a code or a token."""

    person_id: int
    wish: Wish


class _Shelf(Generic[T]):
    """Things under names that nobody can guess, for a while."""

    def __init__(self, clock: Clock, life: float) -> None:
        self._clock = clock
        self._life = life
        self._kept: dict[str, tuple[float, T]] = {}

    def put(self, thing: T) -> str:
        name = secrets.token_urlsafe(24)
        self._kept[name] = (self._clock.now() + self._life, thing)
        while len(self._kept) > MOST:
            del self._kept[next(iter(self._kept))]
        return name

    def look(self, name: str) -> T | None:
        until, thing = self._kept.get(name, (0.0, None))
        return thing if self._clock.now() < until else None

    def take(self, name: str) -> T | None:
        found = self.look(name)
        self._kept.pop(name, None)
        return found


class SigningIn:
    """Wishes on people's screens, codes on their way back, tokens in use. The secret is made up at every start."""

    def __init__(self, clock: Clock) -> None:
        self.secret = secrets.token_urlsafe(24)
        self._wishes: _Shelf[Wish] = _Shelf(clock, CONSENT_LIFE)
        self._codes: _Shelf[Grant] = _Shelf(clock, CODE_LIFE)
        self._tokens: _Shelf[Grant] = _Shelf(clock, TOKEN_LIFE)

    def ask(self, query: dict[str, str]) -> tuple[Wish, str]:
        """A wish and the one-time ticket of its form; raises AskedWrongly."""
        if query.get("client_id") != str(ids.APPLICATION_ID):
            raise AskedWrongly("There is no such application here.")
        if not _is_here(query.get("redirect_uri", "")):
            raise AskedWrongly("The address to go back to must be on this machine.")
        if query.get("response_type") != "code":
            raise AskedWrongly("Only response_type=code is known here.")
        scopes = tuple(query.get("scope", "").split())
        if not scopes or not set(scopes) <= set(SCOPES):
            raise AskedWrongly(f"Only these scopes can be given here: {', '.join(SCOPES)}.")
        challenge = query.get("code_challenge", "")
        if challenge and (query.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(challenge)):
            raise AskedWrongly("Only a code_challenge by S256 is known here.")
        wish = Wish(query["redirect_uri"], scopes, query.get("state", ""), challenge)
        return wish, self._wishes.put(wish)

    def answer(self, ticket: str, person_id: int | None) -> str:
        """The address to go to once the person has chosen, None for “no”; raises AskedWrongly for a used ticket."""
        wish = self._wishes.take(ticket)
        if wish is None:
            raise AskedWrongly("This form was used already, or is too old; start again where you came from.")
        if person_id is None:
            refused = "The resource owner or authorization server denied the request"
            return wish.answer(error="access_denied", error_description=refused)
        return wish.answer(code=self._codes.put(Grant(person_id, wish)))

    def exchange(self, form: dict[str, str], client_id: str, client_secret: str) -> dict[str, object]:
        """The token route's answer to a code; raises OAuthError. A code is good once, whatever comes of it."""
        self._identify(client_id, client_secret)
        if form.get("grant_type") != "authorization_code":
            raise OAuthError("unsupported_grant_type", "Only authorization_code is known here.")
        grant = self._codes.take(form.get("code", ""))
        if grant is None or grant.wish.redirect_uri != form.get("redirect_uri"):
            raise OAuthError("invalid_grant", 'Invalid "code" in request.')
        if grant.wish.challenge and not _proves(form.get("code_verifier", ""), grant.wish.challenge):
            raise OAuthError("invalid_request", 'Invalid "code_verifier"')
        return {
            "token_type": "Bearer",
            "access_token": self._tokens.put(grant),
            "expires_in": int(TOKEN_LIFE),
            "refresh_token": secrets.token_urlsafe(24),
            "scope": " ".join(grant.wish.scopes),
        }

    def revoke(self, token: str, client_id: str, client_secret: str) -> None:
        """Forget a token; raises OAuthError when it is not the application that asks."""
        self._identify(client_id, client_secret)
        self._tokens.take(token)

    def bearer(self, token: str, scope: str) -> int | None:
        """Whose token it is, or None when it is none or does not reach so far."""
        grant = self._tokens.look(token)
        return grant.person_id if grant is not None and scope in grant.wish.scopes else None

    def _identify(self, client_id: str, client_secret: str) -> None:
        known = client_id == str(ids.APPLICATION_ID)
        if not (secrets.compare_digest(client_secret.encode(), self.secret.encode()) and known):
            raise OAuthError("invalid_client", "Invalid client credentials.", 401)


def _proves(verifier: str, challenge: str) -> bool:
    if not _VERIFIER.fullmatch(verifier):
        return False
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    return secrets.compare_digest(digest.decode(), challenge)


def _is_here(address: str) -> bool:
    """Whether it is an address on this machine, so that no foreign page is ever handed a code."""
    try:
        parts = urlsplit(address)
        name = parts.hostname or ""
        _ = parts.port  # raises for what is no port
        fits = parts.scheme in ("http", "https") and not parts.fragment and parts.username is None
        return fits and (name == "localhost" or ipaddress.ip_address(name).is_loopback)
    except ValueError:
        return False
