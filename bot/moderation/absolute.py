"""What nobody can ask for anywhere, whatever a server's settings: no rule, role or owner can switch this off.

Two kinds: sexual words beside words for minors, and sexual words with an uploaded picture to start from. The lists are
short and English; they are the first of two looks, the gate judges what was painted (see generation.safety.judgement).
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from bot.moderation.filter import Filter
from bot.moderation.rules import parse_rules
from generation.request import Request

NEVER: Final = "That is never painted here, for anybody."
_NUMBERS: Final = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen"
)
_AGE: Final = rf"(?:1[0-7]|[1-9]|{_NUMBERS})"
MINORS: Final = (
    *(
        "child",
        "children",
        "childlike",
        "childish",
        "kid",
        "kids",
        "kiddo*",
        "toddler*",
        "infant",
        "infants",
        "newborn*",
    ),
    *("newborn*", "baby", "babies", "preteen*", "pre teen*", "tween", "tweens", "underage*", "under age", "under 18"),
    *(
        "minor",
        "minors",
        "juvenile*",
        "adolescen*",
        "youngster*",
        "jailbait*",
        "schoolgirl*",
        "schoolboy*",
        "schoolkid*",
    ),
    *("schoolchild*", "school girl*", "school boy*", "school kid*", "school child*", "high school*", "highschool*"),
    *(
        "little girl*",
        "little boy*",
        "young girl*",
        "young boy*",
        "small girl*",
        "small boy*",
        "tiny girl*",
        "tiny boy*",
    ),
    *("lil girl*", "lil boy*", "loli", "lolis", "lolita*", "lolicon*", "shota*", "teen", "teens", "teenage*"),
    *("pubescent", "prepubescent", "kindergart*", "preschool*", "elementary school*", "primary school*"),
    *("middle school*", "grade school*"),
    # 12 year old, twelve-year girl, 12 years of age, 12yo, 12 y.o., 12 y/o
    rf"re:\b{_AGE}[ -]?(?:years?|yrs?)\b",
    rf"re:\b{_AGE}[ -]?y[ ./]?o\b",
    # aged 12, age of twelve, age: 12, girl of twelve, girl (12)
    rf"re:\b(?:aged?|age of|ages)[ :=]*{_AGE}\b",
    rf"re:\b(?:girls?|boys?)(?: of|,)? \(?{_AGE}\b",
    # 5th grader, sixth grade, in grade 7
    r"re:\b(?:[1-9]|1[0-2])(?:st|nd|rd|th)[ -]grade",
    r"re:\b(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth)[ -]grade",
)
GROWN_UP: Final = ("adult*", "mature*", "grown up*", "grownup*", "grown woman", "grown man")
SEXUAL: Final = (
    *("nude*", "naked*", "nudity", "topless", "bottomless", "undress*", "unclothed", "lingerie", "underwear"),
    *("sex", "sexy", "sexual*", "erotic*", "porn*", "nsfw", "hentai", "lewd*", "fetish*", "bondage", "bdsm"),
    *("genital*", "penis*", "vagina*", "nipple*", "orgasm*", "masturbat*", "seductive*", "orgy", "intercourse"),
    *("no clothes", "without clothes", "no clothing", "remove clothes", "remove her clothes", "remove his clothes"),
    *("remove clothing", "clothes off", "take off clothes", "strip naked", "nudify*", "deepnude*", "upskirt*"),
)
NOT_MINORS: Final = ("baby blue", "baby pink", "baby grand", "baby's breath", "kid gloves", "kid leather", "minor key")
NOT_SEXUAL: Final = ("naked mole rat", "naked mole rats", "naked eye", "naked oat", "nude colour", "nude color")
_NEGATIVE_WEIGHT: Final = re.compile(r":\s*-")


def is_refused(request: Request) -> bool:
    """Whether `request` is refused to everybody."""
    return _sexual(request) and (request.image is not None or hints_at_minors(request))


def hints_at_minors(request: Request) -> bool:
    """Whether the words may mean minors; then nothing beyond neutral is shown, held or kept."""
    if _finds(_filter(MINORS, NOT_MINORS), _wanted(request)):
        return True
    # Whoever asks for something sexual and wants nobody grown-up in it asks for minors.
    return _finds(_filter(GROWN_UP, ()), request.negative) and _sexual(request)


def _sexual(request: Request) -> bool:
    return _finds(_filter(SEXUAL, NOT_SEXUAL), _wanted(request))


def _wanted(request: Request) -> str:
    """What is asked for: the prompt, the names of its LoRAs, and a negative prompt that may turn into a wish.

    “nude” in a negative prompt keeps pictures decent and is no wish, unless its weight is negative too.
    """
    wanted = [request.prompt, *(lora.name for lora in request.loras)]
    if _NEGATIVE_WEIGHT.search(request.negative):
        wanted.append(request.negative)
    return "\n".join(wanted)


def _finds(filter_: Filter, text: str) -> bool:
    return filter_.check(text).rule is not None


@cache
def _filter(lines: tuple[str, ...], allowed: tuple[str, ...]) -> Filter:
    rules, errors = parse_rules([*lines, *(f"allow:{phrase}" for phrase in allowed)])
    assert not errors, errors
    return Filter(rules)
