"""Sign-in by OAuth2: the page on which one chooses who to be, and the routes that give and take tokens back."""

from __future__ import annotations

import base64
import binascii
import ipaddress
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from jinja2 import Environment, FileSystemLoader

from bot.playground.documents import Json, respond
from bot.playground.guard import POLICY
from bot.playground.parts import Parts
from bot.playground.persons import Persons
from bot.playground.rest.routes import Routes
from bot.playground.signing_in import AskedWrongly, OAuthError

PAGE = "/oauth2/authorize"

_TEMPLATES = Environment(loader=FileSystemLoader(Path(__file__).parents[1]), autoescape=True)


class ConsentPage:
    """GET shows whom one may be, POST takes the choice; both only for this machine's own browser."""

    def __init__(self, parts: Parts, persons: Persons) -> None:
        self._parts = parts
        self._persons = persons

    def add_routes(self, app: web.Application) -> None:
        """Both are below the site's root, as on the real service."""
        app.router.add_get(PAGE, self._show)
        app.router.add_post(PAGE, self._choose)

    async def _show(self, request: web.Request) -> web.Response:
        _only_from_here(request)
        try:
            wish, ticket = self._parts.signing_in.ask(dict(request.query))
        except AskedWrongly as error:
            return _page(400, problem=str(error))
        place = urlsplit(wish.redirect_uri)
        people = [
            {"id": each.user.id, "name": each.user.name, "label": label} for each, label in self._persons.labelled()
        ]
        values: Json = {
            "application": self._parts.world.bot.name,
            "place": place.netloc,
            "ticket": ticket,
            "people": people,
        }
        return _page(200, form_action=f"{place.scheme}://{place.netloc}", **values)

    async def _choose(self, request: web.Request) -> web.Response:
        _only_from_here(request)
        form = await _form(request)
        try:
            chosen = form.get("person", "")
            person_id = self._persons.person(int(chosen)) if chosen.isdecimal() else None
            there = self._parts.signing_in.answer(form.get("ticket", ""), person_id)
        except AskedWrongly as error:
            return _page(400, problem=str(error))
        return web.Response(status=303, headers={"Location": there, "Cache-Control": "no-store"})


def add_routes(routes: Routes) -> None:
    """The token routes; the application names itself in them, so no token is asked for."""
    routes.add("POST", "/oauth2/token", _token, is_open=True)
    routes.add("POST", "/oauth2/token/revoke", _revoke, is_open=True)


async def _token(parts: Parts, request: web.Request) -> web.Response:
    form = await _form(request)
    try:
        return _private(respond(parts.signing_in.exchange(form, *_application(request, form))))
    except OAuthError as error:
        return _refused(error)


async def _revoke(parts: Parts, request: web.Request) -> web.Response:
    form = await _form(request)
    try:
        parts.signing_in.revoke(form.get("token", ""), *_application(request, form))
    except OAuthError as error:
        return _refused(error)
    return respond({})


def _refused(error: OAuthError) -> web.Response:
    return _private(respond({"error": error.code, "error_description": error.sentence}, error.status))


def _private(response: web.Response) -> web.Response:
    response.headers["Cache-Control"] = "no-store"
    return response


async def _form(request: web.Request) -> dict[str, str]:
    """The fields of a form; Discord takes these routes' parameters in no other shape."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPUnsupportedMediaType(text="Send a form (application/x-www-form-urlencoded).")
    return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}


def _application(request: web.Request, form: dict[str, str]) -> tuple[str, str]:
    """Id and secret, by HTTP Basic or in the form."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        client_id, _, secret = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return client_id, secret


def _only_from_here(request: web.Request) -> None:
    if not ipaddress.ip_address(request.remote or "0.0.0.0").is_loopback:  # noqa: S104 - compared
        raise web.HTTPForbidden(text="Signing in works only on the machine itself.")


def _page(status: int, *, form_action: str = "", problem: str = "", **values: object) -> web.Response:
    text = _TEMPLATES.get_template("consent.html").render(problem=problem, **values)
    # The answer to the form leads back to the application, which the policy must allow by name.
    policy = POLICY.replace("form-action 'none'", f"form-action 'self' {form_action}".strip())
    # With the other pages' “no-referrer” a browser would send this form with the origin “null”.
    headers: Json = {"Content-Security-Policy": policy, "Cache-Control": "no-store", "Referrer-Policy": "same-origin"}
    return web.Response(status=status, text=text, content_type="text/html", headers=headers)
