"""/dream: words become a picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.answer import Interaction
from bot.client import AtelierClient
from bot.order import Order
from bot.thinking import think
from bot.visitor import address_of, member_of
from cogs.options import Number, Whole, Words
from generation.errors import BadRequest, UploadsRefused
from generation.intake import MAX_BYTES
from generation.options import ASPECTS, FLOW, SAMPLERS
from generation.request import COUNT, GUIDANCE, NEGATIVE_LENGTH, PROMPT_LENGTH, SEED, STEPS, STRENGTH

Prompt = app_commands.Transform[str, Words(PROMPT_LENGTH)]
Negative = app_commands.Transform[str, Words(NEGATIVE_LENGTH)]
Steps = app_commands.Transform[int, Whole(STEPS)]
Guidance = app_commands.Transform[float, Number(GUIDANCE)]
Seed = app_commands.Transform[int, Whole(SEED)]
Count = app_commands.Transform[int, Whole(COUNT)]
Strength = app_commands.Transform[float, Number(STRENGTH)]

SHAPES = [app_commands.Choice(name=f"{name} ({across}:{down})", value=name) for name, (across, down) in ASPECTS.items()]
MOST_CHOICES = 25  # of an option, by Discord
METHODS = [app_commands.Choice(name=title, value=name) for name, title in SAMPLERS.items() if name != FLOW]


class Dream(commands.Cog):
    """The command that everything is about."""

    def __init__(self, client: AtelierClient) -> None:
        self._client = client
        self._studio = client.studio
        styles = [app_commands.Choice(name=name, value=name) for name in self._studio.config.dream.styles]
        if styles:
            app_commands.choices(style=styles)(self.dream)
        models = [app_commands.Choice(name=shown(name), value=name) for name in self._studio.composer.models]
        app_commands.choices(model=models[:MOST_CHOICES])(self.dream)

    @app_commands.command(name="dream")
    @app_commands.describe(
        prompt="What you would like to see",
        negative="What should not be in the picture",
        aspect="The shape of the picture",
        style="A style put around your words",
        model="The model that paints",
        steps="How many steps to paint; more is slower and not always better",
        guidance="How closely to follow the words",
        seed="The starting noise; the same seed and settings give the same picture again",
        sampler="The method that takes the steps",
        count="How many pictures",
        image="A picture to start from",
        strength="How much of that picture is painted over; 1 is all of it",
        private="Only you see the picture",
    )
    @app_commands.choices(aspect=SHAPES, sampler=METHODS)
    async def dream(  # one parameter for each option of the command
        self,
        interaction: Interaction,
        prompt: Prompt,
        negative: Negative | None = None,
        aspect: str | None = None,
        style: str | None = None,
        model: str | None = None,
        steps: Steps | None = None,
        guidance: Guidance | None = None,
        seed: Seed | None = None,
        sampler: str | None = None,
        count: Count | None = None,
        image: discord.Attachment | None = None,
        strength: Strength | None = None,
        private: bool = False,
    ) -> None:
        """Paint a picture from words."""
        wish: dict[str, Any] = {
            "negative": negative,
            "aspect": _known_aspect(aspect),
            "style": style,
            "model": model,
            "steps": steps,
            "guidance": guidance,
            "seed": seed,
            "sampler": sampler,
            "count": count,
        }
        order = self._order(interaction, prompt, wish, image, strength, private=private)
        ticket_id = await think(interaction, private=private)
        order = replace(order, address=replace(order.address, ticket_id=ticket_id))
        if image is None:
            await self._studio.submit(order)
            return
        async with self._studio.kept_upload(await self._client.download.fetch(image.url)) as sha256:
            request = self._studio.composer.compose(prompt, **wish, image=sha256, strength=strength)
            await self._studio.submit(replace(order, request=request))

    def _order(
        self,
        interaction: Interaction,
        prompt: str,
        wish: dict[str, Any],
        image: discord.Attachment | None,
        strength: float | None,
        *,
        private: bool,
    ) -> Order:
        """The order as far as it can be judged without waiting for anything; raises the Refusals that can."""
        if image is not None:
            if not self._studio.accepts_uploads:
                raise UploadsRefused
            if image.size > MAX_BYTES:
                mib = f"{image.size / 1024**2:.1f}"
                raise BadRequest(f"That file has {mib} MiB; at most {MAX_BYTES // 1024**2} MiB are possible.")
            if strength is not None:
                STRENGTH.check(strength)
        request = self._studio.composer.compose(prompt, **wish, strength=None if image is not None else strength)
        order = Order(
            request=request,
            member=member_of(interaction),
            address=address_of(interaction, self._studio.clock(), private=private),
        )
        self._studio.check(order)
        return order


def shown(model: str) -> str:
    """A model's name as a choice: of a path only the last part, as Discord's 100 letters allow."""
    return PurePath(model).name[:100] or model[:100]


def _known_aspect(aspect: str | None) -> str | None:
    if aspect is not None and aspect not in ASPECTS:
        raise BadRequest(f"There is no shape called “{aspect[:40]}”; choose one of {', '.join(ASPECTS)}.")
    return aspect


async def setup(client: AtelierClient) -> None:
    """Put the command on the menu."""
    await client.add_cog(Dream(client))
