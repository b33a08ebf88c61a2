"""The words of the captions, by what they describe."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from generation.starter.world import Layout, Size

Choices = Mapping[str, tuple[str, ...]]


def _choices(lines: str) -> Choices:
    """Read `name: choice, choice` line by line."""
    found = {}
    for line in lines.strip().splitlines():
        name, _, rest = line.partition(":")
        found[name.strip()] = tuple(choice.strip() for choice in rest.split(","))
    return MappingProxyType(found)


PLURALS = MappingProxyType({"fish": "fish", "snowman": "snowmen", "butterfly": "butterflies", "cactus": "cacti"})
THING_WORDS = _choices("""
house: house, cottage, home, cabin
cat: cat, kitten, kitty
sailboat: sailboat, boat, ship
ufo: ufo, flying saucer, alien spaceship
rocket: rocket, rocket ship, spaceship
car: car, automobile
robot: robot, android
castle: castle, fortress, palace
ghost: ghost, spirit
flower: flower, blossom, daisy
mushroom: mushroom, toadstool
bird: bird, sparrow
umbrella: umbrella, parasol
""")
COLOR_WORDS = _choices("""
grey: grey, gray, silver
teal: teal, turquoise, cyan
purple: purple, violet
red: red, crimson, scarlet
yellow: yellow, golden
black: black, dark
green: green, emerald
""")
SCENE_PHRASES = _choices("""
hills: over green hills, on green hills, in a meadow, in a grassy field, in the countryside
mountains: in the mountains, in front of snowy mountains, near mountain peaks
sea: on the sea, at sea, on the ocean, over the sea
underwater: underwater, under the sea, in the deep ocean, in a coral reef
desert: in the desert, among sand dunes, in a sandy desert
city: in the city, in front of a city skyline, on a city street, in town
forest: in the forest, in the woods, in a pine forest
snowfield: in a snowy field, in a winter landscape, on snowy hills
beach: on the beach, on a tropical beach, by the sea shore
space: in space, in outer space, among the stars, in the galaxy
""")
SCENE_NAMES = _choices("""
hills: green hills, a meadow, a grassy landscape, the countryside
mountains: mountains, snowy mountains, mountain peaks
sea: the sea, the ocean, a seascape
underwater: an underwater scene, a coral reef, the deep ocean
desert: a desert, sand dunes, a desert landscape
city: a city, a city skyline, a town
forest: a forest, the woods, a pine forest
snowfield: a snowy field, a winter landscape, snowy hills
beach: a beach, a tropical beach
space: space, outer space, a galaxy
""")
TIME_PHRASES = _choices("""
day: in daylight, by day, on a sunny day, during the day
sunset: at sunset, at dusk, in the evening, under an orange sky
night: at night, under a starry night sky, under the moon, by moonlight, at midnight
dawn: at dawn, at sunrise, in the early morning
""")
WEATHER_PHRASES = _choices("""
clear: under a clear sky, clear weather, no clouds
cloudy: under a cloudy sky, with clouds, cloudy weather
rain: in the rain, on a rainy day, rainy weather
snow: in the snow, while it snows, with falling snow, snowy weather
fog: in the fog, in thick mist, foggy weather
storm: in a thunderstorm, during a storm, with lightning, stormy weather
rainbow: with a rainbow, under a rainbow
""")
STYLE_PHRASES = _choices("""
flat: flat illustration, vector art, flat design, cartoon, digital art
watercolor: watercolor, watercolor painting, watercolour style, aquarelle
pixel: pixel art, pixel art style, game art, retro game sprite
ink: ink drawing, line art, pen and ink style, comic book ink sketch
neon: neon, neon lights style, glowing neon sign, synthwave neon
oil: oil painting, impressionist painting, brush strokes, oil on canvas, in the style of van gogh
""")
NUMBERS = MappingProxyType({2: ("two", "2", "a pair of"), 3: ("three", "3"), 4: ("four", "4"), 5: ("five", "5")})
SIZES = MappingProxyType({Size.BIG: ("big", "large", "huge"), Size.SMALL: ("small", "tiny", "little")})
LAYOUT_WORDS: Mapping[Layout, tuple[str, ...]] = MappingProxyType(
    {
        Layout.BESIDE: (" and ", " and ", " next to ", " with ", ", ", " beside "),
        Layout.LEFT: (" left of ", " to the left of "),
        Layout.RIGHT: (" right of ", " to the right of "),
        Layout.ABOVE: (" above ", " over "),
        Layout.BELOW: (" below ", " under "),
        Layout.BEHIND: (" behind ",),
    }
)
HAZARD_PHRASES = ("with hazard tape", "behind hazard tape", "with hazard stripes")
# Words that were not in the first vocabulary.
LEARNT_LATER = ("to", "left", "right", "above", "below", "behind", "beside", "hazard", "tape", "stripes")
OPENINGS = (
    "a picture of ", "a drawing of ", "an illustration of ", "draw ", "please draw ", "an image of ", "art of ",
)  # fmt: skip
FILLERS = (
    "masterpiece", "best quality", "highly detailed", "4k", "8k", "beautiful", "cute", "trending", "award winning",
    "soft light", "dramatic", "cinematic", "intricate", "sharp focus", "artstation", "wallpaper", "cozy", "magical",
    "fantasy", "dreamy", "epic", "detailed", "aesthetic", "vibrant colors", "minimalist", "simple", "elegant", "fun",
    "happy", "for my friend", "please", "lovely", "high resolution", "concept art", "poster", "card",
)  # fmt: skip
# Words that have no picture here: strewn into captions, so that they never break a prompt.
STRANGERS = tuple(
    """dragon wizard knight astronaut dog horse fox wolf bear lion tiger panda rabbit unicorn elephant monkey woman man
    girl boy princess king queen warrior samurai ninja pirate portrait face hair eyes smile dress armor sword magic
    crystal temple bridge river lake waterfall garden street market train airplane bicycle motorcycle truck bus guitar
    piano book coffee pizza cake burger apple banana strawberry lamp chair table window door room kitchen library tower
    statue skeleton zombie vampire demon angel goddess fairy elf witch alien cyborg mech tank dinosaur turtle shark
    octopus jellyfish dolphin crab snake frog spider bee dragonfly eagle raven parrot duck swan chicken cow pig sheep
    deer squirrel hedgehog otter koala sloth steampunk cyberpunk gothic baroque surreal abstract realistic photo
    photograph anime manga ghibli 3d render unreal engine octane lowpoly isometric sticker logo icon tattoo sculpture
    origami lego clay felt pencil charcoal pastel crayon chalk marble bronze wooden glass golden silver ancient
    futuristic old young tiny giant flying running sleeping dancing eating reading playing holding wearing riding
    sitting standing jumping looking fighting hat glasses scarf cape helmet crown shirt suit boots""".split()  # noqa: SIM905 - a list of 180 lines would hide the words
)
