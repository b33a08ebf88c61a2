"""What a model's licence asks of members: whether they agreed, how they are asked, and the request that waits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

from bot.config import Config
from bot.desk import Desk
from bot.echo import echo
from bot.order import Order
from generation.errors import TermsNeeded
from generation.licences import Commercial, Licence
from generation.models import ModelCard

BUSINESS = {
    Commercial.YES: "",
    Commercial.CONDITIONS: "commercial use has conditions",
    Commercial.NO: "**no commercial use**",
    Commercial.UNKNOWN: "whether commercial use is allowed is unknown",
}
OWN_WORDS = "That is our own summary"
NAME_LENGTH = 80  # characters of a model's name


class Terms:
    """The licences of the models on offer; the owner's word in config.yaml goes before what is known of them."""

    def __init__(self, config: Config, card: ModelCard, others: Mapping[str, ModelCard], desk: Desk) -> None:
        cards = {card.name: card} | {name: other for name, other in others.items() if name != card.name}
        said = {name: entry.licence() for name, entry in config.licences.items()}
        self.licences: dict[str, Licence] = {name: said.get(name, each.terms) for name, each in cards.items()}
        self._default = card.name
        self._desk = desk

    def of(self, model: str) -> Licence:
        """The licence under which a request for `model` is painted."""
        return self.licences.get(model) or self.licences[self._default]

    async def condition(self, order: Order) -> None:
        """Raise TermsNeeded, with the order kept, unless its person agreed to what the model's licence asks."""
        licence = self.of(order.request.model)
        if not licence.restricted or await self._desk.acceptances.has(order.member.id, licence.key):
            return
        pending = await self._desk.pending.keep(order, licence.key)
        raise TermsNeeded(terms_text(order.request.model, licence), pending=pending)


def terms_text(model: str, licence: Licence) -> str:
    """The rules as a member is asked to agree to them; fits one message."""
    lines = [
        f"**One thing before your first picture with {echo(shown_name(model), NAME_LENGTH)}**",
        f"Its licence, {echo(licence.name, 100)}, asks everybody not to use it for:",
        *(f"- {echo(use, 150)}" for use in licence.uses),
    ]
    if business := BUSINESS[licence.commercial]:
        lines.append(f"Also: {business}.")
    lines.append(f"{OWN_WORDS}, not the licence; {_where(licence)} counts.")
    lines.append("If you agree, press the button: your request goes on by itself, and you are asked only this once.")
    return "\n".join(lines)


def models_text(terms: Terms, default: str) -> str:
    """Every model with its licence, as /models shows it."""
    lines = []
    for name, licence in terms.licences.items():
        notes = [echo(licence.name, 100) if licence.known else f"licence **{echo(licence.name, 100)}**, ask the owner"]
        if licence.known and (business := BUSINESS[licence.commercial]):
            notes.append(business)
        if licence.restricted:
            notes.append("has rules that you agree to once")
        if licence.url:
            notes.append(f"<{licence.url}>")
        served = " (used when you choose none)" if name == default else ""
        lines.append(f"- **{echo(shown_name(name), NAME_LENGTH)}**{served}: {'; '.join(notes)}")
    return "\n".join(lines)


def shown_name(model: str) -> str:
    """A model's name for members: of a path only its last part."""
    return PurePath(model).name or model


def _where(licence: Licence) -> str:
    version = f" (version {echo(licence.version, 40)})" if licence.version else ""
    return f"the full text at <{licence.url}>{version}" if licence.url else f"the model's own licence text{version}"
