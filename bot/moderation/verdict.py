"""What the filter says of a text, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.moderation.scope import EVERYWHERE, Scope


class Decision(StrEnum):
    """What happens to a prompt."""

    ALLOW = "allow"
    BLOCK = "block"
    REVIEW = "review"  # painted, but a moderator looks before anything is shown
    SHADOW = "shadow"  # passes and is only counted: a rule on trial


GRAVITY: Final = (Decision.BLOCK, Decision.REVIEW, Decision.SHADOW, Decision.ALLOW)
"""From the gravest to the lightest."""


class Reading(StrEnum):
    """The way of reading a text in which a rule was found; the plainest one that shows it."""

    PLAIN = "plain"  # as written, apart from case
    FOLDED = "folded"  # other letter forms, look-alikes, accents, invisible characters
    REPEATED = "repeated"  # stretched letters, or i and l exchanged
    JOINED = "joined"  # separators and prompt syntax inside a word taken out
    SPACED = "spaced"  # letters standing alone put together
    LEET = "leet"  # digits and symbols standing for letters
    PHONETIC = "phonetic"  # another script, by its sound
    TAGS = "tags"  # text hidden in tag characters
    REGEX = "regex"  # a moderator's pattern on the text as written
    REGEX_FOLDED = "regex-folded"  # a moderator's pattern on the folded text
    BIDI = "bidi"  # characters that change the direction of text; refused whatever the rules


@dataclass(frozen=True, slots=True)
class Verdict:
    """The filter's answer. `match` is the original text of the span; `rule` is None for bidi controls too."""

    verdict: Decision
    rule: str | None = None  # as the moderator wrote it
    match: str | None = None
    view: Reading | None = None
    span: tuple[int, int] | None = None  # in characters of the original text
    scope: Scope = EVERYWHERE  # where the rule holds


ALLOWED = Verdict(Decision.ALLOW)
