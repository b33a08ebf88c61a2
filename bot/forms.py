"""The forms that open from a card; what is submitted is read from Discord's data, so that they outlive a restart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import discord

from bot.order import Commission
from bot.press import Meaning, Press
from bot.studio import Studio
from generation.errors import BadRequest
from generation.request import GUIDANCE, NEGATIVE_LENGTH, PROMPT_LENGTH, SEED, STEPS, Request

REASON_LENGTH = 500  # characters
NUMBER_LENGTH = 20  # characters

Number = TypeVar("Number", int, float)


class Form(discord.ui.Modal):
    """A form whose meaning stands in its custom_id, like a button's."""

    def __init__(self, title: str, press: Meaning | str) -> None:
        super().__init__(title=title, custom_id=press if isinstance(press, str) else press.custom_id)
        self.stop()  # nothing in memory waits for it: the submission says by itself what it belongs to

    def ask(self, name: str, label: str, description: str | None = None, **options: Any) -> None:
        """Add a line or a paragraph of text."""
        text = discord.ui.TextInput[Form](custom_id=name, **options)
        self.add_item(discord.ui.Label(text=label, description=description, component=text))


def edit_form(press: Press, request: Request, max_steps: int = int(STEPS.high)) -> Form:
    """The recipe, filled in, to be changed and run."""
    form = Form("Edit and run", press)
    paragraph = discord.TextStyle.paragraph
    form.ask("prompt", "Prompt", default=request.prompt, style=paragraph, max_length=int(PROMPT_LENGTH.high))
    form.ask(
        "negative",
        "Negative prompt",
        "What should not be in the picture",
        default=request.negative or None,
        style=paragraph,
        required=False,
        max_length=int(NEGATIVE_LENGTH.high),
    )
    form.ask("steps", "Steps", _span(STEPS.low, max_steps), default=str(request.steps), max_length=NUMBER_LENGTH)
    guidance = f"{request.guidance:g}"
    form.ask("guidance", "Guidance", _span(GUIDANCE.low, GUIDANCE.high), default=guidance, max_length=NUMBER_LENGTH)
    form.ask(
        "seed",
        "Seed",
        f"{_span(SEED.low, SEED.high)}; empty for a new one",
        default=str(request.seed),
        required=False,
        max_length=NUMBER_LENGTH,
    )
    return form


def report_form(press: Press) -> Form:
    """Why a picture should be looked at."""
    form = Form("Report this picture", press)
    form.ask(
        "reason",
        "What is wrong with it?",
        "Optional; kept for the moderators",
        style=discord.TextStyle.paragraph,
        required=False,
        max_length=REASON_LENGTH,
    )
    return form


def values_of(data: Mapping[str, Any]) -> dict[str, str]:
    """The texts of a submitted form by name."""
    found: dict[str, str] = {}
    for label in data.get("components", ()):
        inner = label.get("component")
        if isinstance(inner, Mapping) and "custom_id" in inner:
            found[str(inner["custom_id"])] = str(inner.get("value") or "")
    return found


def edited(studio: Studio, commission: Commission, values: Mapping[str, str]) -> Request:
    """The commission's request with what the form says; raises BadRequest. Everything is checked again."""
    old = commission.request
    seed_text = values.get("seed", "").strip()
    seed = _number(seed_text, int, "The seed") if seed_text else None
    tags = "".join(f"<lora:{lora.name}:{lora.scale:g}>" for lora in old.loras)
    prompt = values.get("prompt", "")
    fresh = studio.composer.compose(
        prompt if "<lora:" in prompt else prompt + tags,
        model=studio.composer.known_model(old.model),
        negative=values.get("negative", ""),
        steps=_number(values.get("steps", ""), int, "Steps"),
        guidance=_number(values.get("guidance", ""), float, "Guidance"),
        seed=seed,
        sampler=old.sampler,
        count=old.count,
        image=old.image,
        strength=old.strength,
    )
    variations = old.variations if seed == old.seed else ()
    return replace(fresh, width=old.width, height=old.height, variations=variations)


def _number(text: str, kind: Callable[[str], Number], name: str) -> Number:
    try:
        return kind(text.strip().replace(",", "."))
    except ValueError as error:
        whole = "a whole number" if kind is int else "a number"
        raise BadRequest(f"{name} must be {whole}; you wrote “{text.strip()[:NUMBER_LENGTH]}”.") from error


def _span(low: float, high: float) -> str:
    return f"{low:g} to {high:,.0f}"
