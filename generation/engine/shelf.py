"""Keeps models in memory within a budget: loads what is asked for, and lets the least recently used go."""

from __future__ import annotations

import gc
import logging
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]
import torch

from generation.catalogue import find_model, model_names
from generation.engine import plain, weights
from generation.engine.building import BUILDING
from generation.engine.device import Place
from generation.engine.model import LoadedModel
from generation.engine.plain import PlainModel
from generation.engine.weights import Alive, Found, silent
from generation.errors import ModelUnavailable, NoRoom

log = logging.getLogger(__name__)

SHARE = 0.9  # of free memory that weights may fill where the owner sets no budget; the rest is for painting

Model = LoadedModel | PlainModel


@dataclass(frozen=True, slots=True)
class Resident:
    """A model in memory."""

    name: str
    bytes: int


class Shelf:
    """The owner's catalogue, name → folder, file or hub id, and which of its models are in memory."""

    def __init__(
        self,
        places: Mapping[str, str],
        place: Place,
        *,
        budget: int = 0,  # bytes for weights; 0: a share of what is free
        free: Callable[[Place], int] | None = None,
        evicted: Callable[[str], None] = silent,  # told a name before its memory is taken back: let go of it
        settled: Callable[[LoadedModel], LoadedModel] = lambda model: model,  # puts a fresh model into its format
    ) -> None:
        self._places = places
        self._place = place
        self._budget = budget
        self._free = free or free_memory
        self._evicted = evicted
        self._settled = settled
        self._models: OrderedDict[str, Model] = OrderedDict()

    @property
    def names(self) -> tuple[str, ...]:
        """All models that can be asked for."""
        return model_names(self._places)

    @property
    def resident(self) -> tuple[Resident, ...]:
        """The models in memory, the least recently used first."""
        return tuple(Resident(name, model.bytes) for name, model in self._models.items())

    @property
    def budget(self) -> int:
        """Bytes that the weights of all models together may take now."""
        return self._budget or int(SHARE * (self._free(self._place) + self._taken()))

    def take(self, name: str, alive: Alive = silent, in_use: Collection[str] = ()) -> Model:
        """The model called `name`, loaded if need be, telling `alive` how it goes; models `in_use` are not let go.

        Raises ModelUnavailable with a sentence when it is unknown, broken or too large, NoRoom when it is too large
        beside those in use. Everything that can be
        checked without loading is checked before any other model has to go.
        """
        source = find_model(name, self._places)
        if source.name not in self._models:
            found = weights.find(source, self._place, alive)
            self._make_room(found, in_use)
            with BUILDING:
                model = self._loaded(found, alive)
            self._models[source.name] = model if isinstance(model, PlainModel) else self._settled(model)
            log.info("Model %s is loaded: %s", source.name, _size(self._models[source.name].bytes))
        self._models.move_to_end(source.name)
        return self._models[source.name]

    def _loaded(self, found: Found, alive: Alive) -> Model:
        load = plain.load_found if found.card.family == "plain" else weights.load_found
        return load(found, self._place, alive)

    def drop(self, name: str) -> None:
        """Take back the memory of a model, once it is let go of."""
        self._evicted(name)
        self.forget(name)

    def forget(self, name: str) -> None:
        """Take back the memory of a model that nobody holds any more."""
        self._models.pop(name, None)
        gc.collect()  # the library's parts refer to each other in circles
        if self._place.device.type == "cuda":
            torch.cuda.empty_cache()

    def _make_room(self, found: Found, in_use: Collection[str]) -> None:
        budget = self.budget
        most = self._budget or self._free(self._place) + self._taken()
        kept = sum(model.bytes for name, model in self._models.items() if name in in_use)
        if found.bytes > most - kept:
            left = f"{_size(max(0, most - kept))} {'are left beside the models in use' if kept else 'are there'}"
            kind = NoRoom if found.bytes <= most else ModelUnavailable
            raise kind(f"The model “{found.card.name}” needs {_size(found.bytes)} of memory, and {left}.")
        for name in [name for name in self._models if name not in in_use]:
            if self._taken() + found.bytes <= budget:
                break
            log.info("Model %s has to make room for %s", name, found.card.name)
            self.drop(name)

    def _taken(self) -> int:
        return sum(model.bytes for model in self._models.values())


def free_memory(place: Place) -> int:
    """Bytes that are free for weights on the device of `place`."""
    if place.device.type == "cuda":
        cached = torch.cuda.memory_reserved(place.device) - torch.cuda.memory_allocated(place.device)
        return int(torch.cuda.mem_get_info(place.device)[0]) + cached
    return int(psutil.virtual_memory().available)


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"
