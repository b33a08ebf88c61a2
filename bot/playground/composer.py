"""Posts, changes and deletes messages: what a checked draft says is done here, and everybody is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from bot.playground.attachments import Attachment, stored_name
from bot.playground.documents import ApiError, Json
from bot.playground.herald import Herald
from bot.playground.messages import Contents, Message, MessageFlag, MessageKind
from bot.playground.permissions import Permission
from bot.playground.places import Channel
from bot.playground.render import used_files
from bot.playground.rules.controls import walk
from bot.playground.rules.message import Draft, FilePlan, refuse_empty
from bot.playground.world import World

NONCE_WINDOW = 300.0  # seconds in which the same nonce means the same message

_USER = re.compile(r"<@!?(\d+)>")
_ROLE = re.compile(r"<@&(\d+)>")
_EVERYONE = re.compile(r"@(?:everyone|here)\b")
_MEDIA = {"image", "thumbnail", "media", "file"}
_OWN_URL = re.compile(r"https?://[^/]+/cdn/attachments/\d+/(\d+)/")


class Composer:
    """The only place where messages come and go."""

    def __init__(self, world: World, herald: Herald) -> None:
        self._world = world
        self._herald = herald
        self._nonces: dict[tuple[int, str | int], tuple[float, int]] = {}
        self._watchers: list[Callable[[Message, bool], object]] = []

    def watch(self, watcher: Callable[[Message, bool], object]) -> None:
        """The watcher is called with every message that changed, and whether it still exists."""
        self._watchers.append(watcher)

    def post(
        self,
        draft: Draft,
        channel: Channel,
        author_id: int,
        *,
        kind: MessageKind = MessageKind.DEFAULT,
        audience: int | None = None,
        interaction: Json | None = None,
        command_name: str | None = None,
        reference: tuple[int, int] | None = None,
        is_webhook: bool = False,
    ) -> Message:
        """Posts a message, or finds the one with the same enforced nonce. Raises `ApiError`."""
        if draft.enforce_nonce and (known := self._same_nonce(author_id, draft.nonce)) is not None:
            return known
        if draft.answers is not None:
            reference, kind = self._answered(draft, channel), MessageKind.REPLY
        now = self._world.clock.now()
        message = Message(
            id=self._world.snowflakes.next(),
            channel_id=channel.id,
            author_id=author_id,
            created=now,
            contents=Contents(flags=draft.flags),
            kind=kind if reference is not None or kind is not MessageKind.REPLY else MessageKind.DEFAULT,
            audience=audience,
            interaction=interaction,
            command_name=command_name,
            reference=reference,
            is_webhook=is_webhook,
        )
        everything = frozenset({"content", "embeds", "components", "attachments", "allowed_mentions", "poll"})
        self._apply(replace(draft, named=everything), message, channel)
        message.contents.nonce, message.contents.tts = draft.nonce, draft.tts
        if not message.is_loading:
            refuse_empty(message.contents)
        if draft.nonce is not None:
            self._nonces[author_id, draft.nonce] = (now, message.id)
        self._keep(message, channel)
        self._herald.created(message)
        return message

    def edit(self, message: Message, draft: Draft) -> Message:
        """Changes what the draft names; the first edit of a loading message finishes it. Raises `ApiError`."""
        before, was_loading = message.contents, message.is_loading
        message.contents = replace(before)
        message.contents.flags = _edited_flags(before.flags, draft)
        try:
            self._apply(draft, message, self._world.channel(message.channel_id))
            refuse_empty(message.contents)
        except ApiError:
            message.contents = before
            raise
        if not was_loading:
            message.edited = self._world.clock.now()
        gone = set(before.attachments) - set(message.contents.attachments)
        self._world.attachments.let_go(gone)
        self.changed(message)
        self._herald.updated(message)
        return message

    def delete(self, message: Message) -> None:
        """Removes a message with its files."""
        self._world.messages.remove(message)
        self._world.attachments.let_go(message.contents.attachments)
        self.changed(message, exists=False)
        self._herald.deleted(message)

    def restore(self, message: Message) -> None:
        """Puts back a message of an earlier run; nobody is told."""
        channel = self._world.channel(message.channel_id)
        self._world.messages.add(message)
        channel.last_message_id = max(message.id, channel.last_message_id or 0)
        if message.contents.nonce is not None:
            self._nonces[message.author_id, message.contents.nonce] = (message.created, message.id)

    def touch(self, message: Message) -> None:
        """Tells of a change that is not of the contents, such as a reaction or a thread."""
        self.changed(message)
        self._herald.updated(message)

    def changed(self, message: Message, *, exists: bool = True) -> None:
        """Tells those who keep a record, and nobody else."""
        for watcher in self._watchers:
            watcher(message, exists)

    def _keep(self, message: Message, channel: Channel) -> None:
        for old in self._world.messages.add(message):
            self._world.attachments.let_go(old.contents.attachments)
            self.changed(old, exists=False)
        if not message.is_ephemeral:
            channel.last_message_id = message.id
            channel.message_count += 1
        self.changed(message)

    def _same_nonce(self, author_id: int, nonce: str | int | None) -> Message | None:
        now = self._world.clock.now()
        self._nonces = {key: value for key, value in self._nonces.items() if now - value[0] < NONCE_WINDOW}
        if nonce is None or (author_id, nonce) not in self._nonces:
            return None
        return self._world.messages.get(self._nonces[author_id, nonce][1])

    def _answered(self, draft: Draft, channel: Channel) -> tuple[int, int] | None:
        other = self._world.messages.get(draft.answers or 0)
        if other is not None and other.channel_id == channel.id and not other.is_ephemeral:
            return channel.id, other.id
        if not draft.must_exist:
            return None
        problem = {"_errors": [{"code": "REPLIES_UNKNOWN_MESSAGE", "message": "Unknown message"}]}
        raise ApiError(400, 50035, "Invalid Form Body", {"message_reference": problem})

    def _apply(self, draft: Draft, message: Message, channel: Channel) -> None:
        contents = message.contents
        if "attachments" in draft.named:
            contents.attachments = [self._stored(plan, message, channel).id for plan in draft.files]
        names = self._names(contents.attachments)
        if "content" in draft.named:
            contents.content = draft.content
        if "embeds" in draft.named:
            contents.embeds = [_relinked(embed, names, self._known) for embed in draft.embeds]
        if "components" in draft.named:
            contents.components = [_relinked(component, names, self._known) for component in draft.components]
        if "poll" in draft.named:
            contents.poll = draft.poll
        shown = [key for key in sorted(used_files(contents)) if self._world.attachments.get(key)]
        contents.attachments += [key for key in shown if key not in contents.attachments]
        if draft.named & {"content", "components", "allowed_mentions"}:
            self._read_mentions(draft, message, channel)

    def _stored(self, plan: FilePlan, message: Message, channel: Channel) -> Attachment:
        files = self._world.attachments
        if plan.upload is None:
            attachment = files[plan.existing or 0]
        else:
            name = plan.filename or plan.upload.filename
            attachment = files.store(self._world.snowflakes.next(), channel.id, name, plan.upload.content)
            attachment.is_spoiler |= plan.is_spoiler
            attachment.title = plan.title
        attachment.description = plan.description
        attachment.is_ephemeral = message.is_ephemeral
        return attachment

    def _names(self, attachment_ids: Iterable[int]) -> dict[str, int]:
        return {attachment.filename: attachment.id for attachment in self._world.attachments.of(attachment_ids)}

    def _known(self, attachment_id: int) -> bool:
        return self._world.attachments.get(attachment_id) is not None

    def _read_mentions(self, draft: Draft, message: Message, channel: Channel) -> None:
        contents, allowed = message.contents, draft.mentions
        texts = [contents.content, *(each.get("content", "") for each in walk(contents.components))]
        text = "\n".join(texts)
        users = list(dict.fromkeys(int(found) for found in _USER.findall(text)))
        roles = list(dict.fromkeys(int(found) for found in _ROLE.findall(text)))
        contents.mentions = [
            user for user in users if user in self._world.roster and ("users" in allowed.parse or user in allowed.users)
        ]
        contents.mention_roles = [
            role for role in roles if role in self._world.roles and ("roles" in allowed.parse or role in allowed.roles)
        ]
        may = self._world.can(message.author_id, Permission.MENTION_EVERYONE, channel)
        contents.mention_everyone = may and "everyone" in allowed.parse and bool(_EVERYONE.search(text))
        if message.kind is MessageKind.REPLY and allowed.replied_user and message.reference is not None:
            other = self._world.messages.get(message.reference[1])
            if other is not None and other.author_id not in contents.mentions:
                contents.mentions.append(other.author_id)


def _edited_flags(flags: int, draft: Draft) -> int:
    flags &= ~MessageFlag.LOADING
    if "flags" in draft.named:
        editable = MessageFlag.SUPPRESS_EMBEDS
        flags = flags & ~editable | draft.flags & (editable | MessageFlag.COMPONENTS_V2)
    return flags | draft.flags & MessageFlag.COMPONENTS_V2


def _relinked(node: Json, names: dict[str, int], known: Callable[[int], bool]) -> Json:
    """Media named by attachment://filename, or by a URL of our own CDN, now mean a file by its id."""
    linked: Json = {}
    for key, value in node.items():
        if key in _MEDIA:
            linked[key] = {**value, "url": _link(value["url"], names, known)}
        elif isinstance(value, dict):
            linked[key] = _relinked(value, names, known)
        elif isinstance(value, list):
            linked[key] = [_relinked(each, names, known) if isinstance(each, dict) else each for each in value]
        else:
            linked[key] = _link(value, names, known) if key == "icon_url" else value
    return linked


def _link(url: str, names: dict[str, int], known: Callable[[int], bool]) -> str:
    if url.startswith("attachment://"):
        name = url.removeprefix("attachment://")
        found = names.get(name) or names.get(stored_name(name))
        return f"attachment://{found or 0}"
    match = _OWN_URL.match(url)
    return f"attachment://{match.group(1)}" if match and known(int(match.group(1))) else url
