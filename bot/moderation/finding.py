"""What the house makes of a request: the gravest thing that any list says of it, and the words for its author."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from bot.moderation.absolute import NEVER
from bot.moderation.scope import EVERYWHERE, Scope
from bot.moderation.verdict import GRAVITY, Decision, Reading, Verdict
from generation.request import Request


class Kind(StrEnum):
    """Which list a finding comes from."""

    GUILD = "guild"  # the rules of the server
    INSTANCE = "instance"  # the owner's rules, which hold in every server
    ARTIST = "artist"  # somebody who asked not to be imitated; never held against the author
    ABSOLUTE = "absolute"  # what is refused to everybody everywhere
    TEXT = "text"  # the text itself: characters that change its direction


class Part(StrEnum):
    """Where in a request it was found."""

    PROMPT = "prompt"
    LORA = "LoRA"
    NEGATIVE = "negative prompt"


@dataclass(frozen=True, slots=True)
class Finding:
    """The filter's answer to a request; `severity` is ALLOW where nothing was found."""

    severity: Decision
    kind: Kind = Kind.GUILD
    part: Part = Part.PROMPT
    rule: str | None = None  # as written; None for what no rule forbids
    match: str | None = None  # the original text of the span
    view: Reading | None = None
    span: tuple[int, int] | None = None  # in characters of the part's text
    scope: Scope = EVERYWHERE

    @property
    def blocks(self) -> bool:
        """Whether the request is refused."""
        return self.severity is Decision.BLOCK

    @property
    def punishable(self) -> bool:
        """Whether it may count against the author, as probing the filter or as a strike."""
        return self.blocks and self.kind is not Kind.ARTIST

    @property
    def sentence(self) -> str:
        """What the author is told; empty when nothing happens that they would notice."""
        if self.severity is Decision.REVIEW:
            return _review(self.part)
        if not self.blocks:
            return ""
        if self.kind is Kind.TEXT:
            return (
                "This text contains invisible characters that change its direction, so it cannot be checked as it "
                "looks; please type it again without them."
            )
        if self.kind is Kind.ABSOLUTE:
            return NEVER
        if self.kind is Kind.ARTIST:
            return (
                f"{self.rule} has asked not to be imitated here. Please describe what you would like to see "
                "without that name; nothing is held against you."
            )
        whose = "This server's filter does" if self.kind is Kind.GUILD else "The rules that hold everywhere here do"
        return f"{whose} not allow {_what(self.part)}"


CLEAR: Final = Finding(Decision.ALLOW)
FORBIDDEN: Final = Finding(Decision.BLOCK, Kind.ABSOLUTE)


def final_text(request: Request) -> str:
    """What the model is shown of a request besides its negative prompt: the words, and the names of its LoRAs."""
    return request.prompt + "".join(f" <lora:{lora.name}:{lora.scale:g}>" for lora in request.loras)


def explained(verdict: Verdict, kind: Kind) -> Finding:
    """A verdict of one list as a finding."""
    return Finding(
        verdict.verdict, kind, Part.PROMPT, verdict.rule, verdict.match, verdict.view, verdict.span, verdict.scope
    )


def in_lora(finding: Finding, request: Request) -> Finding:
    """A finding on the `final_text` of a request, which knows whether it is about a LoRA's name."""
    beyond = finding.span is not None and finding.span[0] >= len(request.prompt)
    return replace(finding, part=Part.LORA) if beyond and request.loras else finding


def in_negative(finding: Finding, gravest: Decision) -> Finding:
    """The same in a negative prompt, where words keep things out of a picture: `gravest` is the most it can come to."""
    if finding.kind is Kind.TEXT:
        return replace(finding, part=Part.NEGATIVE)  # nobody can tell what it says
    return replace(finding, part=Part.NEGATIVE, severity=max(finding.severity, gravest, key=GRAVITY.index))


def graver(one: Finding, other: Finding) -> Finding:
    """The graver of two findings; the first where they weigh the same."""
    return min(one, other, key=lambda finding: GRAVITY.index(finding.severity))


def _what(part: Part) -> str:
    if part is Part.LORA:
        return "one of the LoRAs that you named; please take it out."
    if part is Part.NEGATIVE:
        return "a word in your negative prompt; the prompt itself is fine."
    return "that prompt; please choose other words."


def _review(part: Part) -> str:
    if part is Part.NEGATIVE:
        return (
            "A moderator looks at the pictures before they are shown, because of a word in your negative prompt; "
            "without it they come at once."
        )
    return "A moderator of this server looks at pictures of prompts like this one before they are shown."
