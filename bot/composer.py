"""Turns what a member said into a request: the model's and the owner's defaults, styles, LoRA tags, variations."""

from __future__ import annotations

import difflib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from bot.config import Config
from bot.sections import Dream
from generation.catalogue import find_lora
from generation.errors import BadRequest, ModelUnavailable
from generation.models import ModelCard
from generation.options import size_of
from generation.prompt import split_loras
from generation.request import COUNT, SEED, Lora, Request, Variation


class Composer:
    """Knows the owner's settings and models; `default` is the card of the model in service from the start."""

    def __init__(
        self, config: Callable[[], Config], default: Callable[[], ModelCard], others: Mapping[str, ModelCard]
    ) -> None:
        self._config = config
        self._loras = Path(config().loras) if config().loras else None
        self._default = default
        self._others = others

    @property
    def _dream(self) -> Dream:
        return self._config().dream

    @property
    def models(self) -> tuple[str, ...]:
        """The names of all models that can be asked for, the default first."""
        return (self._default().name, *(name for name in self._others if name != self._default().name))

    def compose(
        self,
        prompt: str,
        *,
        negative: str | None = None,
        aspect: str | None = None,
        style: str | None = None,
        model: str | None = None,
        steps: int | None = None,
        guidance: float | None = None,
        seed: int | None = None,
        sampler: str | None = None,
        count: int | None = None,
        image: str | None = None,
        strength: float | None = None,
    ) -> Request:
        """What a member said, with the model's and the owner's defaults for the rest; raises BadRequest."""
        card = self._card(model)
        own = card.name == self._default().name  # the owner's defaults are meant for the model in service
        default_steps = min((self._dream.steps if own else 0) or card.steps, self._dream.max_steps)
        steps = default_steps if steps is None else steps
        if steps > self._dream.max_steps:
            raise BadRequest(f"Steps must be at most {self._dream.max_steps} here; you asked for {steps:,}.")
        if strength is None and image is not None:
            strength = self._dream.strength
        width, height = size_of(aspect or "square", card.native)
        default_guidance = self._dream.guidance if own and self._dream.guidance >= 0 else card.guidance
        words, loras = split_loras(prompt)
        return Request(
            prompt=self._styled(words.strip(), style),
            negative=(negative or "").strip(),
            width=width,
            height=height,
            steps=steps,
            guidance=default_guidance if guidance is None else guidance,
            sampler=sampler or (self._dream.sampler if own else "") or card.sampler,
            seed=_new_seed() if seed is None else seed,
            count=self._dream.count if count is None else count,
            model=card.name,
            image=image,
            strength=strength,
            loras=tuple(self._known(lora) for lora in loras),
        )

    def vary(self, request: Request, index: int) -> Request:
        """Four variations of picture `index` of `request`: the same composition, other details."""
        single = request.single(index)
        step = Variation(_new_seed(), self._dream.variation_strength)
        variations = (*single.variations, step)
        return replace(single, model=self._still(request.model), count=int(COUNT.high), variations=variations)

    def again(self, request: Request) -> Request:
        """The same wish with new noise."""
        return replace(request, model=self._still(request.model), seed=_new_seed(), variations=())

    def same(self, request: Request, index: int) -> Request:
        """Picture `index` of `request` once more."""
        return replace(request.single(index), model=self._still(request.model))

    def known_model(self, name: str) -> str | None:
        """The model that a stored request names, while the owner offers it; None: the one in service."""
        return name if name in self.models else None

    def _still(self, name: str) -> str:
        return self.known_model(name) or self._default().name

    def _card(self, name: str | None) -> ModelCard:
        default = self._default()
        if name is None or name == default.name:
            return default
        if name in self._others:
            return self._others[name]
        near = difflib.get_close_matches(name, self.models, n=1)
        hint = f"did you mean “{near[0]}”?" if near else f"choose one of {', '.join(self.models)}."
        raise BadRequest(f"There is no model called “{name[:40]}” here; {hint}")

    def _known(self, lora: Lora) -> Lora:
        """A LoRA by the name of its file; whoever asks for an unknown one hears of the nearest."""
        try:
            return replace(lora, name=find_lora(lora.name, self._loras).stem)
        except ModelUnavailable as error:
            raise BadRequest(error.sentence) from error

    def _styled(self, prompt: str, style: str | None) -> str:
        styles = self._dream.styles
        if style is not None and style not in styles:
            raise BadRequest(f"There is no style called “{style[:40]}”; choose one of {', '.join(styles)}.")
        return styles[style].replace("{prompt}", prompt) if style is not None and prompt else prompt


def _new_seed() -> int:
    return secrets.randbelow(int(SEED.high) + 1)
