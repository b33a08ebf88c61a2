from __future__ import annotations

from random import Random

import numpy as np
import pytest

from generation.starter.sampling import fits, sample_spec
from generation.starter.world import FULL, SCENES, STYLES, THINGS, Group, Layout, Size, Spec

pytest.importorskip(
    "skia", reason="skia-python, with which training pictures are drawn, is not installed", exc_type=ImportError
)

from generation.starter.drawing.picture import REGION, render
from generation.starter.drawing.placing import arrange


def spec_of(**choices: object) -> Spec:
    plain = {"scene": "plain", "style": "flat", "time": "day", "weather": None, "backdrop": "white"}
    return Spec(**(plain | choices))


def test_the_same_seed_draws_the_same_bytes():
    rng = Random(5)
    for spec in [sample_spec(rng, FULL) for _ in range(12)]:
        first, mask = render(spec, 77)
        second, again = render(spec, 77)
        assert first.tobytes() == second.tobytes()
        assert mask.tobytes() == again.tobytes()


def test_another_seed_draws_another_picture():
    spec = spec_of(scene="hills", weather="clear")
    assert render(spec, 1)[0].tobytes() != render(spec, 2)[0].tobytes()


@pytest.mark.parametrize("style", STYLES)
def test_every_scene_in_every_style_has_shape_and_contrast(style):
    for scene in SCENES:
        skyless = scene in ("plain", "space", "underwater")
        pixels, _ = render(spec_of(scene=scene, style=style, weather=None if skyless else "rainbow"), 3)
        assert pixels.shape == (256, 256, 3)
        assert pixels.dtype == np.uint8
        assert scene == "plain" or pixels.std() > 4


@pytest.mark.parametrize("thing", THINGS)
def test_every_thing_leaves_its_mark_where_the_mask_says(thing):
    groups = (Group(thing, "red", size=Size.BIG),)
    with_thing, mask = render(spec_of(groups=groups), 9)
    without, nothing = render(spec_of(), 9)
    assert nothing.max() == 0
    assert 0.04 < (mask > 127).mean() < 0.6
    changed = (with_thing != without).any(2).reshape(REGION, 8, REGION, 8).any((1, 3))
    assert changed[mask > 200].mean() > 0.9
    grown = np.pad(mask, 1).astype(int)
    near = sum(np.roll(grown, (dy, dx), (0, 1)) for dy in (-1, 0, 1) for dx in (-1, 0, 1))[1:-1, 1:-1]
    assert not changed[near == 0].any()


@pytest.mark.parametrize(
    ("layout", "axis", "sign"),
    [(Layout.LEFT, "x", -1), (Layout.RIGHT, "x", 1), (Layout.ABOVE, "y", -1), (Layout.BELOW, "y", 1)],
)
def test_layouts_put_the_first_group_where_they_say(layout, axis, sign):
    spec = spec_of(groups=(Group("heart", "red"), Group("star", "blue")), layout=layout)
    for seed in range(20):
        placed = {item.thing: item for item in arrange(spec, Random(seed), 214.0)}
        apart = getattr(placed["heart"], axis) - getattr(placed["star"], axis)
        assert apart * sign > 20


def test_what_stands_behind_is_drawn_first_and_is_larger():
    spec = spec_of(groups=(Group("house", "red"), Group("cat", "blue")), layout=Layout.BEHIND)
    back, front = arrange(spec, Random(0), 214.0)
    assert (back.thing, front.thing) == ("house", "cat")
    assert back.height > front.height


def test_little_variety_keeps_one_pose():
    group = (Group("car", "red"),)
    poses = {arrange(spec_of(groups=group, variety=0.2), Random(seed), 214.0)[0].flip for seed in range(20)}
    free = {arrange(spec_of(groups=group), Random(seed), 214.0)[0].flip for seed in range(20)}
    assert poses == {False}
    assert free == {False, True}


def test_fish_do_not_swim_in_the_desert():
    assert not fits("fish", "desert")
    assert fits("fish", "sea")
    assert fits("cactus", "desert")
