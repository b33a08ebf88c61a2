"""Seeded generators of the ways in which people hide a word, to measure what the filter finds."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

Disguise = Callable[[str, Random], str]

# Neutral stand-ins: what is measured is the engine, so no list of foul words needs to be published.
STAND_INS: Final = """
    marzipan trombone gargoyle bassoon lantern thimble walnut saffron pelican zeppelin turnip bobbin
    mandolin ferret quartz parsnip goblet cactus dahlia kestrel lagoon nettle oboe pumice raven sorrel
    truffle umbra vellum wicket yarrow anvil mollusc pigment kayak fjord
    """.split()  # noqa: SIM905 - words read best as text
FRAMES: Final = ("a photo of {} in a garden", "{}, highly detailed, 8k", "portrait, {}, soft light", "red sky, {}")

_LEET = {"a": "4@", "b": "8", "e": "3", "g": "9", "i": "1!|", "l": "1|", "o": "0", "s": "5$", "t": "7+", "z": "2"}
_CYRILLIC = dict(zip("abcdehijkmnopqrstuvwxy", "авсԁеһіјкмпорԛгѕтцѵԝху", strict=True))
_GREEK = dict(zip("abehiknoprtuvwxyz", "αβεһικηοϱρτυνωχγζ", strict=True)) | {"r": "г", "p": "ρ", "h": "һ"}
_ARMENIAN = dict(zip("fghjnopqsuwdcek", "քցհյոօթզѕսաԁсеκ", strict=True)) | {"p": "р"}
_SMALL_CAPITALS = dict(zip("abcdefghijklmnopqrstuvwyz", "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ", strict=True))
_ACCENTED = dict(zip("acdeghijklnorstuwyz", "áçďéğĥîĵķļñöřšťûŵÿž", strict=True))
_TRANSLITERATED = dict(
    zip("abdefgiklmnoprstuvyz", "абдефгиклмнопрстувыз", strict=True),
)
_MARKS = [chr(code) for code in range(0x0300, 0x0330)]


def _each(letters: dict[str, str], least: float = 0.5) -> Disguise:
    """Replace at least one of the letters that have a look-alike, and each other by the chance `least`."""

    def disguise(word: str, random: Random) -> str:
        places = [place for place, letter in enumerate(word) if letter in letters]
        sure = random.choice(places) if places else -1
        return "".join(
            random.choice(letters[letter])
            if letter in letters and (place == sure or random.random() < least)
            else letter
            for place, letter in enumerate(word)
        )

    return disguise


def _shifted(first: int) -> Disguise:
    return lambda word, _: "".join(
        chr(first + ord(letter) - ord("a")) if "a" <= letter <= "z" else letter for letter in word
    )


def _between(choices: str | list[str], least: float = 0.5) -> Disguise:
    """Put something into at least one gap of the word."""

    def disguise(word: str, random: Random) -> str:
        sure = random.randrange(1, len(word))
        return word[0] + "".join(
            (random.choice(choices) if place == sure or random.random() < least else "") + letter
            for place, letter in enumerate(word[1:], start=1)
        )

    return disguise


def _joined(separators: list[str]) -> Disguise:
    return lambda word, random: random.choice(separators).join(word)


def _cut(*shapes: str) -> Disguise:
    """Split the word once and write both halves into one of the shapes."""

    def disguise(word: str, random: Random) -> str:
        place = random.randrange(1, len(word))
        return random.choice(shapes).format(word[:place], word[place:])

    return disguise


def _framed(*shapes: str) -> Disguise:
    return lambda word, random: random.choice(shapes).format(word)


def _stretched(word: str, random: Random) -> str:
    places = set(random.sample(range(len(word)), random.randint(1, 2)))
    return "".join(letter * random.randint(3, 6) if place in places else letter for place, letter in enumerate(word))


def _inflected(word: str, random: Random) -> str:
    return word + random.choice(["s", "ed", "ing"])


def _leet(word: str, random: Random) -> str:
    """Leetspeak that keeps a letter: four digits alone are a year, whatever they look like."""
    disguised = _each(_LEET)(word, random)
    return disguised if not disguised.isdigit() else word[0] + disguised[1:]


def _random_case(word: str, random: Random) -> str:
    return "".join(random.choice([letter.upper(), letter]) for letter in word)


def _thin_letters(word: str, random: Random) -> str:
    """i for l and l for i, in looks that leave it open which is meant."""
    return _each({"i": "1!|lІ", "l": "1|IІ"})(word, random)


_LETTERS: Final[dict[str, Disguise]] = {
    "case": _random_case,
    "homoglyph cyrillic": _each(_CYRILLIC),
    "homoglyph greek": _each(_GREEK),
    "homoglyph armenian": _each(_ARMENIAN),
    "small capitals": _each(_SMALL_CAPITALS),
    "accents": _each(_ACCENTED),
    "leetspeak": _leet,
    "repeated letters": _stretched,
}
_FORMS: Final[dict[str, Disguise]] = {
    "fullwidth": _shifted(0xFF41),
    "mathematical": lambda word, random: _shifted(random.choice([0x1D41A, 0x1D44E + 26, 0x1D586, 0x1D68A]))(
        word, random
    ),
    "circled": lambda word, random: _shifted(random.choice([0x24D0, 0x1F150]))(word, random),
    "squared": lambda word, random: _shifted(random.choice([0x1F130, 0x1F170]))(word, random),
    "regional indicators": lambda word, random: _shifted(0x1F1E6)(word, random),
}
_INSERTS: Final[dict[str, Disguise]] = {
    "zero-width": _between(["\u200b", "\u200c", "\u200d", "\u2060", "\ufeff"]),
    "soft hyphen": _between("\u00ad"),
    "variation selectors": _between(["\ufe0f", "\ufe00", "\U000e0101"]),
    "tag characters": _between([chr(code) for code in range(0xE0061, 0xE007B)]),
    "combining marks": _between([*_MARKS, "\u0489\u035c\u0361"], least=0.8),
}
_SHAPES: Final[dict[str, Disguise]] = {
    "spaced": _joined([" "]),
    "dotted": _joined([".", "-", "_", "*", " . ", " - "]),
    "one separator": _cut("{}.{}", "{}-{}", "{}_{}", "{}*{}", "{}~{}", "{}/{}"),
    "bracketed part": _cut("({}){}", "[{}]{}", "{{{{{}}}}}{}", "{}({})", "{}[{}]"),
    "weighted parts": _cut("({}:1.2)({}:0.9)", "({}:0.8){}", "({}:1.1)(({}))"),
    "weight": _framed("({}:1.4)", "(({}))", "[{}]", "({}:0.75)"),
    "escaped": _framed("\\({}\\)", "\\[{}\\]"),
    "lora": _framed("<lora:{}_v2:1>", "<lora:{}:0.8>", "<hypernet:{}-v1:1>", "embedding:{}"),
    "newline": _framed("\n{}\n", "{}\n", "\t{}"),
}


def _mixed(count: int) -> Disguise:
    """Disguises of `count` different kinds, one upon the other, in an order in which they make sense."""

    def disguise(word: str, random: Random) -> str:
        kinds = (_LETTERS, _FORMS, _INSERTS, _SHAPES)
        chosen = sorted(random.sample(range(len(kinds)), count))
        for kind in chosen:
            word = random.choice([*kinds[kind].values()])(word, random)
        return word

    return disguise


CLASSES: Final[dict[str, Disguise]] = {
    "plain": lambda word, _: word,
    **_LETTERS,
    **_FORMS,
    **_INSERTS,
    **_SHAPES,
    "i and l": _thin_letters,
    "transliterated": _each(_TRANSLITERATED, least=1.0),
    "inflected": _inflected,
    "two mixed": _mixed(2),
    "three mixed": _mixed(3),
}
LOOSE: Final = frozenset({"homoglyph cyrillic", "homoglyph greek", "homoglyph armenian", "two mixed", "three mixed"})
"""Classes whose letters are open to more than one reading: 97 % is asked of them, 99 % of the others."""


def _misspelt(word: str, random: Random) -> str:
    """One letter left out, doubled over another, exchanged with its neighbour or replaced."""
    place = random.randrange(1, len(word) - 1)
    head, letter, tail = word[:place], word[place], word[place + 1 :]
    other = random.choice([each for each in "aeioutrnslc" if each != letter])
    return random.choice([head + tail, head + other + tail, head + tail[0] + letter + tail[1:]])


UNCOVERED: Final[dict[str, Disguise]] = {
    "split by a blank": _cut("{} {}"),
    "one wrong letter": _misspelt,
    "turned round under a right-to-left override": lambda word, _: f"\u202e{word[::-1]}\u202c",
}
"""What no rule about spelling finds without stopping honest words; the last is refused whatever it says."""


def disguised(name: str, seed: int, variants: int) -> list[tuple[str, str]]:
    """(stand-in, prompt) for every stand-in, frame and variant of one class, covered or not."""
    disguise = CLASSES[name] if name in CLASSES else UNCOVERED[name]
    random = Random(f"{name} {seed}")  # noqa: S311 - a seeded corpus, no secret
    return [
        (word, frame.format(disguise(word, random))) for word in STAND_INS for frame in FRAMES for _ in range(variants)
    ]
