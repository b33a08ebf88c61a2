"""Figures for the owner: Prometheus text at /metrics, a health page at /, and the event loop's own pulse."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bot import open_files
from bot.config import Config
from bot.desk import Desk
from bot.order import Commission
from bot.pulse import Pulse
from bot.studio import Studio
from bot.troubles import Trouble
from generation.errors import Refusal
from generation.job import JobState

log = logging.getLogger(__name__)

LAG_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)  # seconds
WAIT_BUCKETS = (0.5, 1, 2, 5, 10, 20, 40, 80, 160, 320, 640, 1280)  # seconds


class Metrics:
    """Collects figures from the studio's listeners; serves them as an async context manager."""

    def __init__(self, config: Config, studio: Studio, desk: Desk, connected: Callable[[], bool]) -> None:
        self.registry = CollectorRegistry()
        self._settings = config.metrics
        self._studio = studio
        self._jobs = desk.jobs
        self._troubles = desk.troubles
        self._connected = connected
        self._runner: web.AppRunner | None = None
        self.port = 0
        registry = self.registry
        self._lag = Histogram(
            "atelier_event_loop_lag_seconds", "How late the event loop is", buckets=LAG_BUCKETS, registry=registry
        )
        self._worst = Gauge(
            "atelier_event_loop_lag_worst_seconds",
            "The longest the event loop was late in the last minutes",
            registry=registry,
        )
        self._busy = Histogram(
            "atelier_event_loop_busy_seconds",
            "What the event loop computed between two heartbeats",
            buckets=LAG_BUCKETS,
            registry=registry,
        )
        self._pulse = Pulse(self._lag.observe, self._busy.observe)
        self._alarms = Gauge("atelier_event_loop_alarms", "How often the event loop was blocked", registry=registry)
        self._files = Gauge("atelier_open_files", "File descriptors in use", registry=registry)
        self._most_files = Gauge("atelier_open_files_limit", "File descriptors allowed", registry=registry)
        self._in_state = Gauge("atelier_jobs", "Jobs by state", ["state"], registry=registry)
        self._memory = Gauge("atelier_memory_bytes", "Resident memory of the bot process", registry=registry)
        self._trouble = Gauge("atelier_trouble", "1 while something is wrong", ["kind"], registry=registry)
        self._ready = Gauge("atelier_discord_connected", "1 while the gateway is connected", registry=registry)
        self._loaded = Gauge("atelier_model_loaded", "1 while a model is loaded", registry=registry)
        self._paused = Gauge("atelier_painting_paused", "1 while the painting process is no use", registry=registry)
        self._accepted = Counter("atelier_jobs_accepted_total", "Jobs admitted", registry=registry)
        self._settled = Counter(
            "atelier_jobs_settled_total", "Jobs painted or ended, by outcome", ["outcome"], registry=registry
        )
        self._painting = Histogram(
            "atelier_painting_seconds", "Painting time of a job", buckets=WAIT_BUCKETS, registry=registry
        )
        self._waiting = Histogram(
            "atelier_turnaround_seconds",
            "From admission to the finished result",
            buckets=WAIT_BUCKETS,
            registry=registry,
        )
        self._rows = Gauge("atelier_engine_rows", "Rows of a full denoiser call: the measured knee", registry=registry)
        self._together = Gauge("atelier_engine_jobs_together", "Jobs that are painted together", registry=registry)
        self._exact = Gauge("atelier_engine_exact", "1 where company changes no bit of a picture", registry=registry)
        self._calls = Gauge(
            "atelier_engine_call_seconds", "Seconds of a denoiser call, by its rows", ["rows"], registry=registry
        )
        self._charged = Counter("atelier_credits_charged_total", "Credits charged at admission", registry=registry)
        self._refunded = Counter("atelier_credits_refunded_total", "Credits given back", registry=registry)
        self._refused = Counter("atelier_refusals_total", "Orders not admitted", ["reason"], registry=registry)
        studio.listeners.refused.append(self._on_refused)
        studio.listeners.accepted.append(self._on_accepted)
        studio.listeners.settled.append(self._on_settled)

    def show(self, name: str, words: str, read: Callable[[], float]) -> None:
        """One more figure, read whenever somebody looks."""
        Gauge(name, words, registry=self.registry).set_function(read)

    @property
    def worst_lag(self) -> float:
        """The longest the event loop was late in the last five to ten minutes, in seconds."""
        return self._pulse.worst

    async def __aenter__(self) -> Metrics:
        await self._pulse.__aenter__()
        try:
            if self._settings.enabled:
                await self._serve()
        except BaseException:
            await self._pulse.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._pulse.__aexit__()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _serve(self) -> None:
        app = web.Application()
        app.add_routes([web.get("/metrics", self._text), web.get("/", self._health), web.get("/health", self._health)])
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._settings.host, self._settings.port)
        try:
            await site.start()
        except OSError as error:  # nobody's picture may depend on whether figures can be looked at
            await self._runner.cleanup()
            self._runner = None
            log.warning(
                "The metrics page cannot listen on %s:%d (%s), so there is none; set metrics.port to another port, or"
                " metrics.enabled to false.",
                self._settings.host,
                self._settings.port,
                error.strerror,
            )
            return
        self.port = self._runner.addresses[0][1]

    def _on_refused(self, refusal: Refusal) -> None:
        self._refused.labels(refusal.reason).inc()

    async def _on_accepted(self, commission: Commission) -> None:
        self._accepted.inc()
        self._charged.inc(commission.cost)

    async def _on_settled(self, commission: Commission) -> None:
        self._settled.labels(commission.state.value).inc()
        self._refunded.inc(commission.refunded)
        if commission.state is JobState.RENDERED:
            self._painting.observe(commission.seconds)
            self._waiting.observe(max(0.0, self._studio.clock() - commission.accepted_at))

    async def _text(self, _: web.Request) -> web.Response:
        counts = await self._jobs.counts()
        for state in JobState:
            self._in_state.labels(state.value).set(counts.get(state, 0))
        self._worst.set(self.worst_lag)
        self._alarms.set(self._pulse.alarms)
        self._files.set(open_files.open_now())
        self._most_files.set(open_files.limit())
        self._memory.set(resident_bytes())
        self._ready.set(self._connected())
        for trouble in Trouble:
            self._trouble.labels(trouble.value).set(trouble in self._troubles.now)
        self._loaded.set(self._studio.status is not None)
        self._paused.set(bool(self._studio.engine_trouble))
        self._show_engine()
        return web.Response(body=generate_latest(self.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    def _show_engine(self) -> None:
        status = self._studio.status
        if status is None:
            return
        self._rows.set(status.rows)
        self._together.set(status.together)
        self._exact.set(status.exact)
        for rows, seconds in status.call_seconds.items():
            self._calls.labels(str(rows)).set(seconds)

    async def _health(self, _: web.Request) -> web.Response:
        counts = await self._jobs.counts()
        status = self._studio.status
        healthy = self._connected() and status is not None and not self._troubles.grave
        body = {
            "healthy": healthy,
            "discord": "connected" if self._connected() else "not connected",
            "troubles": self._troubles.now,
            "model": status.card.name if status else "loading",
            "device": status.device if status else None,
            "trouble": self._studio.engine_trouble or None,
            "waiting": counts.get(JobState.ACCEPTED, 0),
            "painting": counts.get(JobState.RUNNING, 0),
            "posting": counts.get(JobState.RENDERED, 0),
            "worst_event_loop_lag_ms": round(self.worst_lag * 1000, 1),
            "event_loop_alarms": self._pulse.alarms,
            "open_files": open_files.open_now(),
            "open_files_limit": open_files.limit(),
            "standstill": self._studio.standstill.why(None),
            "memory_mib": round(resident_bytes() / 2**20, 1),
        }
        return web.json_response(body, status=200 if healthy else 503)


def resident_bytes() -> int:
    """Resident memory of this process in bytes; 0 where /proc is absent."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
