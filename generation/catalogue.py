"""The owner's models and LoRAs by the names members use; whoever asks for an unknown one hears of the nearest."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from generation.errors import ModelUnavailable
from generation.models import ModelSource, resolve

STARTER_NAME = "starter"
SHOWN = 40  # letters of a name that somebody made up


def model_names(places: Mapping[str, str]) -> tuple[str, ...]:
    """All names of a catalogue, name → folder, file or hub id; the starter is always there."""
    return (STARTER_NAME, *(name for name in places if name != STARTER_NAME))


def find_model(name: str, places: Mapping[str, str]) -> ModelSource:
    """Where the model called `name` is; never a path or hub id that the owner did not write down."""
    known = model_names(places)
    found = _match(name, known)
    if found is None:
        raise ModelUnavailable(_unknown("model", name, known))
    return replace(resolve(places.get(found, STARTER_NAME)), name=found)


def lora_names(folder: Path | None) -> tuple[str, ...]:
    """The LoRAs in the owner's folder, by their file names without .safetensors."""
    if folder is None or not folder.is_dir():
        return ()
    return tuple(sorted(path.stem for path in folder.glob("*.safetensors") if path.is_file()))


def find_lora(name: str, folder: Path | None) -> Path:
    """The file of the LoRA called `name`, whatever its case; raises ModelUnavailable with the nearest known names."""
    known = lora_names(folder)
    found = _match(name, known)
    if found is None or folder is None:
        raise ModelUnavailable(_unknown("LoRA", name, known))
    return folder / f"{found}.safetensors"


def _match(name: str, known: Iterable[str]) -> str | None:
    """The known name that is meant: the same one, or the only one that differs in case alone."""
    same = [other for other in known if other == name]
    alike = [other for other in known if other.casefold() == name.strip().casefold()]
    return same[0] if same else alike[0] if len(alike) == 1 else None


def _unknown(kind: str, name: str, known: tuple[str, ...]) -> str:
    shown = name if len(name) <= SHOWN else name[:SHOWN] + "…"
    by_fold = {other.casefold(): other for other in known}
    near = difflib.get_close_matches(name.casefold()[:200], by_fold, n=3, cutoff=0.5)
    if near:
        return f"There is no {kind} called “{shown}”; did you mean {' or '.join(f'“{by_fold[one]}”' for one in near)}?"
    if known:
        return f"There is no {kind} called “{shown}”; there are {', '.join(f'“{one}”' for one in known[:10])}."
    return f"There is no {kind} called “{shown}”; the owner of this bot has put none there."
