"""What a CUDA card says of itself during a block: busy share, clock, energy, memory; nothing where none can answer."""

from __future__ import annotations

import importlib
import threading
import time
from types import TracebackType
from typing import Any, Self

import torch

INTERVAL = 0.2  # seconds between two questions


class CardWatch:
    """Asks the card while a `with` block runs; `figures` holds what was learnt."""

    def __init__(self, device: torch.device) -> None:
        self.figures: dict[str, float] = {}
        self._device = device
        self._card = _handle(device)
        self._busy: list[float] = []
        self._clocks: list[float] = []
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._energy = self._began = 0.0

    def __enter__(self) -> Self:
        """Start asking."""
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
        if self._card is not None:
            self._began = time.perf_counter()
            self._energy = self._joules()
            self._thread = threading.Thread(target=self._ask, daemon=True)
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop asking."""
        if self._device.type == "cuda":
            self.figures["peak_memory_gib"] = torch.cuda.max_memory_allocated(self._device) / 2**30
        if self._thread is not None:
            self._over.set()
            self._thread.join()
            spent = self._joules() - self._energy
            if spent > 0:
                self.figures["mean_watts"] = spent / (time.perf_counter() - self._began)
                self.figures["joules"] = spent
            if self._busy:
                self.figures["busy_share"] = sum(self._busy) / len(self._busy)
            if self._clocks:
                self.figures["clock_mhz"] = sum(self._clocks) / len(self._clocks)

    def _ask(self) -> None:
        nvml, card = self._card
        while not self._over.wait(INTERVAL):
            try:
                self._busy.append(nvml.nvmlDeviceGetUtilizationRates(card).gpu / 100)
                self._clocks.append(float(nvml.nvmlDeviceGetClockInfo(card, nvml.NVML_CLOCK_SM)))
            except nvml.NVMLError:
                return

    def _joules(self) -> float:
        nvml, card = self._card
        try:
            return float(nvml.nvmlDeviceGetTotalEnergyConsumption(card)) / 1000
        except nvml.NVMLError:
            return 0.0


def _handle(device: torch.device) -> Any:
    """NVIDIA's management library and its name for `device`; None where either is missing."""
    if device.type != "cuda":
        return None
    try:
        nvml = importlib.import_module("pynvml")
    except ImportError:
        return None
    try:
        nvml.nvmlInit()
        identity = str(torch.cuda.get_device_properties(device).uuid)
        return nvml, nvml.nvmlDeviceGetHandleByUUID(identity if identity.startswith("GPU-") else f"GPU-{identity}")
    except nvml.NVMLError:
        return None
