"""Which models are ready, and which orders wait for one that is not.

A model is loaded in a thread while those in service go on. Where memory has no room for it beside them, they go on for
as long as the owner's patience lasts; then they take up nothing new until they are through, and make room.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from generation.errors import AtelierError, ModelDelayed, ModelUnavailable, NoRoom

log = logging.getLogger(__name__)

TRIES, RETRY = 4, 15.0  # times that a model is tried whose delay may pass, and seconds between two
LEAVE = 60.0  # seconds to wait until a model that has to go is let go of: no longer than the longest call

Order = TypeVar("Order")
Ready = TypeVar("Ready")


Loaded = TypeVar("Loaded", covariant=True)


class Loader(Protocol[Loaded]):
    """Reads a model into memory, sparing those in use; runs in the loading thread."""

    def __call__(self, name: str, in_use: frozenset[str]) -> Loaded:
        """Raises ModelUnavailable; NoRoom where only the models in use are in the way."""
        ...


@dataclass(slots=True)
class _Wait(Generic[Order]):
    order: Order
    since: float


class Residence(Generic[Order, Ready]):
    """The models in service and the doors they are reached through; used by one thread."""

    def __init__(
        self,
        load: Loader[Ready],
        *,
        in_use: Callable[[], frozenset[str]],
        settle: Callable[[str, Ready], None],
        leave: Callable[[str], None],
        patience: float,
        clock: Callable[[], float],
    ) -> None:
        self._load = load
        self._in_use = in_use  # models with pictures in flight
        self._settle = settle  # told of a model that is ready now
        self._leave = leave  # told of a model that has to go: every hold on it must be let go
        self._leaving: queue.SimpleQueue[tuple[str, threading.Event]] = queue.SimpleQueue()
        self._patience = patience
        self._clock = clock
        self._ready: dict[str, Ready] = {}
        self._waiting: defaultdict[str, deque[_Wait[Order]]] = defaultdict(deque)
        self._loading: tuple[str, frozenset[str], Future[Ready]] | None = None
        self._delayed: dict[str, tuple[int, float]] = {}  # by model, how often it was tried and when it is again
        self._no_room: dict[str, frozenset[str]] = {}  # by model, who was in the way
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="load")

    @property
    def ready(self) -> dict[str, Ready]:
        """The models in service, by name."""
        return self._ready

    @property
    def loading(self) -> str:
        """The model that is being loaded; empty when none is."""
        return self._loading[0] if self._loading is not None else ""

    @property
    def waiting(self) -> bool:
        """Whether any order waits."""
        return any(self._waiting.values())

    def put(self, name: str, ready: Ready) -> None:
        """A model that was loaded elsewhere."""
        self._ready[name] = ready
        self._settle(name, ready)

    def drop(self, name: str) -> None:
        """Called by the loading thread for a model that is not in use; returns when nobody holds it any more."""
        gone = threading.Event()
        self._leaving.put((name, gone))
        gone.wait(LEAVE)

    def dismiss(self, name: str) -> None:
        """A model goes at once; called by the thread that uses them."""
        self._ready.pop(name, None)
        self._leave(name)

    def ask(self, name: str, order: Order) -> None:
        """Have an order wait for its model, which may be ready."""
        self._waiting[name].append(_Wait(order, self._clock()))

    def withdraw(self, wanted: Callable[[Order], bool]) -> list[Order]:
        """Take orders out of their wait again."""
        found = [wait for waits in self._waiting.values() for wait in waits if wanted(wait.order)]
        for waits in self._waiting.values():
            for wait in [wait for wait in waits if wait in found]:
                waits.remove(wait)
        return [wait.order for wait in found]

    def orders_for(self, name: str) -> list[Order]:
        """Who waits for a model."""
        return [wait.order for wait in list(self._waiting.get(name, ()))]  # also asked by the loading thread

    def step(self) -> Iterator[tuple[Order, Ready | AtelierError]]:
        """Orders that can begin, with their model, and those whose model cannot be had, with the reason."""
        self._see_off()
        yield from self._finished()
        released = False
        kept = self._loading[1] if self._loading is not None else None
        held = self._held()
        for name, waits in self._waiting.items():
            open_door = name in self._ready and not held and (kept is None or name in kept)
            while waits and open_door:
                released = True
                yield waits.popleft().order, self._ready[name]
        if not released:  # whoever was let in just now is in use from the next step on
            self._next()

    def _see_off(self) -> None:
        while not self._leaving.empty():
            name, gone = self._leaving.get()
            self.dismiss(name)
            gone.set()

    def close(self) -> None:
        """Load nothing more."""
        self._thread.shutdown(cancel_futures=True)

    def _finished(self) -> Iterator[tuple[Order, AtelierError]]:
        if self._loading is None or not self._loading[2].done():
            return
        name, kept, future = self._loading
        self._loading = None
        try:
            self.put(name, future.result())
            self._no_room.pop(name, None)
            self._delayed.pop(name, None)
        except NoRoom:
            self._no_room[name] = kept
            log.info("Model %s waits until %s make room", name, ", ".join(sorted(kept)))
        except ModelDelayed as error:
            tries, _ = self._delayed.get(name, (0, 0.0))
            self._delayed[name] = (tries + 1, self._clock() + RETRY)
            if tries + 1 >= TRIES:
                del self._delayed[name]
                yield from self._turned_away(name, error)
        except AtelierError as error:
            yield from self._turned_away(name, error)
        except Exception:  # whatever it was: these jobs end with a sentence, the models in service go on
            log.exception("model %s could not be loaded", name)
            yield from self._turned_away(name, ModelUnavailable())

    def _turned_away(self, name: str, error: AtelierError) -> Iterator[tuple[Order, AtelierError]]:
        waits = self._waiting.pop(name, deque())
        yield from ((wait.order, error) for wait in waits)

    def _next(self) -> None:
        """Begin to load the model that is waited for the longest, unless those who were in the way still are."""
        if self._loading is not None:
            return
        in_use = self._in_use()
        wanted = [
            name
            for name, waits in self._waiting.items()
            if waits
            and name not in self._ready
            and self._delayed.get(name, (0, 0.0))[1] <= self._clock()
            and not (self._no_room.get(name, frozenset({""})) <= in_use)
        ]
        if wanted:
            name = min(wanted, key=lambda name: self._waiting[name][0].since)
            self._loading = (name, in_use, self._thread.submit(self._load, name, in_use))

    def _held(self) -> bool:
        """Whether models in service take up nothing new, because another was waited for long enough."""
        now = self._clock()
        return any(
            waits and name not in self._ready and name in self._no_room and now - waits[0].since >= self._patience
            for name, waits in self._waiting.items()
        )
