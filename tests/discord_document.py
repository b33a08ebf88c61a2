"""Discord's own API document as an oracle: compares recorded requests and responses with it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.schema_errors import explain, formats

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "discord" / "openapi.json"
ROOT = "urn:discord"
NOT_SERVED = {"message": "404: Not Found", "code": 0}  # what there is no route for, unlike a thing that is not there
NOT_DESCRIBED = {"/oauth2/token", "/oauth2/token/revoke"}  # RFC 6749 and 7009; the document only names their address
TOO_OFTEN = 429
FILE_FIELD = re.compile(r"files\[\d\]")

Json = dict[str, Any]


def document_path() -> Path:
    """Where the document is looked for."""
    return Path(os.environ.get("ATELIER_DISCORD_OPENAPI") or BESIDE)


@dataclass(frozen=True, slots=True)
class Route:
    """One path of the document with its operations; `pattern` has a group for each of `names`."""

    template: str
    pattern: re.Pattern[str]
    names: tuple[str, ...]
    operations: Json


class Oracle:
    """Knows what may be asked and what must be answered. Validators are built once for each schema."""

    def __init__(self, document: Json) -> None:
        self._document = document
        self._registry = Registry().with_resource(ROOT, Resource(contents=document, specification=DRAFT202012))
        self._validators: dict[str, Draft202012Validator] = {}
        self._routes = _routes(document["paths"])

    @classmethod
    def load(cls) -> Oracle:
        """Reads the document; raises FileNotFoundError where it is absent."""
        return cls(json.loads(document_path().read_text(encoding="utf-8")))

    def check(self, exchange: Mapping[str, Any]) -> list[str]:
        """Every mismatch of a recorded exchange as one line that names method, path, status and field.

        What an injected fault answered is not compared; what was asked of it is, as far as it was read. What comes too
        often is answered before it is read.
        """
        method, path = str(exchange["method"]), str(exchange["path"])
        where = f"{method} {path} -> {exchange['status']}"
        if path in NOT_DESCRIBED:
            return []
        route = next((route for route in self._routes if route.pattern.fullmatch(path)), None)
        if route is None or method.lower() not in route.operations:
            return [f"{where}: the document has no such route"]
        at = f"#/paths/{_escaped(route.template)}"
        found = [
            *self._check_parameters(at, route, exchange),
            *self._check_request(f"{at}/{method.lower()}", route.operations[method.lower()], exchange),
            *self._check_response(f"{at}/{method.lower()}", route.operations[method.lower()], exchange),
        ]
        return [f"{where}: {line}" for line in found]

    def check_all(self, exchanges: Iterable[Mapping[str, Any]]) -> list[str]:
        """Mismatches of all exchanges, equal lines once."""
        return list(dict.fromkeys(line for exchange in exchanges for line in self.check(exchange)))

    def _check_parameters(self, at: str, route: Route, exchange: Mapping[str, Any]) -> list[str]:
        match = route.pattern.fullmatch(str(exchange["path"]))
        assert match is not None
        method = str(exchange["method"]).lower()
        given = {
            "path": dict(zip(route.names, match.groups(), strict=True)),
            "query": dict(exchange.get("query") or {}),
            "header": {},
        }
        found = []
        for holder, pointer in ((route.operations, at), (route.operations[method], f"{at}/{method}")):
            for index, parameter in enumerate(holder.get("parameters", ())):
                values, name = given[parameter["in"]], parameter["name"]
                if name in values:
                    value = _typed(values.pop(name), parameter["schema"])
                    found += self._errors(f"{pointer}/parameters/{index}/schema", value, f"{parameter['in']}.{name}")
        return found + [f"query.{name}: the document has no such parameter" for name in given["query"]]

    def _check_request(self, at: str, operation: Json, exchange: Mapping[str, Any]) -> list[str]:
        payload, files = exchange["request"], exchange.get("files") or []
        body = operation.get("requestBody")
        if payload is None and (exchange.get("fault") or exchange["status"] == TOO_OFTEN):
            return []
        if body is None:
            return ["request: the document wants no body here"] if payload or files else []
        if payload is None:
            return ["request: there is no body"] if body.get("required") and not files else []
        # A multipart schema describes the decoded form; what travels as payload_json is the JSON schema's document.
        media = "application/json" if "application/json" in body["content"] else next(iter(body["content"]))
        lines = self._errors(f"{at}/requestBody/content/{_escaped(media)}/schema", _normalised(payload), "request")
        return lines + _file_errors(payload, files)

    def _check_response(self, at: str, operation: Json, exchange: Mapping[str, Any]) -> list[str]:
        if exchange.get("fault"):
            return []
        status, answer = int(exchange["status"]), exchange["response"]
        responses = operation["responses"]
        key = str(status) if str(status) in responses else f"{status // 100}XX"
        if key not in responses:
            return [f"response: {status} is no status of this route; there are {', '.join(responses)}"]
        if answer == NOT_SERVED:
            return ["response: the local Discord does not serve this route"]
        pointer, response = f"{at}/responses/{key}", responses[key]
        if "$ref" in response:
            pointer = response["$ref"]
            response = self._document["components"]["responses"][pointer.rpartition("/")[2]]
        content = response.get("content", {})
        if "application/json" not in content:
            return [] if answer is None else ["response: there is a body where none belongs"]
        if answer is None:
            return ["response: there is no JSON body"]
        if key == "4XX":
            answer = _with_numeric_codes(answer)
        return self._errors(f"{pointer}/content/application~1json/schema", answer, "response")

    def _errors(self, pointer: str, instance: Any, root: str) -> list[str]:
        if pointer not in self._validators:
            self._validators[pointer] = Draft202012Validator(
                {"$ref": f"{ROOT}{pointer}"}, registry=self._registry, format_checker=formats
            )
        return explain(self._validators[pointer].iter_errors(instance), root)


def _routes(paths: Json) -> list[Route]:
    """Literal segments go before parameters: `@me` is not a user id."""
    routes = []
    for template in sorted(paths, key=lambda path: [part.startswith("{") for part in path.split("/")]):
        pieces = re.split(r"\{(\w+)\}", template)
        pattern = "([^/]+)".join(re.escape(piece) for piece in pieces[::2])
        routes.append(Route(template, re.compile(pattern), tuple(pieces[1::2]), paths[template]))
    return routes


def _escaped(part: str) -> str:
    """One step of a JSON pointer."""
    return part.replace("~", "~0").replace("/", "~1")


def _typed(text: str, schema: Json) -> Any:
    """A query value as the JSON value its schema wants; clients write booleans as words or digits."""
    if schema.get("type") == "integer" and re.fullmatch(r"-?\d+", text):
        return int(text)
    if schema.get("type") == "boolean":
        return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)
    return text


def _normalised(payload: Any) -> Any:
    """discord.py writes some ids as integers, which Discord takes: of attachments, of replies, of a DM's recipient."""
    if isinstance(payload, list):
        return [_normalised(each) for each in payload]
    if not isinstance(payload, dict):
        return payload
    changed = {key: _normalised(value) for key, value in payload.items()}
    if isinstance(changed.get("attachments"), list):
        changed["attachments"] = [_with_texts(each, "id") for each in changed["attachments"]]
    if "message_reference" in changed:
        changed["message_reference"] = _with_texts(changed["message_reference"], "message_id", "channel_id", "guild_id")
    return _with_texts(changed, "recipient_id")


def _with_texts(document: Any, *keys: str) -> Any:
    if not isinstance(document, dict):
        return document
    return document | {key: str(document[key]) for key in keys if type(document.get(key)) is int}


def _with_numeric_codes(error: Any) -> Any:
    """The document calls every error code a number; the codes of single fields are words, as the reference shows."""
    if isinstance(error, list):
        return [_with_numeric_codes(each) for each in error]
    if not isinstance(error, dict):
        return error
    inner = {key: _with_numeric_codes(value) for key, value in error.items()}
    is_of_field = isinstance(error.get("code"), str) and isinstance(error.get("message"), str)
    return {**inner, "code": 0} if is_of_field else inner


def _file_errors(payload: Any, files: list[Json]) -> list[str]:
    """What the schemas cannot say: files are named files[n], and attachments name files by n."""
    fields = [file["field"] for file in files]
    found = [
        f"request: the file field {field!r} is not files[0] to files[9]"
        for field in fields
        if not FILE_FIELD.fullmatch(field)
    ]
    found += [
        f"request: the file field {field!r} is there more than once" for field in set(fields) if fields.count(field) > 1
    ]
    document = payload if isinstance(payload, dict) else {}
    inner = document.get("data")
    document = inner if isinstance(inner, dict) else document
    for index, attachment in enumerate(document.get("attachments") or ()):
        number = str(attachment.get("id", "")) if isinstance(attachment, dict) else ""
        if number.isdecimal() and int(number) < 10 and f"files[{number}]" not in fields:
            found.append(f"request: attachments[{index}].id: there is no files[{number}]")
    return found
