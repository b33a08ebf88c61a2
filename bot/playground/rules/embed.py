"""Embeds: their limits, and the form they are kept in."""

from __future__ import annotations

from datetime import datetime

from bot.playground.documents import Json
from bot.playground.moments import iso
from bot.playground.rules.form import Form

MOST = 10
ALL_TOGETHER = 6000  # characters over all embeds of a message
_MEDIA = ("http", "https", "attachment")


def read_embeds(form: Form) -> list[Json]:
    """The embeds of a message, normalised."""
    forms = form.forms("embeds", MOST)
    embeds = [_read(each) for each in forms]
    if sum(map(_length, embeds)) > ALL_TOGETHER and forms:
        sentence = f"Embed size exceeds maximum size of {ALL_TOGETHER}"
        form.refuse("MAX_EMBED_SIZE_EXCEEDED", sentence, "embeds")
    return embeds


def _read(form: Form) -> Json:
    embed: Json = {
        "type": "rich",
        "url": form.url("url"),
        "title": form.text("title", 256),
        "description": form.text("description", 4096),
        "color": form.number("color", 0, 0xFFFFFF),
        "timestamp": _timestamp(form),
        "footer": _named(form, "footer", "text", 2048),
        "author": _named(form, "author", "name", 256),
        "image": _media(form, "image"),
        "thumbnail": _media(form, "thumbnail"),
        "fields": [_field(each) for each in form.forms("fields", 25)],
    }
    embed = {key: value for key, value in embed.items() if value not in (None, "", [])}
    if not embed.keys() - {"type", "color", "url"}:
        form.miss("description")
    return embed


def _field(form: Form) -> Json:
    name = form.text("name", 256, required=True)
    value = form.text("value", 1024, required=True)
    for key, text in (("name", name), ("value", value)):
        if text == "":
            form.miss(key)
    return {"name": name, "value": value, "inline": form.flag("inline")}


def _named(form: Form, key: str, label: str, most: int) -> Json | None:
    inner = form.form(key)
    if inner is None or not inner.document:
        return None
    named: Json = {label: inner.text(label, most, required=True), "icon_url": inner.url("icon_url", schemes=_MEDIA)}
    if label == "name":
        named["url"] = inner.url("url")
    return {name: value for name, value in named.items() if value is not None}


def _media(form: Form, key: str) -> Json | None:
    inner = form.form(key)
    url = None if inner is None else inner.url("url", schemes=_MEDIA, required=bool(inner.document))
    return None if url is None else {"url": url}


def _timestamp(form: Form) -> str | None:
    value = form.text("timestamp", 64)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        form.refuse("DATE_TIME_TYPE_PARSE", f"Could not parse {value}. Should be ISO8601.", "timestamp")
        return None
    return iso(moment.timestamp())


def _length(embed: Json) -> int:
    texts = [embed.get("title"), embed.get("description")]
    texts += [embed.get("footer", {}).get("text"), embed.get("author", {}).get("name")]
    texts += [text for field in embed.get("fields", ()) for text in (field["name"], field["value"])]
    return sum(len(text) for text in texts if text)
