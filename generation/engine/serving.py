"""The whole engine process but for its pipe: models and their gates, the engine, the finishing threads."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from generation.engine import device
from generation.engine.easel import Easel, introduce, set_up, warm_up
from generation.engine.engine import Engine
from generation.engine.files import opened
from generation.engine.finishing import Finishing
from generation.engine.glance import Glance
from generation.engine.glimpse import Glimpse
from generation.engine.lora import Loras
from generation.engine.model import LoadedModel
from generation.engine.notebook import Notebook
from generation.engine.painting import Painting
from generation.engine.preview import Preview
from generation.engine.residence import Residence
from generation.engine.shelf import Shelf
from generation.engine.trying import circumstance, settle
from generation.errors import AtelierError, Cancelled, NotApproved, UploadsRefused
from generation.job import Job, Progress, Result
from generation.safety.gate import Pixels
from generation.safety.judgement import NO_CHECKER
from generation.workers.worker import EngineSettings

log = logging.getLogger(__name__)

UPLOAD_SEEN = "The safety check did not approve the picture to start from, so nothing was painted from it."
WORN = 3  # jobs in a row without one sound picture: the weights in memory are damaged
SIGN = 1.0  # seconds between two signs of life while a model is loaded
NAP = 0.02  # seconds between two looks whether a model is loaded, when there is nothing else to do


@dataclass(slots=True)
class Order:
    """A job and whom to tell; exactly one of `on_done` and `on_failed` is called, from any thread."""

    number: int
    job: Job
    on_progress: Callable[[Progress], None]
    on_done: Callable[[Result], None]
    on_failed: Callable[[AtelierError], None]


class Serving:
    """Paints what it is given until it is told to stop; one thread calls `paint`, `cancel` and `work`."""

    def __init__(
        self,
        settings: EngineSettings,
        alive: Callable[[str], None],
        hear: Callable[[], None] = lambda: None,
        expect: Callable[[float], None] = lambda _: None,
        hand: Callable[[frozenset[int]], None] = lambda _: None,
    ) -> None:
        """Load, measure, warm up and test, saying so to `alive`; raises ModelUnavailable or the gate's NotApproved.

        `hear` is called during calls that take many steps, for cancellations that came in the meantime; `expect` is
        told beforehand of the seconds that a long call may take, and `hand` of the orders that are worked at, should
        this process not survive it.
        """
        self._settings = settings
        self._alive = alive
        options = settings.options
        self._previews: dict[str, Preview] = {}
        self._said = 0.0
        self._orders: dict[int, Order] = {}  # in the engine or at the gate
        self._at_gate: set[int] = set()
        self._hand = hand
        self._in_hand: frozenset[int] = frozenset()
        self._notebook = Notebook(Path(settings.notebook) if settings.notebook else None)
        self._loras = Loras(Path(settings.loras) if settings.loras else None)
        self._finishing = Finishing(settings, self._done)
        self._glance = Glance()
        glimpse = Glimpse(self._previews, every=options.preview_every, per_second=options.previews_per_second)
        self._engine = Engine(
            options,
            painted=self._painted,
            hear=hear,
            expect=expect,
            hand=self._take_in_hand,
            spare=self._spare,
            glimpse=glimpse,
        )
        self._residence: Residence[Order, Easel] = Residence(
            self._load,
            in_use=self._in_use,
            settle=self._settle,
            leave=self._let_go,
            patience=options.patience,
            clock=time.monotonic,
        )
        alive("loading")
        self._place = device.choose(settings.device, settings.dtype, settings.threads)
        places = {settings.model: settings.model} | dict(settings.places)
        self._shelf = Shelf(
            places, self._place, budget=options.memory_budget, evicted=self._residence.drop, settled=self._in_its_format
        )
        easel = self._load(settings.model, frozenset())
        self._residence.put(settings.model, easel)
        warm_up(easel, options, alive)
        self.status = introduce(easel)
        self._notebook.save()

    # -- jobs --------------------------------------------------------------------------------------------------------

    def paint(self, order: Order) -> None:
        """Take a job up; its model is loaded first where need be.

        A job that was accepted for a model which the owner has since taken away is painted by the first one; its
        recipe says so.
        """
        name = order.job.request.model
        self._residence.ask(name if name in self._shelf.names else self._settings.model, order)

    def cancel(self, number: int) -> None:
        """End a job now; unknown numbers are ignored."""
        for order in self._residence.withdraw(lambda order: order.number == number):
            order.on_failed(Cancelled())
        self._engine.cancel(number)

    @property
    def busy(self) -> bool:
        """Whether `work` has anything to do."""
        return self._engine.busy or self._residence.waiting

    @property
    def worn(self) -> bool:
        """Whether only a new process helps: nothing but broken pictures, or checkers that do not answer any more."""
        stuck = any(easel.gate.stuck for easel in tuple(self._residence.ready.values()))
        return stuck or self._engine.counts.broken_in_a_row >= WORN

    def work(self) -> None:
        """Do one unit of work."""
        for order, answer in list(self._residence.step()):
            if isinstance(answer, AtelierError):
                order.on_failed(answer)
            else:
                self._begin(order, answer)
        if self._engine.tick():
            return
        self._notebook.save()
        if self._residence.waiting:
            if self._residence.loading:
                self._take_in_hand(())
                self._still_loading()
            time.sleep(NAP)

    def close(self) -> None:
        """Wait for what is at the gate, and keep what was learnt."""
        self._residence.close()
        self._finishing.close()
        self._glance.close()
        self._notebook.save()

    def _begin(self, order: Order, easel: Easel) -> None:
        request = replace(order.job.request, model=easel.card.name)
        self._take_in_hand((order.number,))
        if not easel.gate.can_judge(request):
            order.on_failed(NotApproved(UploadsRefused().sentence if request.image is not None else NO_CHECKER))
            return
        if order.job.image is not None and not easel.gate.admits(opened(order.job.image), order.job):
            order.on_failed(NotApproved(UPLOAD_SEEN, flagged=True))
            return
        self._orders[order.number] = order
        self._engine.submit(
            Painting(
                number=order.number,
                job=replace(order.job, request=request),
                on_progress=self._glance.follow(order.job, easel.gate, order.on_progress),
                on_failed=lambda error: self._failed(order.number, error),
            )
        )

    def _take_in_hand(self, numbers: Iterable[int]) -> None:
        """These are worked at now, beside those at the gate and those whose model is being loaded."""
        loading = [order.number for order in self._residence.orders_for(self._residence.loading)]
        hand = frozenset((*numbers, *tuple(self._at_gate), *loading))
        if hand != self._in_hand:
            self._in_hand = hand
            self._hand(hand)

    def _painted(self, painting: Painting, pixels: list[Pixels]) -> None:
        easel = self._residence.ready[painting.job.request.model]
        how = {"rows": sorted(painting.rows)} | easel.lane.recipe_of(painting.samples[0].key)
        self._at_gate.add(painting.number)
        self._finishing.finish(painting, easel.model, easel.gate, pixels, how)

    def _done(self, painting: Painting, result: Result) -> None:
        self._at_gate.discard(painting.number)
        order = self._orders.pop(painting.number, None)
        if order is not None:
            order.on_done(result)

    def _failed(self, number: int, error: AtelierError) -> None:
        self._at_gate.discard(number)
        order = self._orders.pop(number, None)
        if order is not None:
            order.on_failed(error)

    # -- models ------------------------------------------------------------------------------------------------------

    def _in_use(self) -> frozenset[str]:
        return frozenset(name for name in self._engine.lanes if self._engine.paints_with(name))

    def _load(self, name: str, in_use: frozenset[str]) -> Easel:
        """Runs in the loading thread; what goes on is told to the process's owner and to those who wait."""
        model = self._shelf.take(name, lambda doing: self._tell_waiting(name, doing), in_use)
        return set_up(
            model,
            self._settings,
            loras=self._loras,
            notebook=self._notebook,
            alive=self._alive,
        )

    def _in_its_format(self, model: LoadedModel) -> LoadedModel:
        """Once for a model on a machine its parts are tried in lower formats, unless nothing is to be measured."""
        if not model.place.undecided or not self._settings.options.measure_seconds:
            return model
        self._alive("trying number formats")
        here = circumstance(model)
        settled, self._notebook.trials[here] = settle(model, self._notebook.trials.get(here))
        return settled

    def _tell_waiting(self, name: str, doing: str) -> None:
        self._alive(doing)
        for order in self._residence.orders_for(name):
            order.on_progress(Progress(step=0, steps=order.job.request.steps, doing=doing))

    def _still_loading(self) -> None:
        """This thread waits for the loading one, and says so now and then to whoever watches for silence."""
        if time.monotonic() - self._said > SIGN:
            self._said = time.monotonic()
            self._alive(f"loading “{self._residence.loading}”")

    def _spare(self) -> bool:
        """Memory is short: models that paint nothing now go; False where there is none, or one is being loaded."""
        idle = [] if self._residence.loading else sorted(self._residence.ready.keys() - self._in_use())
        for name in idle:
            log.warning("Memory is short: model %s has to go", name)
            self._residence.dismiss(name)
            self._shelf.forget(name)
        return bool(idle)

    def _let_go(self, name: str) -> None:
        self._engine.drop(name)
        self._previews.pop(name, None)

    def _settle(self, name: str, easel: Easel) -> None:
        """A model is ready: its lane joins the engine."""
        self._engine.put(easel.lane)
        if easel.preview is not None:
            self._previews[name] = easel.preview
