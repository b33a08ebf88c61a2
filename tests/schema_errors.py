"""What is wrong with a JSON document by a JSON schema, told about the field that is wrong even inside unions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from jsonschema import FormatChecker, ValidationError

KINDS = {"string", "integer", "number", "boolean", "array", "object", "null"}
SHOWN = 60  # characters of a value in a message

formats = FormatChecker(formats=())


@formats.checks("date-time", raises=ValueError)
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@formats.checks("uri", raises=ValueError)
def _is_address(value: object) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme)


@formats.checks("int32")
def _is_int32(value: object) -> bool:
    return not isinstance(value, int) or -(2**31) <= value < 2**31


@formats.checks("int64")
def _is_int64(value: object) -> bool:
    return not isinstance(value, int) or -(2**63) <= value < 2**63


@formats.checks("snowflake", raises=ValueError)
def _is_snowflake(value: object) -> bool:
    return not isinstance(value, str) or int(value) < 2**64


def explain(errors: Iterable[ValidationError], root: str) -> list[str]:
    """One line for each field that is wrong: where it is below `root`, and what is expected there."""
    missing: dict[str, list[str]] = {}
    lines: dict[str, str] = {}
    for leaf in (leaf for error in errors for leaf in _leaves(error)):
        place = root + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in leaf.absolute_path)
        if leaf.validator == "required":
            missing.setdefault(place, []).append(leaf.message.partition(" is a required")[0])
        else:
            lines.setdefault(place, f"{place}: {_complaint(leaf)}")
    return [
        *lines.values(),
        *(f"{place}: missing {', '.join(dict.fromkeys(names))}" for place, names in missing.items()),
    ]


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """The errors at the bottom; of a union only those of the branch that the document means to be."""
    if error.validator not in ("oneOf", "anyOf") or not error.context:
        yield error
        return
    branches: dict[int, list[ValidationError]] = {}
    for inner in error.context:
        branches.setdefault(int(inner.schema_path[0]), []).append(inner)
    meant = [branch for branch in branches.values() if not any(_denies_kind(inner) for inner in branch)]
    if not meant:
        yield error
        return
    for inner in min(
        meant, key=lambda branch: (sum(1 for each in branch if each.validator == "required"), len(branch))
    ):
        yield from _leaves(inner)


def _denies_kind(error: ValidationError) -> bool:
    """Whether the branch is for another kind of thing: another JSON type, or another `type` constant."""
    here = list(error.relative_path)
    return (not here and error.validator in ("type", "const", "enum")) or here == ["type"]


def _complaint(error: ValidationError) -> str:
    value, limit = error.instance, error.validator_value
    match error.validator:
        case "type":
            expected = limit if isinstance(limit, str) else " or ".join(limit)
            return f"{_shown(value)} is {_kind(value)}, expected {expected}"
        case "maxLength" | "minLength" | "maxItems" | "minItems":
            unit = "characters" if isinstance(value, str) else "items"
            most = "at most" if error.validator.startswith("max") else "at least"
            return f"{len(value)} {unit}, {most} {limit} allowed"
        case "enum" | "const":
            return f"{_shown(value)} is not {' or '.join(map(str, limit if isinstance(limit, list) else [limit]))}"
        case "format":
            return f"{_shown(value)} is no {limit}"
        case "oneOf" | "anyOf":
            return _lost_between(error)
        case _:
            return error.message if len(error.message) < 3 * SHOWN else f"{error.message[: 3 * SHOWN]}…"


def _lost_between(error: ValidationError) -> str:
    """No branch of a union is meant: say which constants there are, else which JSON types."""
    if not error.context:
        return f"{_shown(error.instance)} fits several alternatives of a union that excludes it"
    wanted: dict[str, None] = {}
    for inner in error.context:
        allowed = inner.validator_value if isinstance(inner.validator_value, list) else [inner.validator_value]
        if _denies_kind(inner) and inner.validator in ("type", "const", "enum"):
            wanted |= {str(each): None for each in allowed}
    instance = error.instance
    if isinstance(instance, dict) and "type" in instance:
        numbers = [each for each in wanted if each.isdecimal()]
        return f"type {_shown(instance['type'])} is not {' or '.join(numbers or wanted)}"
    if wanted.keys() <= KINDS:
        return f"{_shown(instance)} is {_kind(instance)}, expected {' or '.join(wanted)}"
    return f"{_shown(instance)} is not {' or '.join(wanted)}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _kind(value: Any) -> str:
    kinds = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
    return kinds.get(type(value), "null")
