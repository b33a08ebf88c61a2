"""Licences of models: what each one asks of the people who paint with it. Summaries are ours, the texts are not.

What is said here of commercial use and of versions is what the texts said in 2026; an owner has to read the text of
what they serve.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

TEXT_VERSION = 1  # of the summaries below; raise it when one changes, and everybody is asked again


class Commercial(StrEnum):
    """Whether the model, or what is painted with it, may be used for business."""

    YES = "yes"
    CONDITIONS = "with conditions"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """A model's licence as far as members and owners have to know it."""

    id: str  # short and stable; acceptances are kept under it
    name: str
    url: str = ""  # of the full text
    version: str = ""  # as the text calls itself, or its date
    uses: tuple[str, ...] = ()  # what it forbids everybody who paints with the model; empty: nothing
    commercial: Commercial = Commercial.YES
    known: bool = True  # False: nobody here can say what it asks for

    @property
    def restricted(self) -> bool:
        """Whether people have to agree to something before they may paint."""
        return bool(self.uses)

    @property
    def key(self) -> str:
        """What is accepted: this licence in this version, as told in this version of our words."""
        return f"{self.id} {self.version or '1'} text {TEXT_VERSION}"


OPENRAIL_USES = (
    "breaking a law, or harming or exploiting children in any way",
    "spreading false information, or private details of people, to harm others",
    "insulting, threatening, stalking or bullying anybody",
    "discriminating against people, or exploiting what makes a group vulnerable",
    "automated decisions that touch somebody's rights or duties",
    "medical advice, and work for courts, police, asylum or immigration that judges people",
)
STABILITY_USES = (
    "breaking a law, exploiting children, or sexual pictures of people who did not agree",
    "hate, harassment, threats or praise of violence",
    "deceiving people: false news, impersonation, hiding that a picture is AI-made",
    "building another foundation model with the model or its pictures",
)
FLUX_USES = (
    "breaking a law, exploiting children, or sexual pictures of people who did not agree",
    "harassing or deceiving people, and false information that harms others",
    "military use, surveillance, and automated decisions that touch somebody's rights",
    "removing or going around safety filters and marks of AI-made pictures",
)

MIT = Licence(id="mit", name="MIT", url="https://opensource.org/license/mit")
APACHE = Licence(id="apache-2.0", name="Apache-2.0", url="https://www.apache.org/licenses/LICENSE-2.0", version="2.0")
OPENRAIL_M = Licence(
    id="openrail-m",
    name="CreativeML OpenRAIL-M",
    url="https://huggingface.co/spaces/CompVis/stable-diffusion-license",
    version="2022-08-22",
    uses=OPENRAIL_USES,
)
OPENRAIL_PP_M = Licence(
    id="openrail++-m",
    name="CreativeML OpenRAIL++-M",
    url="https://huggingface.co/stabilityai/stable-diffusion-xl-base-1.0/blob/main/LICENSE.md",
    version="2023-07-26",
    uses=OPENRAIL_USES,
)
STABILITY_COMMUNITY = Licence(
    id="stability-community",
    name="Stability AI Community Licence",
    url="https://stability.ai/license",
    version="2024-07-05",
    uses=STABILITY_USES,
    commercial=Commercial.CONDITIONS,
)
STABILITY_RESEARCH = Licence(
    id="stability-research",
    name="Stability AI Non-Commercial Research Community Licence",
    url="https://huggingface.co/stabilityai/sdxl-turbo/blob/main/LICENSE.md",
    version="2023-11-28",
    uses=STABILITY_USES,
    commercial=Commercial.NO,
)
FLUX_DEV = Licence(
    id="flux-dev",
    name="FLUX.1 [dev] Non-Commercial Licence",
    url="https://huggingface.co/black-forest-labs/FLUX.1-dev/blob/main/LICENSE.md",
    version="1.1.1",
    uses=FLUX_USES,
    commercial=Commercial.NO,
)
FLUX_NON_COMMERCIAL = Licence(
    id="flux-non-commercial",
    name="FLUX Non-Commercial Licence",
    url="https://huggingface.co/black-forest-labs/FLUX.2-klein-9B/blob/main/LICENSE.md",
    version="2.0",
    uses=FLUX_USES,
    commercial=Commercial.NO,
)
CC0 = Licence(id="cc0-1.0", name="CC0 1.0", url="https://creativecommons.org/publicdomain/zero/1.0/", version="1.0")
CC_BY = Licence(id="cc-by-4.0", name="CC BY 4.0", url="https://creativecommons.org/licenses/by/4.0/", version="4.0")
CC_BY_NC = Licence(
    id="cc-by-nc-4.0",
    name="CC BY-NC 4.0",
    url="https://creativecommons.org/licenses/by-nc/4.0/",
    version="4.0",
    commercial=Commercial.NO,
)
KNOWN = (
    MIT,
    APACHE,
    OPENRAIL_M,
    OPENRAIL_PP_M,
    STABILITY_COMMUNITY,
    STABILITY_RESEARCH,
    FLUX_DEV,
    FLUX_NON_COMMERCIAL,
    CC0,
    CC_BY,
    CC_BY_NC,
)
# How model cards write them; each without blanks, stops and the words that every licence has.
ALIASES = {
    "creativemlopenrailm": OPENRAIL_M,
    "openrailm": OPENRAIL_M,
    "openrail": OPENRAIL_M,
    "bigscienceopenrailm": OPENRAIL_M,
    "creativemlopenrail++m": OPENRAIL_PP_M,
    "openrail++m": OPENRAIL_PP_M,
    "openrail++": OPENRAIL_PP_M,
    "stabilityaicommunity": STABILITY_COMMUNITY,
    "stabilityaiinccommunity": STABILITY_COMMUNITY,
    "stabilityainccommunity": STABILITY_RESEARCH,
    "stabilityainoncommercialresearchcommunity": STABILITY_RESEARCH,
    "flux1devnoncommercial": FLUX_DEV,
    "fluxnoncommercial": FLUX_NON_COMMERCIAL,
    "apache2": APACHE,
    "cc0": CC0,
}
# Words by which the text of a licence file is known, the more telling ones first.
SIGNS = (
    ("openrail++", OPENRAIL_PP_M),
    ("openrail", OPENRAIL_M),
    ("stability ai community licen", STABILITY_COMMUNITY),
    ("stability ai non-commercial", STABILITY_RESEARCH),
    ("flux.1 [dev] non-commercial", FLUX_DEV),
    ("flux non-commercial", FLUX_NON_COMMERCIAL),
    ("apache license", APACHE),
    ("mit license", MIT),
)


def licence_named(text: str) -> Licence:
    """The licence that a model card or an owner calls `text`; one with `known` False for a name never heard."""
    name = text.partition(";")[0].strip()
    short = _short(name)
    found = ALIASES.get(short) or next((each for each in KNOWN if short in (_short(each.id), _short(each.name))), None)
    if found is not None:
        return found
    if not short or short.startswith("unknown"):
        return Licence(id="unknown", name="unknown", commercial=Commercial.UNKNOWN, known=False)
    return Licence(id=f"other {short[:40]}", name=name, commercial=Commercial.UNKNOWN, known=False)


def licence_in(text: str) -> Licence | None:
    """The licence whose words begin a licence file; None when they are not recognised."""
    low = re.sub(r"\s+", " ", text[:2000].lower())
    return next((licence for sign, licence in SIGNS if sign in low), None)


def _short(name: str) -> str:
    return re.sub(r"licen[cs]e|[^a-z0-9+]", "", name.lower())
