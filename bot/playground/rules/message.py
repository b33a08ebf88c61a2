"""What a request says a message should be: read, checked against Discord's limits, not yet done."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from bot.playground.attachments import MAX_FILE, MAX_REQUEST, Attachment, stored_name
from bot.playground.bodies import Upload
from bot.playground.documents import ApiError, Json, Problems, snowflake, too_large
from bot.playground.messages import Contents, MessageFlag
from bot.playground.rules.component import read_components
from bot.playground.rules.embed import read_embeds
from bot.playground.rules.form import Form
from bot.playground.rules.poll import read_poll

MOST_CONTENT = 2000
MOST_FILES = 10
_CLIENT_FLAGS = MessageFlag.SUPPRESS_EMBEDS | MessageFlag.SUPPRESS_NOTIFICATIONS | MessageFlag.COMPONENTS_V2
_FILE_FIELD = re.compile(r"files?(?:\[(\d+)\])?")


@dataclass(frozen=True, slots=True)
class FilePlan:
    """A file the message shall have: one that comes with the request, or one it already has."""

    upload: Upload | None = None
    existing: int | None = None
    filename: str | None = None
    description: str | None = None
    title: str | None = None
    is_spoiler: bool = False


@dataclass(frozen=True, slots=True)
class AllowedMentions:
    """Whom a message may notify; without a word from the author, everybody it names."""

    parse: frozenset[str] = frozenset({"users", "roles", "everyone"})
    users: frozenset[int] = frozenset()
    roles: frozenset[int] = frozenset()
    replied_user: bool = False


@dataclass(slots=True)
class Draft:
    """A checked request. `named` are the keys it spoke of; the others stay as they are when a message is edited."""

    named: frozenset[str]
    content: str = ""
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    files: list[FilePlan] = field(default_factory=list)
    flags: int = 0
    mentions: AllowedMentions = field(default_factory=AllowedMentions)
    nonce: str | int | None = None
    enforce_nonce: bool = False
    answers: int | None = None  # the message it replies to
    must_exist: bool = True
    poll: Json | None = None
    tts: bool = False

    @property
    def is_v2(self) -> bool:
        """Whether it is laid out with version 2 components."""
        return bool(self.flags & MessageFlag.COMPONENTS_V2)


def read_draft(
    payload: Any,
    uploads: list[Upload],
    *,
    before: Contents | None = None,
    kept: list[Attachment] | None = None,
    also_flags: int = 0,
) -> Draft:
    """Reads a request to create a message or, given its contents and files `before`, to edit it.

    `also_flags` are flags this route lets the client set besides the usual ones. Raises `ApiError`.
    """
    check_sizes(uploads)
    problems = Problems()
    form = Form({} if payload is None else payload, problems)
    flags = (form.number("flags", 0, 2**31 - 1) or 0) & (_CLIENT_FLAGS | also_flags)
    if before is not None:
        flags |= before.flags & MessageFlag.COMPONENTS_V2
    files = _read_files(form, uploads, kept or [])
    draft = Draft(frozenset(form.document) | ({"attachments"} if uploads else frozenset()), flags=flags, files=files)
    draft.content = (form.text("content", MOST_CONTENT) or "").strip()
    draft.embeds = read_embeds(form)
    names = {name for plan in files if plan.filename for name in (plan.filename, stored_name(plan.filename))}
    draft.components = read_components(form, is_v2=draft.is_v2, filenames=names)
    draft.mentions = _read_mentions(form)
    draft.tts = form.flag("tts")
    draft.nonce = _read_nonce(form)
    draft.enforce_nonce = form.flag("enforce_nonce")
    draft.poll = read_poll(form) if before is None or before.flags & MessageFlag.LOADING else None
    if (reference := form.form("message_reference")) is not None:
        draft.answers = reference.id("message_id", required=True)
        draft.must_exist = reference.flag("fail_if_not_exists", default=True)
    if draft.is_v2:
        _refuse_legacy_fields(form, draft, before)
    problems.raise_if_any()
    return draft


def check_sizes(uploads: list[Upload]) -> None:
    """Raises `ApiError` 40005 for a file over 10 MiB or a request over 25 MiB, 50035 for more than ten files."""
    if any(len(upload.content) > MAX_FILE for upload in uploads):
        raise too_large()
    if sum(len(upload.content) for upload in uploads) > MAX_REQUEST:
        raise too_large()
    if len(uploads) > MOST_FILES:
        raise ApiError(400, 30015, "Maximum number of attachments in a message reached (10)")


def refuse_empty(contents: Contents) -> None:
    """Raises `ApiError` 50006 for a message with nothing in it."""
    if not (
        contents.content.strip() or contents.embeds or contents.components or contents.attachments or contents.poll
    ):
        raise ApiError(400, 50006, "Cannot send an empty message")


def _refuse_legacy_fields(form: Form, draft: Draft, before: Contents | None) -> None:
    legacy = {
        "content": draft.content or (before and "content" not in draft.named and before.content),
        "embeds": draft.embeds or (before and "embeds" not in draft.named and before.embeds),
        "poll": draft.poll,
    }
    for key, value in legacy.items():
        if value:
            sentence = f"The '{key}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
            form.refuse("MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", sentence, key)
    has_any = draft.components or (before and "components" not in draft.named and before.components)
    if not has_any and not (before and before.flags & MessageFlag.LOADING):
        form.miss("components")


def _read_files(form: Form, uploads: list[Upload], kept: list[Attachment]) -> list[FilePlan]:
    """The files the message has afterwards, in order: those it keeps, those that are new."""
    by_index = {_index(upload, position): upload for position, upload in enumerate(uploads)}
    here = {attachment.id: attachment for attachment in kept}
    if not form.names("attachments"):
        stay = [FilePlan(existing=each.id, filename=each.filename) for each in kept]
        return stay + [FilePlan(upload=upload, filename=upload.filename) for upload in by_index.values()]
    plans: list[FilePlan] = []
    for each in form.forms("attachments", MOST_FILES):
        key = each.id("id", required=True)
        description = each.text("description", 1024)
        if key in here:
            old = here[key]
            said = description if each.names("description") else old.description
            plans.append(FilePlan(existing=key, filename=old.filename, description=said, is_spoiler=old.is_spoiler))
        elif key in by_index:
            upload = by_index.pop(key)
            name = each.text("filename", 1024) or upload.filename
            title, spoiler = each.text("title", 1024), each.flag("is_spoiler")
            plans.append(FilePlan(upload, None, name, description, title, spoiler))
        elif key is not None:
            each.refuse("ATTACHMENT_NOT_FOUND", "Uploaded attachment not found.")
    return plans + [FilePlan(upload=upload, filename=upload.filename) for upload in by_index.values()]


def _index(upload: Upload, position: int) -> int:
    match = _FILE_FIELD.fullmatch(upload.field)
    return int(match.group(1)) if match and match.group(1) else position


def _read_nonce(form: Form) -> str | int | None:
    nonce = form.document.get("nonce")
    if isinstance(nonce, int) and not isinstance(nonce, bool):
        return nonce
    return form.text("nonce", 25)


def _read_mentions(form: Form) -> AllowedMentions:
    inner = form.form("allowed_mentions")
    if inner is None:
        return AllowedMentions()
    parse = {value for _, value in inner.items("parse", 3) if value in ("users", "roles", "everyone")}
    people = {key: _ids(inner, key) for key in ("users", "roles")}
    for key, some in people.items():
        if some and key in parse:
            sentence = f'parse:["{key}"] and {key}: [ids...] are mutually exclusive.'
            inner.refuse("MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", sentence)
    return AllowedMentions(frozenset(parse), people["users"], people["roles"], inner.flag("replied_user"))


def _ids(form: Form, key: str) -> frozenset[int]:
    return frozenset(found for _, value in form.items(key, 100) if (found := snowflake(value)) is not None)
