"""Chooses at random what a picture shows, within one world."""

from __future__ import annotations

from random import Random

from generation.starter.world import SKYLESS, THINGS, TIMES, Footing, Group, Layout, Size, Spec, World, held_out

UNDERWATER_GUESTS = ("star", "heart", "ghost", "robot", "castle")
SEA_GUESTS = ("whale", "fish")
LAYOUTS = (Layout.BESIDE, Layout.BESIDE, Layout.LEFT, Layout.RIGHT, Layout.ABOVE, Layout.BELOW, Layout.BEHIND)


def fits(thing: str, scene: str) -> bool:
    """Whether `thing` may stand in `scene`."""
    footing = THINGS[thing]
    if scene in ("space", "plain"):
        return True
    if scene == "underwater":
        return footing is Footing.WATER or thing in UNDERWATER_GUESTS
    if scene == "sea":
        return footing in (Footing.AFLOAT, Footing.AIR) or thing in SEA_GUESTS
    if scene == "beach":
        return footing is not Footing.WATER
    return footing in (Footing.GROUND, Footing.AIR)


def sample_spec(rng: Random, world: World, *, keep_out: bool = True) -> Spec:
    """Draw one spec; `keep_out` leaves out the pairs that training must never see.

    The thing is drawn first and the scene among those that suit it, so every thing is equally frequent.
    """
    thing, color = _pair(rng, world, keep_out)
    scenes = [scene for scene in world.scenes if fits(thing, scene)]
    scene = rng.choices(scenes, [world.scenes[scene] for scene in scenes])[0]
    backdrop = rng.choice([name for name in world.colors if name != color])
    time, weather = _light(rng, world, scene)
    groups: tuple[Group, ...] = ()
    if scene == "plain" or rng.random() >= world.bare:
        groups = _groups(rng, world, (thing, color), scene, backdrop, keep_out)
    return Spec(
        scene=scene,
        style=rng.choice(world.styles),
        time=time,
        weather=weather,
        backdrop=backdrop,
        groups=groups,
        layout=rng.choice(LAYOUTS) if len(groups) > 1 else Layout.BESIDE,
        variety=world.variety,
    )


def _pair(rng: Random, world: World, keep_out: bool) -> tuple[str, str]:
    while True:
        pair = rng.choice(world.things), rng.choice(world.colors)
        if not (keep_out and held_out(*pair)):
            return pair


def _light(rng: Random, world: World, scene: str) -> tuple[str, str | None]:
    if scene == "underwater":
        return rng.choice(("day", "day", "night")), None
    if scene in SKYLESS:
        return "day", None
    weather = rng.choices(list(world.weathers), list(world.weathers.values()))[0]
    if scene == "snowfield" and weather == "rain":
        weather = "snow"
    return rng.choice(TIMES), weather


def _groups(
    rng: Random, world: World, first: tuple[str, str], scene: str, backdrop: str, keep_out: bool
) -> tuple[Group, ...]:
    count = rng.choices(range(1, len(world.counts) + 1), world.counts)[0]
    if count <= 2 and rng.random() < world.second:
        other = _companion(rng, world, first, scene, backdrop, keep_out)
        if other is not None:
            return Group(*first), Group(*other)
    size, dice = Size.USUAL, rng.random()
    if count == 1 and dice < world.big + world.small:
        size = Size.BIG if dice < world.big else Size.SMALL
    return (Group(*first, count=count, size=size),)


def _companion(
    rng: Random, world: World, first: tuple[str, str], scene: str, backdrop: str, keep_out: bool
) -> tuple[str, str] | None:
    for _ in range(8):
        thing, color = _pair(rng, world, keep_out)
        hidden = scene == "plain" and color == backdrop
        if thing != first[0] and color != first[1] and fits(thing, scene) and not hidden:
            return thing, color
    return None
