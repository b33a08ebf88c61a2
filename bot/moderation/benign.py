"""Texts that no filter should stop: ordinary prompts, prompt syntax and a list of known traps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Final

# What people ask an art bot for; used where the system has no dictionary.
VOCABULARY: Final = """
    a the of in on with under over and at by near red blue green golden silver misty ancient tiny giant
    wooden marble house castle village harbour lighthouse bridge forest river mountain valley desert
    island glacier volcano meadow night sky stars moon sunset dawn storm rain snow fog cloud rainbow
    aurora portrait landscape painting sketch watercolour oil charcoal etching engraving mosaic poster
    illustration concept art cinematic dramatic soft light shadow rim lighting volumetric bokeh macro
    wide angle close detailed intricate masterpiece quality sharp focus woman man child knight wizard
    astronaut sailor dancer violinist chef farmer robot dragon fox cat dog horse owl falcon whale turtle
    butterfly beetle chicken breast shiitake cocktail bread cheese apple cherry lemon teapot lamp clock
    violin guitar piano drum bicycle train steamship balloon rocket submarine shirt striped tilted
    folded broken class glass grass brass assembly passage compass embassy titan title entitled
    constitution partition analysis canal banal scrap grape drape therapist rapper wrapping hello shell
    seashell dickens document cucumber circumference god goddess good food wood mood rating grating
    skating assassin hancock peacock woodcock shuttlecock cockatoo
    """.split()  # noqa: SIM905 - words read best as text

TRAP_RULES: Final = (
    "tit", "cock", "sex", "gore", "ass", "dick", "hell", "anal", "rape", "nude", "cum", "strip", "god", "prince",
    "bob", "snatch", "who" "re", "cu" "nt", "allow:blue tit", "allow:nude study", "allow:Hancock",
)  # fmt: skip
TRAPS: Final = (
    "Scunthorpe town hall", "a farm in Essex and Middlesex", "Penistone market", "Lightwater valley",
    "Clitheroe castle", "Charles Dickens writing by candle light", "Alfred Hitchcock in profile",
    "by Edward Gorey", "Hancock tower", "a blue tit on a branch", "two blue tits", "a peacock and a cockatoo",
    "a woodcock", "a shuttlecock", "a cocktail with ice", "shiitake soup", "roast chicken breast", "a titbit",
    "matsutake", "a nude study in charcoal", "the birth of Venus by Botticelli", "anatomical drawing of a heart",
    "a sextant and a compass", "a sextet", "bass player", "those who're late", "we're in the garden",
    "he'll be king", "she'll smile", "I'll wait", "can't we all", "a tilted camera", "dutch angle, tilted horizon",
    "titled page", "a e s t h e t i c", "A E S T H E T I C vaporwave", "v a p o r w a v e  d r e a m",
    "4k, 8k uhd", "1girl, solo", "2boys", "A.I. generated", "N.A.S.A. rocket", "U.S.A.", "f/1.8, 85mm, ISO 400",
    "f1.4 35mm", "16:9", "1024x768", "seed 455", "A55 motorway", "455 feet", "R2-D2", "80s style",
    "rapping on stage", "gift wrapping paper", "a grape harvest", "a striped shirt", "a princess", "good morning",
    "classic assassin in an embassy", "push-it door", "canal in Venice", "annals of history",
    "a hot-air balloon, class A", "bobble hat", "Hello Kitty, seashells", "pen-and-ink, island",
    "tan.line drawing", "(masterpiece:1.2), (best quality)", "<lora:detail_v2:0.8>", "[red|blue] flower",
    "{red|green|blue} hat", "a cat AND a dog", "sunset :: 2 sea :: 1", "Привет, мир",
    "красный дом под звёздным небом", "一座红房子", "赤い家と星空", "بيت أحمر", "α and β particles", "λ calculus",
    "naïve café façade", "Ærøskøbing", "Łódź", "🌅 sunrise over 🌊", "👩‍👩‍👧 family", "½ cup", "№ 5", "→ arrow",
    "x² + y² = z²", "well-lit room", "a mass of people", "the cumulus cloud", "circumstance", "document",
    "therapist's couch", "pumpkin",
)  # fmt: skip

_DECORATIONS: Final[tuple[Callable[[str, Random], str], ...]] = (
    lambda word, random: f"({word}:1.{random.randint(1, 5)})",
    lambda word, random: f"(({word}))",
    lambda word, random: f"[{word}]",
    lambda word, random: f"{{{word}}}",
    lambda word, random: f"<lora:{word}_v{random.randint(1, 3)}:0.{random.randint(1, 9)}>",
    lambda word, random: f"\\({word}\\)",
    lambda word, random: f"{word}!",
    lambda word, random: f"{word} {random.randint(1, 9999)}",
    lambda word, random: random.choice(["4k", "8k uhd", "f/1.8", "85mm", "1girl", "16:9", "ISO 200", "A.I.", "no. 5"]),
)


def benign_prompts(
    seed: int, count: int, words: Sequence[str] | None = None, *, decorated: bool = False
) -> Iterator[str]:
    """`count` prompts of random words, with prompt syntax around every third where `decorated`."""
    random = Random(seed)  # noqa: S311 - a seeded corpus, no secret
    pool = words or VOCABULARY
    for _ in range(count):
        chosen = random.choices(pool, k=random.randint(6, 18))
        if decorated:
            chosen = [random.choice(_DECORATIONS)(word, random) if random.random() < 0.33 else word for word in chosen]
        yield random.choice([" ", ", "]).join(chosen)
