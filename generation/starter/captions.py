"""Puts a spec into words, a different way each time."""

from __future__ import annotations

from random import Random

from generation.starter.words import (
    COLOR_WORDS,
    FILLERS,
    HAZARD_PHRASES,
    LAYOUT_WORDS,
    NUMBERS,
    OPENINGS,
    PLURALS,
    SCENE_NAMES,
    SCENE_PHRASES,
    SIZES,
    STRANGERS,
    STYLE_PHRASES,
    THING_WORDS,
    TIME_PHRASES,
    WEATHER_PHRASES,
)
from generation.starter.world import SKYLESS, Group, Layout, Size, Spec


def caption(spec: Spec, rng: Random, *, complete: bool = False) -> str:
    """A prompt for `spec`; `complete` names every attribute and adds nothing, which evaluation needs."""
    tags = not complete and rng.random() < 0.15
    parts = [_subject(spec, rng, complete), *_surroundings(spec, rng, complete, tags)]
    if spec.hazard:  # never left out, so that it is never learnt as something that comes unasked
        parts.append(rng.choice(HAZARD_PHRASES))
    between = ", " if tags or rng.random() < 0.12 else " "
    text = between.join(part for part in parts if part)
    if not complete:
        text = _adorned(text, rng)
    if complete or rng.random() > 0.2:
        style = rng.choice(STYLE_PHRASES[spec.style])
        leads = rng.random() < 0.2 and not style.startswith("in ")
        text = f"{style} of {text}" if leads else f"{text}, {style}"
    return text if complete or rng.random() < 0.8 else text.capitalize()


def noun(thing: str, count: int, rng: Random) -> str:
    """A word for `thing`, in the plural where there are several."""
    word = rng.choice(THING_WORDS[thing]) if thing in THING_WORDS and rng.random() < 0.3 else thing
    if count == 1:
        return word
    if word in PLURALS:
        return PLURALS[word]
    return word + ("es" if word.endswith(("s", "sh", "ch", "x")) else "s")


def _subject(spec: Spec, rng: Random, complete: bool) -> str:
    phrases = [_phrase(group, rng, complete) for group in spec.groups]
    if len(phrases) == 2 and spec.layout is Layout.BEHIND and rng.random() < 0.4:
        return f"{phrases[1]} in front of {phrases[0]}"
    return rng.choice(LAYOUT_WORDS[spec.layout]).join(phrases)


def _phrase(group: Group, rng: Random, complete: bool) -> str:
    words = []
    if group.size is not Size.USUAL and rng.random() < (0.15 if group.size is Size.BIG else 0.7):
        words.append(rng.choice(SIZES[group.size]))
    if complete or rng.random() > 0.08:
        known = COLOR_WORDS.get(group.color, (group.color,))
        words.append(rng.choice(known) if rng.random() < 0.3 else group.color)
    words.append(noun(group.thing, group.count, rng))
    if group.count > 1:
        number = NUMBERS[group.count]
        return " ".join((number[0] if complete or rng.random() < 0.6 else rng.choice(number), *words))
    article = "an" if words[0][0] in "aeio" or words[0].startswith("um") else "a"
    return " ".join(filter(None, (rng.choices((article, "", "one", "the"), (16, 3, 1, 1))[0], *words)))


def _surroundings(spec: Spec, rng: Random, complete: bool, tags: bool) -> list[str]:
    if spec.scene == "plain":
        backdrop = rng.choice(("on a {} background", "on a plain {} background", "{} background"))
        return [] if not complete and rng.random() < 0.12 else [backdrop.format(spec.backdrop)]
    found = []
    if not spec.groups:
        found.append(rng.choice(("", "", "a view of ", "landscape of ", "a picture of ")) + _name(spec, rng))
    elif complete or rng.random() > 0.1:
        found.append(_name(spec, rng) if tags else rng.choice(SCENE_PHRASES[spec.scene]))
    light = _light(spec, rng, complete)
    if len(light) == 2 and rng.random() < 0.3:
        light.reverse()
    return found + light


def _name(spec: Spec, rng: Random) -> str:
    return rng.choice(SCENE_NAMES[spec.scene])


def _light(spec: Spec, rng: Random, complete: bool) -> list[str]:
    found = []
    sunless = spec.scene in SKYLESS and not (spec.scene == "underwater" and spec.time == "night")
    if not sunless and (complete or rng.random() > 0.15):
        found.append(rng.choice(TIME_PHRASES[spec.time]))
    if spec.weather and (complete or rng.random() > (0.7 if spec.weather == "clear" else 0.15)):
        found.append(rng.choice(WEATHER_PHRASES[spec.weather]))
    return found


def _adorned(text: str, rng: Random) -> str:
    """With openings, fillers and words that mean nothing here."""
    if rng.random() < 0.1:
        text = rng.choice(OPENINGS) + text
    for _ in range(rng.choices((0, 1, 2, 3), (7, 2, 1, 0.5))[0]):
        text += ", " + rng.choice(FILLERS)
    if rng.random() < 0.15:
        words = text.split(" ")
        for _ in range(rng.randint(1, 3)):
            words.insert(rng.randint(0, len(words)), _stranger(rng))
        text = " ".join(words)
    return text


def _stranger(rng: Random) -> str:
    if rng.random() < 0.75:
        return rng.choice(STRANGERS)
    syllables = (rng.choice("bcdfghjklmnprstvwz") + rng.choice("aeiou") for _ in range(rng.randint(1, 3)))
    return "".join(syllables) + rng.choice(("", "n", "r", "s", "x"))
