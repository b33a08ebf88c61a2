"""One picture in flight, as far as planning goes. No torch."""

from __future__ import annotations

from dataclasses import dataclass

from generation.request import Lora


@dataclass(frozen=True, slots=True)
class Key:
    """What samples must have in common to share a denoiser call."""

    model: str
    loras: tuple[Lora, ...]
    shape: tuple[int, int, int]  # channels, height and width of the latents
    tokens: int  # length of the conditioning
    path: str = "eager"  # how the denoiser is run: eager, compiled, or "plain" for whole-pipeline calls


@dataclass(slots=True, eq=False)
class Sample:
    """One picture of a painting on its way through the denoiser."""

    painting: int  # number of the painting it belongs to
    index: int  # its place in the set
    key: Key
    rows: int  # of a denoiser call: 2 when guided, else 1
    calls: int  # denoiser calls it needs in all
    arrived: float  # when its job came, in seconds of any clock
    done: int = 0  # calls taken
    order: int = 1  # calls that make one step as members count them

    @property
    def left(self) -> int:
        """Denoiser calls still to take."""
        return self.calls - self.done
