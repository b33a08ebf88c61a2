"""Messages, files and threads as plain documents, for keeping them over a restart."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from bot.playground.attachments import Attachment
from bot.playground.documents import Json
from bot.playground.messages import Contents, Message, MessageKind
from bot.playground.places import Channel, ChannelKind

_CONTENT = "content"


def message_record(message: Message) -> Json:
    """Everything about a message but the bytes of its files."""
    return asdict(message)


def read_message(record: Json) -> Message:
    """The message again. One that was still loading never will be done: its token died with the server."""
    known = _known(Message, record)
    contents = Contents(**_known(Contents, known.pop("contents")))
    reference = known.pop("reference", None)
    message = Message(
        **{**known, "kind": MessageKind(known["kind"]), "reference": tuple(reference) if reference else None},
        contents=contents,
    )
    message.gave_up |= message.is_loading
    return message


def attachment_record(attachment: Attachment) -> Json:
    """Everything about a file but its bytes."""
    own = {field.name: getattr(attachment, field.name) for field in fields(Attachment)}
    return {name: value for name, value in own.items() if name != _CONTENT}


def read_attachment(record: Json, content: bytes) -> Attachment:
    """The file again."""
    known = _known(Attachment, record)
    size = known.pop("dimensions", None)
    return Attachment(**known, content=content, dimensions=(size[0], size[1]) if size else None)


def thread_record(thread: Channel) -> Json:
    """A thread; the other channels are always the same."""
    return asdict(thread)


def read_thread(record: Json) -> Channel:
    """The thread again."""
    known = _known(Channel, record)
    return Channel(**{**known, "kind": ChannelKind(known["kind"]), "overwrites": ()})


def _known(kind: type[Any], record: Json) -> Json:
    """What this version knows of a record; the rest was written by another one."""
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in record.items() if name in names}
