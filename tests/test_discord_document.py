"""The oracle itself: it takes what Discord takes, refuses what Discord refuses, and says which field it is."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.discord_document import NOT_SERVED, Oracle

Json = dict[str, Any]

BUTTON = {"type": 2, "style": 1, "label": "Again", "custom_id": "again", "disabled": False}
SELECT = {"type": 3, "custom_id": "style", "options": [{"label": "Ink", "value": "ink"}]}
MESSAGE = {
    "content": "A picture",
    "embeds": [{"title": "Red house", "fields": [{"name": "Seed", "value": "1"}]}],
    "components": [{"type": 1, "components": [BUTTON]}, {"type": 1, "components": [SELECT]}],
    "attachments": [{"id": 0, "filename": "a.webp", "description": "a red house"}],
    "allowed_mentions": {"parse": []},
}
LAYOUT = {
    "flags": 1 << 15,
    "components": [
        {
            "type": 17,
            "accent_color": 255,
            "components": [
                {"type": 10, "content": "Words"},
                {"type": 9, "components": [{"type": 10, "content": "Left"}], "accessory": BUTTON},
                {"type": 12, "items": [{"media": {"url": "attachment://a.webp"}}]},
                {"type": 14, "divider": True, "spacing": 1},
                {"type": 1, "components": [BUTTON]},
            ],
        }
    ],
}
LABEL = {"type": 18, "label": "Prompt", "component": {"type": 4, "custom_id": "prompt", "style": 2}}
MODAL = {"custom_id": "edit", "title": "Edit", "components": [LABEL]}
COMMAND = {
    "name": "dream",
    "type": 1,
    "description": "Paint a picture",
    "options": [
        {"type": 3, "name": "prompt", "description": "Words", "required": True},
        {"type": 3, "name": "style", "description": "A style", "choices": [{"name": "Ink", "value": "ink"}]},
    ],
    "contexts": None,
    "integration_types": None,
    "default_member_permissions": None,
    "nsfw": False,
}
USER = {
    "id": "5",
    "username": "ada",
    "avatar": None,
    "discriminator": "0",
    "public_flags": 0,
    "flags": 0,
    "global_name": "Ada",
    "primary_guild": None,
}
POSTED = {
    "id": "9",
    "channel_id": "7",
    "type": 0,
    "content": "hello",
    "mentions": [],
    "mention_roles": [],
    "mention_everyone": False,
    "attachments": [],
    "embeds": [],
    "components": [{"type": 1, "id": 1, "components": [{**BUTTON, "id": 2}]}],
    "timestamp": "2026-01-01T00:00:00.000000+00:00",
    "edited_timestamp": None,
    "flags": 0,
    "author": USER,
    "pinned": False,
    "tts": False,
}
CALLBACK = "/interactions/1/token/callback"


def asked(method: str, path: str, request: Any = None, *, status: int = 204, response: Any = None, **more: Any) -> Json:
    files = more.pop("files", [])
    described = [{"field": field, "filename": "a.webp", "size": 3} for field in files]
    return {
        "method": method,
        "path": path,
        "request": request,
        "status": status,
        "response": response,
        "files": described,
        "query": {},
        **more,
    }


def answer(kind: int, data: Any) -> Json:
    return asked("POST", CALLBACK, {"type": kind, "data": data})


def message(data: Any, **more: Any) -> Json:
    return asked(
        "POST", "/channels/7/messages", data, **{"files": ["files[0]"], "status": 200, "response": POSTED, **more}
    )


def changed(document: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """A copy with one value set, or added to a list; `...` takes the key away."""
    document = copy.deepcopy(document)
    place = document
    for step in path[:-1]:
        place = place[step]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return document


@pytest.mark.parametrize(
    "exchange",
    [
        message(MESSAGE),
        message({**MESSAGE, "nonce": "a-job", "enforce_nonce": True}),
        message(LAYOUT),
        answer(4, {**MESSAGE, "attachments": []}),
        answer(5, {"flags": 64}),
        answer(6, None),
        answer(7, LAYOUT),
        answer(8, {"choices": [{"name": "Ink", "value": "ink"}] * 25}),
        answer(9, MODAL),
        asked(
            "POST", "/webhooks/5/token", MESSAGE, files=["files[0]"], status=200, response=POSTED, query={"wait": "1"}
        ),
        asked("PATCH", "/webhooks/5/token/messages/@original", {"content": "Done"}, status=200, response=POSTED),
        asked("PATCH", "/channels/7/messages/9", {"attachments": [{"id": 987654321}]}, status=200, response=POSTED),
        asked("GET", "/channels/7/messages", status=200, response=[POSTED], query={"limit": "50", "before": "9"}),
        asked("DELETE", "/channels/7/messages/9"),
        asked("PUT", "/channels/7/messages/9/reactions/🎨/@me"),
        asked("PUT", "/applications/5/commands", [COMMAND], status=200, response=[]),
        asked("GET", "/channels/7/messages/9", status=404, response={"message": "Unknown Message", "code": 10008}),
    ],
    ids=lambda exchange: f"{exchange['method']} {exchange['path']}",
)
def test_takes_what_discord_takes(oracle: Oracle, exchange: Json) -> None:
    assert oracle.check(exchange) == []


def test_a_refusal_names_single_fields(oracle: Oracle) -> None:
    length = {"code": "BASE_TYPE_BAD_LENGTH", "message": "Must be 2000 or fewer in length."}
    refusal = {"message": "Invalid Form Body", "code": 50035, "errors": {"content": {"_errors": [length]}}}
    exchange = asked("DELETE", "/channels/7/messages/9", status=400, response=refusal)
    assert oracle.check(exchange) == []
    broken = changed(refusal, ("errors", "content", "_errors"), "too long")
    assert oracle.check({**exchange, "response": broken})


BUTTON_AT = ("components", 0, "components", 0)


@pytest.mark.parametrize(
    ("make", "document", "path", "value", "line"),
    [
        (message, MESSAGE, ("content",), 5, "request.content: 5 is integer, expected string or null"),
        (message, MESSAGE, ("embeds",), [{}] * 11, "request.embeds: 11 items, at most 10 allowed"),
        (message, MESSAGE, ("embeds", 0, "title"), "t" * 257, "request.embeds[0].title: 257 characters, at most 256"),
        (message, MESSAGE, ("components", 0, "components"), [BUTTON] * 6, "request.components[0].components: 6 items"),
        (
            message,
            MESSAGE,
            (*BUTTON_AT, "custom_id"),
            "c" * 101,
            "components[0].custom_id: 101 characters, at most 100",
        ),
        (message, MESSAGE, (*BUTTON_AT, "label"), "l" * 81, "components[0].components[0].label: 81 characters"),
        (message, MESSAGE, (*BUTTON_AT, "style"), "blue", "components[0].components[0].style: "),
        (message, MESSAGE, (*BUTTON_AT, "type"), 99, "request.components[0].components[0]: type 99 is not 2 or 8"),
        (message, MESSAGE, ("components", 0, "type"), 99, "request.components[0]: type 99 is not 1 or 17"),
        (
            message,
            MESSAGE,
            ("components", 1, "components", 0, "options", 0, "label"),
            ...,
            "options[0]: missing 'label'",
        ),
        (
            message,
            MESSAGE,
            ("attachments", 0, "description"),
            "d" * 1025,
            "attachments[0].description: 1025 characters",
        ),
        (message, MESSAGE, ("attachments", 0, "id"), 3, "attachments[0].id: there is no files[3]"),
        (message, MESSAGE, ("allowed_mentions", "parse"), ["all"], "request.allowed_mentions.parse[0]: "),
        (message, MESSAGE, ("nonce",), "n" * 26, "request.nonce: "),
        (
            message,
            LAYOUT,
            ("components", 0, "components", 0, "content"),
            1,
            "components[0].components[0].content: 1 is",
        ),
        (message, LAYOUT, ("components", 0, "components", 1, "accessory"), ..., "components[1]: missing 'accessory'"),
        (message, LAYOUT, ("components", 0, "components", 2, "items"), [], "components[2].items: 0 items, at least 1"),
        (lambda data: answer(9, data), MODAL, ("title",), "t" * 46, "request.data.title: 46 characters, at most 45"),
        (lambda data: answer(9, data), MODAL, ("components", 0, "label"), "l" * 46, "data.components[0].label: 46"),
        (lambda data: answer(9, data), MODAL, ("components", 0, "component", "style"), 7, "component.style: 7 is not"),
        (lambda data: answer(9, data), MODAL, ("components", 0, "component", "type"), 2, "component: type 2 is not"),
        (lambda data: answer(7, data), LAYOUT, ("components",), [BUTTON], "request.data.components[0]: type 2 is not"),
        (lambda data: answer(3, data), LAYOUT, ("flags",), 0, "request: type 3 is not 8 or 4 or 5 or"),
    ],
)
def test_refuses_what_discord_refuses(
    oracle: Oracle,
    make: Callable[[Any], Json],
    document: Any,
    path: tuple[str | int, ...],
    value: Any,
    line: str,
) -> None:
    (found,) = oracle.check(make(changed(document, path, value)))
    assert line in found


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        (("name",), "n" * 33, "request[0].name: 33 characters, at most 32 allowed"),
        (("description",), "d" * 101, "request[0].description: 101 characters"),
        (("options",), [COMMAND["options"][1]] * 26, "request[0].options: 26 items, at most 25 allowed"),
        (("options", 1, "choices"), [{"name": "Ink", "value": "i"}] * 26, "request[0].options[1].choices: 26 items"),
        (("options", 0, "type"), 12, "request[0].options[0]: type 12 is not"),
        (("options", 0, "description"), ..., "request[0].options[0]: missing 'description'"),
    ],
)
def test_refuses_commands_that_discord_refuses(
    oracle: Oracle, path: tuple[str | int, ...], value: Any, line: str
) -> None:
    (found,) = oracle.check(
        asked("PUT", "/applications/5/commands", [changed(COMMAND, path, value)], status=200, response=[])
    )
    assert line in found


def test_26_choices_of_an_autocompletion(oracle: Oracle) -> None:
    (found,) = oracle.check(answer(8, {"choices": [{"name": "Ink", "value": "ink"}] * 26}))
    assert "request.data.choices: 26 items, at most 25 allowed" in found


@pytest.mark.parametrize("key", sorted(POSTED.keys() - {"tts"}))
def test_every_required_field_of_a_message_is_missed(oracle: Oracle, key: str) -> None:
    found = oracle.check(message(MESSAGE, response=changed(POSTED, (key,), ...)))
    assert found == [f"POST /channels/7/messages -> 200: response: missing '{key}'"]


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        (("author", "global_name"), ..., "response.author: missing 'global_name'"),
        (("components", 0, "id"), ..., "response.components[0]: missing 'id'"),
        (("components", 0, "components", 0, "id"), ..., "response.components[0].components[0]: missing 'id'"),
        (("id",), 9, "response.id: 9 is integer, expected string"),
        (("timestamp",), "yesterday", "response.timestamp: 'yesterday' is no date-time"),
        (("timestamp",), "2026-01-01T00:00:00", "is no date-time"),
        (("flags",), 2**31, "response.flags: 2147483648 is no int32"),
        (("type",), 1000, "response.type: "),
    ],
)
def test_incomplete_answers_are_refused(oracle: Oracle, path: tuple[str | int, ...], value: Any, line: str) -> None:
    (found,) = oracle.check(message(MESSAGE, response=changed(POSTED, path, value)))
    assert line in found


@pytest.mark.parametrize(
    ("exchange", "line"),
    [
        (asked("POST", "/attachments/refresh-urls", {}), "the document has no such route"),
        (asked("TRACE", "/users/@me"), "the document has no such route"),
        (
            asked("GET", "/channels/seven/messages/9", status=404, response={"message": "", "code": 0}),
            "path.channel_id: ",
        ),
        (asked("GET", "/channels/7/messages", status=200, response=[], query={"limit": "101"}), "query.limit: "),
        (asked("GET", "/channels/7/messages", status=200, response=[], query={"page": "2"}), "query.page: "),
        (asked("DELETE", "/channels/7/messages/9", {"reason": "x"}), "the document wants no body here"),
        (asked("DELETE", "/channels/7/messages/9", response={}), "there is a body where none belongs"),
        (asked("POST", "/channels/7/messages", None, status=200, response=POSTED), "there is no body"),
        (message(MESSAGE, response=None), "there is no JSON body"),
        (message(MESSAGE, files=["files[0]", "file"]), "the file field 'file' is not files[0] to files[9]"),
        (message(MESSAGE, files=["files[0]", "files[0]"]), "'files[0]' is there more than once"),
        (message(MESSAGE, files=[]), "attachments[0].id: there is no files[0]"),
        (asked("DELETE", "/channels/7/messages/9", status=201), "201 is no status of this route"),
        (asked("DELETE", "/channels/7/messages/9", status=500, response={}), "500 is no status of this route"),
        (
            asked("DELETE", "/channels/7/messages/9", status=404, response={"message": "gone"}),
            "response: missing 'code'",
        ),
        (
            asked("GET", "/voice/regions", status=404, response=NOT_SERVED),
            "the local Discord does not serve this route",
        ),
        (
            asked("DELETE", "/channels/7/messages/9", status=429, response={"message": "slow", "code": 0}),
            "response: missing 'retry_after', 'global'",
        ),
    ],
)
def test_routes_parameters_bodies_and_statuses(oracle: Oracle, exchange: Json, line: str) -> None:
    (found,) = oracle.check(exchange)
    assert line in found
    assert found.startswith(f"{exchange['method']} {exchange['path']} -> {exchange['status']}: ")


def test_literal_routes_go_before_parameters(oracle: Oracle) -> None:
    (found,) = oracle.check(asked("GET", "/users/@me", status=200, response=USER))
    assert "'mfa_enabled'" in found
    assert oracle.check(asked("GET", "/users/5", status=200, response=USER)) == []


def test_some_ids_may_be_numbers_and_no_others(oracle: Oracle) -> None:
    channel = asked("POST", "/users/@me/channels", {"recipient_id": 5}, status=404, response={"message": "", "code": 1})
    assert oracle.check(channel) == []
    assert oracle.check(message({**MESSAGE, "message_reference": {"message_id": 9, "channel_id": 7}})) == []
    (found,) = oracle.check(message({**MESSAGE, "sticker_ids": [5]}))
    assert "request.sticker_ids[0]: 5 is integer, expected string" in found


def test_of_a_fault_only_the_request_is_compared(oracle: Oracle) -> None:
    broken = message({**MESSAGE, "content": 5}, status=503, response=None, fault="status")
    (found,) = oracle.check(broken)
    assert "request.content: 5 is integer" in found
    assert oracle.check({**broken, "request": None, "files": []}) == []
    assert oracle.check({**broken, "request": MESSAGE}) == []


def test_what_is_refused_before_it_is_read_has_no_body(oracle: Oracle) -> None:
    slow = {"message": "You are being rate limited.", "retry_after": 0.3, "global": False, "code": 0}
    refused = message(None, files=[], status=429, response=slow)
    assert oracle.check(refused) == []
    (found,) = oracle.check({**refused, "request": {"content": 5}})
    assert "request.content: 5 is integer" in found
    (found,) = oracle.check(message(None, files=[]))
    assert found.endswith("request: there is no body")


def test_repetitions_are_told_once(oracle: Oracle) -> None:
    broken = message(MESSAGE, response={})
    assert oracle.check_all([broken, broken, message(MESSAGE)]) == oracle.check(broken)
