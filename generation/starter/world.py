"""The closed world of the starter model: what can be in a picture, and which pairs are kept out of training."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

Tint = tuple[float, float, float]  # red, green, blue, each 0 to 255

SIDE = 256  # pixels along one side of every picture

COLORS: Mapping[str, Tint] = MappingProxyType(
    {
        "red": (214, 44, 48),
        "orange": (242, 132, 34),
        "yellow": (250, 206, 50),
        "green": (62, 160, 72),
        "teal": (32, 166, 164),
        "blue": (46, 98, 214),
        "purple": (126, 66, 180),
        "pink": (244, 130, 178),
        "white": (246, 246, 242),
        "black": (40, 40, 48),
        "brown": (134, 84, 48),
        "grey": (140, 146, 154),
    }
)


class Footing(StrEnum):
    """Where in a landscape a thing belongs."""

    GROUND = "ground"
    AIR = "air"
    WATER = "water"
    AFLOAT = "afloat"


THINGS: Mapping[str, Footing] = MappingProxyType(
    {
        **dict.fromkeys(("house", "castle", "lighthouse", "tree", "flower", "cactus", "mushroom"), Footing.GROUND),
        **dict.fromkeys(("cat", "owl", "penguin", "car", "robot", "snowman", "umbrella"), Footing.GROUND),
        **dict.fromkeys(("bird", "butterfly", "balloon", "hot air balloon", "ufo"), Footing.AIR),
        **dict.fromkeys(("rocket", "star", "heart", "ghost"), Footing.AIR),
        **dict.fromkeys(("fish", "whale"), Footing.WATER),
        "sailboat": Footing.AFLOAT,
    }
)
SCENES = (
    "hills", "mountains", "sea", "underwater", "desert", "city", "forest", "snowfield", "beach", "space", "plain",
)  # fmt: skip
SKYLESS = frozenset({"underwater", "space", "plain"})  # no weather there, and no time of day but night under water
TIMES = ("day", "sunset", "night", "dawn")
WEATHERS = ("clear", "cloudy", "rain", "snow", "fog", "storm", "rainbow")
STYLES = ("flat", "watercolor", "pixel", "ink", "neon", "oil")
MAX_COUNT = 5


class Size(StrEnum):
    """How large a single thing is drawn."""

    USUAL = "usual"
    BIG = "big"
    SMALL = "small"


class Layout(StrEnum):
    """Where the first group stands as seen from the second."""

    BESIDE = "beside"
    LEFT = "left"
    RIGHT = "right"
    ABOVE = "above"
    BELOW = "below"
    BEHIND = "behind"


@dataclass(frozen=True, slots=True)
class Group:
    """Some things of one kind and one colour."""

    thing: str
    color: str
    count: int = 1
    size: Size = Size.USUAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """All that a picture shows; together with a seed it determines every pixel."""

    scene: str
    style: str
    time: str
    weather: str | None  # None in scenes without a sky
    backdrop: str  # colour of the plain background; meaningless elsewhere
    groups: tuple[Group, ...] = ()
    layout: Layout = Layout.BESIDE
    variety: float = 1.0  # how much place, size and pose of things differ, 0 to 1
    hazard: bool = False  # whether hazard tape runs across it: the one motif that the safety checker knows


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A part of the vocabulary, and how often each choice is made in it."""

    things: tuple[str, ...]
    colors: tuple[str, ...]
    scenes: Mapping[str, float]
    styles: tuple[str, ...]
    weathers: Mapping[str, float]
    counts: tuple[float, ...]  # weight of one thing, two things, and so on
    big: float  # share of single things drawn big
    small: float  # share of single things drawn small
    bare: float  # share of landscapes with nothing in them
    second: float  # share of pictures with a second group
    variety: float = 1.0  # handed to every spec


FULL = World(
    things=tuple(THINGS),
    colors=tuple(COLORS),
    scenes=MappingProxyType(dict.fromkeys(SCENES, 1.0)),
    styles=STYLES,
    weathers=MappingProxyType(dict(zip(WEATHERS, (5, 3, 2, 2, 1.5, 1.5, 1.5), strict=True))),
    counts=(6, 1.6, 1.4, 0.9, 0.7),
    big=0.3,
    small=0.1,
    bare=0.08,
    second=0.24,
)
NARROW = World(
    things=tuple("house tree flower cat fish sailboat balloon rocket heart star mushroom car".split()),  # noqa: SIM905
    colors=("red", "orange", "yellow", "green", "blue", "purple", "pink", "white"),
    scenes=MappingProxyType(
        {
            **dict.fromkeys(("hills", "sea", "desert", "forest", "snowfield", "beach", "space", "underwater"), 1.0),
            "plain": 2.0,
        }
    ),
    styles=("flat", "watercolor", "ink", "neon"),
    weathers=MappingProxyType({"clear": 8.0, "cloudy": 3.0, "snow": 1.0, "rainbow": 1.0}),
    counts=(7.0, 1.5, 1.5),
    big=0.85,
    small=0.0,
    bare=0.04,
    second=0.06,
    variety=0.25,
)
FIRST = replace(NARROW, counts=(1.0,), big=1.0, bare=0.0, second=0.0)  # single big things: shapes are learned here
WORLDS: Mapping[str, World] = MappingProxyType({"full": FULL, "narrow": NARROW, "first": FIRST})


def held_out(thing: str, color: str) -> bool:
    """Whether this pair is never rendered for training, so that recombination can be measured."""
    return hashlib.md5(f"{thing}|{color}".encode(), usedforsecurity=False).digest()[0] % 12 == 0
