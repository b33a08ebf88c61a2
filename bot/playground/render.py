"""Messages as API objects: files become signed URLs, ids become people."""

from __future__ import annotations

import re
import zlib
from typing import Any

from bot.playground import ids
from bot.playground.attachments import Attachment, attachment_json
from bot.playground.cdn import Cdn
from bot.playground.documents import Json
from bot.playground.messages import Contents, Message, MessageFlag, MessageKind
from bot.playground.moments import iso, iso_or_none
from bot.playground.rules.controls import walk
from bot.playground.world import World

_STORED = re.compile(r"attachment://(\d+)")
_MEDIA_KEYS = {"media", "file"}
UNANSWERED = "The application did not respond"


class Renderer:
    """Makes message objects, complete and with URLs that are fresh from now."""

    def __init__(self, world: World, cdn: Cdn) -> None:
        self._world = world
        self._cdn = cdn

    def message(self, message: Message, viewer_id: int = ids.BOT_ID, *, nested: bool = False) -> Json:
        """The message as one viewer gets it from the API."""
        contents = message.contents
        files = self._world.attachments.of(contents.attachments)
        by_id = {attachment.id: attachment for attachment in files}
        embeds = [] if contents.flags & MessageFlag.SUPPRESS_EMBEDS else self._embeds(contents.embeds, by_id)
        shown_inside = used_files(contents)
        document: Json = {
            "id": str(message.id),
            "channel_id": str(message.channel_id),
            "type": int(message.kind),
            "author": self._user(message.author_id),
            "content": contents.content,
            "timestamp": iso(message.created),
            "edited_timestamp": iso_or_none(message.edited),
            "tts": contents.tts,
            "pinned": message.is_pinned,
            "flags": contents.flags,
            "mentions": [self._user(each) for each in contents.mentions],
            "mention_roles": [str(role) for role in contents.mention_roles],
            "mention_everyone": contents.mention_everyone,
            "attachments": [attachment_json(each, self._cdn) for each in files if each.id not in shown_inside],
            "embeds": embeds,
            "components": [self._component(each, by_id) for each in contents.components],
        }
        document |= self._origin(message)
        if contents.nonce is not None:
            document["nonce"] = contents.nonce
        if message.reactions:
            document["reactions"] = [_reaction(key, users, viewer_id) for key, users in message.reactions.items()]
        if contents.poll is not None:
            document["poll"] = _poll(contents.poll, message.created)
        if message.thread_id in self._world.channels:
            document["thread"] = self._world.channels[message.thread_id].as_json()
        if message.reference is not None:
            document |= self._reference(message, nested)
        return document

    def event(self, message: Message) -> Json:
        """The message as the gateway sends it: with the guild and its author's membership."""
        document = self.message(message)
        channel = self._world.channel(message.channel_id)
        document["channel_type"] = int(channel.kind)
        if channel.guild_id is not None:
            document["guild_id"] = str(channel.guild_id)
            if message.author_id in self._world.roster:
                document["member"] = self._world.roster[message.author_id].as_partial_json()
            for mention in document["mentions"]:
                mention["member"] = self._world.roster[int(mention["id"])].as_partial_json()
        return document

    def for_person(self, message: Message, person_id: int) -> Json:
        """The message as a person's client shows it."""
        document = self.message(message, person_id)
        if message.gave_up:
            document |= {"content": UNANSWERED, "gave_up": True, "flags": message.contents.flags & ~MessageFlag.LOADING}
        document["thinking"] = bool(document["flags"] & MessageFlag.LOADING)
        return document

    def _user(self, user_id: int) -> Json:
        return self._world.user(user_id).as_json()

    def _origin(self, message: Message) -> Json:
        origin: Json = {}
        if message.is_webhook:
            origin |= {"webhook_id": str(ids.APPLICATION_ID), "application_id": str(ids.APPLICATION_ID)}
        if message.interaction is not None:
            origin["interaction_metadata"] = message.interaction
            if message.command_name is not None:
                same = {key: message.interaction[key] for key in ("id", "type", "user")}
                origin["interaction"] = {**same, "name": message.command_name}
        return origin

    def _reference(self, message: Message, nested: bool) -> Json:
        assert message.reference is not None
        channel_id, message_id = message.reference
        reference: Json = {"type": 0, "channel_id": str(channel_id), "message_id": str(message_id)}
        channel = self._world.channels.get(channel_id)
        if channel is not None and channel.guild_id is not None:
            reference["guild_id"] = str(channel.guild_id)
        document: Json = {"message_reference": reference}
        if not nested and message.kind is MessageKind.REPLY:
            other = self._world.messages.get(message_id)
            is_shown = other is not None and other.audience in (None, message.audience)
            shown = self.message(other, nested=True) if other is not None and is_shown else None
            document["referenced_message"] = shown
        return document

    def _embeds(self, embeds: list[Json], files: dict[int, Attachment]) -> list[Json]:
        return [self._embed(embed, files) for embed in embeds]

    def _embed(self, embed: Json, files: dict[int, Attachment]) -> Json:
        shown = dict(embed)
        for key in ("image", "thumbnail"):
            if key in embed:
                media = self._media(embed[key]["url"], files)
                shown[key] = {
                    name: value for name, value in media.items() if name in _EMBED_MEDIA and value is not None
                }
                if not media["url"]:
                    del shown[key]
        for key in ("footer", "author"):
            if "icon_url" in embed.get(key, {}):
                url = self._media(embed[key]["icon_url"], files)["url"]
                icon = {"icon_url": url, "proxy_icon_url": url} if url else {}
                shown[key] = {**{name: text for name, text in embed[key].items() if name != "icon_url"}, **icon}
        return shown

    def _component(self, component: Json, files: dict[int, Attachment]) -> Json:
        shown = dict(component)
        for key in _MEDIA_KEYS & component.keys():
            shown[key] = self._media(component[key]["url"], files)
            if key == "file":
                file = _stored(component[key]["url"], files)
                shown |= {"name": file.filename if file else None, "size": file.size if file else None}
        for key in ("components", "items"):
            if key in component:
                shown[key] = [self._component(each, files) for each in component[key]]
        if "accessory" in component:
            shown["accessory"] = self._component(component["accessory"], files)
        return shown

    def _media(self, url: str, files: dict[int, Attachment]) -> Json:
        """An unfurled media item; of a URL from elsewhere nothing is known, for nothing is fetched."""
        if not url.startswith("attachment://"):
            nothing: Json = {"width": None, "height": None, "content_type": None}
            return {"id": str(zlib.crc32(url.encode())), "url": url, "proxy_url": url, **nothing}
        file = _stored(url, files)
        if file is None:
            return {"id": "0", "url": "", "proxy_url": "", "width": None, "height": None, "content_type": None}
        shown = attachment_json(file, self._cdn)
        size: Json = {"width": shown.get("width"), "height": shown.get("height"), "content_type": file.media_type}
        return {
            "id": str(file.id),
            "url": shown["url"],
            "proxy_url": shown["url"],
            "attachment_id": str(file.id),
            **size,
        }


_EMBED_MEDIA = {"url", "proxy_url", "width", "height", "content_type"}


def used_files(contents: Contents) -> set[int]:
    """Files that embeds and components show; a message does not list these again."""
    urls = [embed[key][name] for embed in contents.embeds for key, name in _EMBED_URLS if name in embed.get(key, {})]
    for component in walk(contents.components):
        urls += [item["media"]["url"] for item in (component, *component.get("items", ())) if "media" in item]
        urls += [component["file"]["url"]] if "file" in component else []
    return {int(match.group(1)) for url in urls if (match := _STORED.fullmatch(url))}


_EMBED_URLS = (("image", "url"), ("thumbnail", "url"), ("footer", "icon_url"), ("author", "icon_url"))


def _stored(url: str, files: dict[int, Attachment]) -> Attachment | None:
    match = _STORED.fullmatch(url)
    return files.get(int(match.group(1))) if match else None


def emoji_json(key: str) -> Json:
    """An emoji from how routes write it: the sign itself, or name:id."""
    name, _, emoji_id = key.rpartition(":")
    return {"id": emoji_id, "name": name, "animated": False} if name else {"id": None, "name": key}


def _reaction(key: str, users: list[int], viewer_id: int) -> Json:
    counts = {"count": len(users), "count_details": {"burst": 0, "normal": len(users)}}
    mine: Json = {"me": viewer_id in users, "me_burst": False, "burst_colors": []}
    return {"emoji": emoji_json(key), **counts, **mine}


def _poll(poll: Json, created: float) -> Json:
    results: Json = {"answer_counts": [], "is_finalized": False}
    kept: dict[str, Any] = {key: value for key, value in poll.items() if key != "hours"}
    return {**kept, "expiry": iso(created + poll["hours"] * 3600), "results": results}
