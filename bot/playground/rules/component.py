"""Components of messages, legacy rows and version 2 layouts: their limits, and the form they are kept in."""

from __future__ import annotations

from collections.abc import Callable, Collection

from bot.playground.documents import Json
from bot.playground.rules.controls import SELECTS, Ids, Kind, compact, read_button, read_select, walk
from bot.playground.rules.form import Form

MOST_V2 = 40
MOST_ROWS = 5
ALL_TEXT = 4000  # characters over all text displays
_TOP_V2 = frozenset(
    {
        Kind.ACTION_ROW,
        Kind.SECTION,
        Kind.TEXT_DISPLAY,
        Kind.MEDIA_GALLERY,
        Kind.FILE,
        Kind.SEPARATOR,
        Kind.CONTAINER,
    }
)


def read_components(form: Form, *, is_v2: bool, filenames: Collection[str]) -> list[Json]:
    """The components of a message, normalised. `filenames` are those an attachment:// URL may name."""
    reader = _Reader(is_v2, filenames)
    forms = form.forms("components", MOST_V2 if is_v2 else MOST_ROWS)
    allowed = _TOP_V2 if is_v2 else frozenset({Kind.ACTION_ROW})
    components = [component for each in forms if (component := reader.read(each, allowed)) is not None]
    if is_v2 and reader.ids.count > MOST_V2:
        sentence = f"Total number of components cannot exceed {MOST_V2}"
        form.refuse("COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", sentence, "components")
    if sum(len(each.get("content") or "") for each in walk(components)) > ALL_TEXT:
        sentence = f"Total size of displayable text cannot exceed {ALL_TEXT}"
        form.refuse("COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", sentence, "components")
    reader.ids.assign(components)
    return components


class _Reader:
    """Reads components of one message, whatever is inside them."""

    def __init__(self, is_v2: bool, filenames: Collection[str]) -> None:
        self.ids = Ids()
        self._is_v2 = is_v2
        self._filenames = filenames
        self._readers: dict[Kind, Callable[[Form], Json]] = {
            Kind.ACTION_ROW: self._row,
            Kind.BUTTON: lambda form: read_button(form, self.ids),
            Kind.SECTION: self._section,
            Kind.TEXT_DISPLAY: self._text,
            Kind.THUMBNAIL: self._thumbnail,
            Kind.MEDIA_GALLERY: self._gallery,
            Kind.FILE: self._file,
            Kind.SEPARATOR: self._separator,
            Kind.CONTAINER: self._container,
        }

    def read(self, form: Form, allowed: Collection[Kind]) -> Json | None:
        kind = form.document.get("type")
        if isinstance(kind, bool) or not isinstance(kind, int) or kind not in allowed:
            if "type" not in form:
                form.miss("type")
            else:
                names = ", ".join(str(int(each)) for each in sorted(allowed))
                form.refuse("UNION_TYPE_CHOICES", f'Value of field "type" must be one of ({names}).', "type")
            return None
        if kind in SELECTS:
            return read_select(form, Kind(kind), self.ids)
        return self._readers[Kind(kind)](form)

    def _row(self, form: Form) -> Json:
        row: Json = {"type": Kind.ACTION_ROW, "id": self.ids.number(form)}
        forms = form.forms("components", 5, least=1, required=True)
        inside = [self.read(each, {Kind.BUTTON, *SELECTS}) for each in forms]
        kinds = [component["type"] for component in inside if component]
        if len(kinds) > 1 and any(kind in SELECTS for kind in kinds):
            sentence = "The specified component exceeds the maximum width"
            form.refuse("COMPONENT_LAYOUT_WIDTH_EXCEEDED", sentence, "components", 1)
        return {**row, "components": [component for component in inside if component]}

    def _section(self, form: Form) -> Json:
        section: Json = {"type": Kind.SECTION, "id": self.ids.number(form)}
        section["components"] = self._inside(form, {Kind.TEXT_DISPLAY}, most=3)
        accessory = form.form("accessory", required=True)
        if accessory is not None:
            section["accessory"] = self.read(accessory, {Kind.BUTTON, Kind.THUMBNAIL}) or {"id": 0}
        return section

    def _container(self, form: Form) -> Json:
        container: Json = {"type": Kind.CONTAINER, "id": self.ids.number(form)}
        container["components"] = self._inside(form, _TOP_V2 - {Kind.CONTAINER}, most=MOST_V2)
        colour = form.number("accent_color", 0, 0xFFFFFF)
        return {**container, "accent_color": colour, "spoiler": form.flag("spoiler")}

    def _inside(self, form: Form, allowed: Collection[Kind], *, most: int) -> list[Json]:
        forms = form.forms("components", most, least=1, required=True)
        return [component for each in forms if (component := self.read(each, allowed)) is not None]

    def _text(self, form: Form) -> Json:
        content = form.text("content", ALL_TEXT, least=1, required=True)
        return {"type": Kind.TEXT_DISPLAY, "id": self.ids.number(form), "content": content}

    def _thumbnail(self, form: Form) -> Json:
        return {"type": Kind.THUMBNAIL, "id": self.ids.number(form), **self._media_item(form)}

    def _gallery(self, form: Form) -> Json:
        forms = form.forms("items", 10, least=1, required=True)
        items = [self._media_item(each) for each in forms]
        return {"type": Kind.MEDIA_GALLERY, "id": self.ids.number(form), "items": items}

    def _media_item(self, form: Form) -> Json:
        media = self._media(form, "media", ("http", "https", "attachment"))
        return {"media": media, "description": form.text("description", 1024), "spoiler": form.flag("spoiler")}

    def _file(self, form: Form) -> Json:
        media = self._media(form, "file", ("attachment",))
        return {"type": Kind.FILE, "id": self.ids.number(form), "file": media, "spoiler": form.flag("spoiler")}

    def _media(self, form: Form, key: str, schemes: tuple[str, ...]) -> Json:
        inner = form.form(key, required=True)
        url = None if inner is None else inner.url("url", schemes=schemes, required=True)
        if inner is not None and url is not None and url.startswith("attachment://"):
            name = url.removeprefix("attachment://")
            if name not in self._filenames:
                sentence = f"The referenced attachment {name} was not found."
                inner.refuse("UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND", sentence, "url")
        return {"url": url or ""}

    def _separator(self, form: Form) -> Json:
        separator = {"type": Kind.SEPARATOR, "id": self.ids.number(form), "divider": form.flag("divider", default=True)}
        return compact({**separator, "spacing": form.choice("spacing", (1, 2), required=False) or 1})
