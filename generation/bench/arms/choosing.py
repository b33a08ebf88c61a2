"""From an arm's name to the arm: what can be compared, and with which variations."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch

from generation.bench.arms.arm import Arm
from generation.bench.arms.ours import Ours
from generation.bench.arms.plain import Plain
from generation.bench.arms.roof import Roof
from generation.engine.device import Place
from generation.engine.formats import Trials
from generation.engine.model import LoadedModel
from generation.engine.options import EngineOptions
from generation.engine.trying import settle
from generation.errors import BadRequest

THEIRS = ("fifo", "fifo-alike", "fifo-compiled", "static4", "roof")
OURS = ("ours-fast", "ours-exact", "ours-objects", "ours-unordered")
VARIED = re.compile(r"(ours-[a-z]+)(?:-r(\d{1,3}))?(?:-d(\d{1,2}))?(?:-e(\d))?")


@dataclass(frozen=True, slots=True)
class Wanted:
    """An arm's name, taken apart: ours-exact-r8-d4-e1 is exact mode, 8 rows, 4 pictures a decoding, 1 encoder."""

    name: str
    kind: str
    rows: int = 0
    decoded: int = 0
    encoders: int = 2


def wanted(text: str) -> list[Wanted]:
    """The arms named in `text`, separated by commas; raises BadRequest naming the nearest known one."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise BadRequest(f"Name at least one arm of {', '.join((*THEIRS, *OURS))}.")
    return [_taken_apart(name) for name in dict.fromkeys(names)]


def usual(device: torch.device) -> str:
    """The arms that are compared when nothing else is said; what takes minutes to prepare is left to GPUs."""
    if device.type == "cuda":
        return "fifo,fifo-compiled,static4,roof,ours-fast,ours-exact"
    return "fifo,fifo-alike,ours-fast,ours-exact"


@dataclass(slots=True)
class Models:
    """Copies of one model: exact mode may change layers in place, and peers lay theirs out differently."""

    load: Callable[[Place, bool], LoadedModel]  # where, and whether plain
    place: Place
    _kept: dict[str, LoadedModel] = field(default_factory=dict)
    _trials: Trials | None = None

    def plain(self) -> LoadedModel:
        """As peers run it: in the library's own number format where nobody asked for one."""
        return self._copy("plain")

    def alike(self) -> LoadedModel:
        """As peers run it, but in the number format that the denoiser of ours has."""
        return self._copy("alike") if self.ours(exact=False).place.dtype != self.plain().place.dtype else self.plain()

    def ours(self, *, exact: bool) -> LoadedModel:
        """As the engine runs it; on a GPU layers stay as they are, so that one copy is enough."""
        return self._copy("exact" if exact and self.place.device.type != "cuda" else "fast")

    def _copy(self, which: str) -> LoadedModel:
        if which not in self._kept:
            self._kept[which] = self._made(which)
        return self._kept[which]

    def _made(self, which: str) -> LoadedModel:
        if which == "plain":
            return self.load(replace(self.place, undecided=False), True)
        if which == "alike":
            return self.load(self.ours(exact=False).place, True)
        found, self._trials = settle(self.load(self.place, False), self._trials)
        return found


def make(wish: Wanted, models: Models, side: int, *, seconds: float) -> Arm:
    """The arm itself, its model loaded; the roof may take `seconds` to find its best batches."""
    if wish.kind in OURS:
        return Ours(wish.name, models.ours(exact=wish.kind == "ours-exact"), options(wish), encoders=wish.encoders)
    if wish.kind == "roof":
        model = models.ours(exact=False)
        return Roof(wish.name, model, side, compiled=model.place.device.type == "cuda", budget=seconds)
    together = 4 if wish.kind == "static4" else 1
    model = models.alike() if wish.kind == "fifo-alike" else models.plain()
    return Plain(wish.name, model, together=together, compiled=wish.kind == "fifo-compiled")


def options(wish: Wanted) -> EngineOptions:
    """The engine's options for one of ours."""
    return EngineOptions(
        exact="on" if wish.kind == "ours-exact" else "off",
        rows=wish.rows,
        stepping="objects" if wish.kind == "ours-objects" else "tables",
        preview_first=wish.kind != "ours-unordered",
        decode_batch=wish.decoded,
    )


def _taken_apart(name: str) -> Wanted:
    if name in THEIRS:
        return Wanted(name, name)
    match = VARIED.fullmatch(name)
    if match is None or match[1] not in OURS:
        near = difflib.get_close_matches(name, [*THEIRS, *OURS], n=1)
        hint = f"did you mean {near[0]}?" if near else f"choose among {', '.join((*THEIRS, *OURS))}."
        raise BadRequest(f"There is no arm called “{name[:40]}”; {hint}")
    return Wanted(name, match[1], int(match[2] or 0), int(match[3] or 0), max(1, int(match[4] or 2)))
