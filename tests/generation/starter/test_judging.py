from __future__ import annotations

import pytest

pytest.importorskip(
    "skia", reason="skia-python, with which training pictures are drawn, is not installed", exc_type=ImportError
)

from generation.starter.__main__ import READER
from generation.starter.judging.adherence import Share, score, things
from generation.starter.judging.questions import gallery, questions
from generation.starter.judging.reader import load_reader, truth
from generation.starter.record import adherence_point, draw_curves, moved, smoothed, thinned
from generation.starter.training.dataset import Source
from generation.starter.world import Group, Spec


def spec_of(*groups: Group, scene: str = "hills") -> Spec:
    return Spec(scene=scene, style="flat", time="day", weather="clear", backdrop="red", groups=groups)


def test_a_perfect_reader_scores_a_hundred_and_a_wrong_one_nothing():
    spec = spec_of(Group("cat", "blue", 2))
    right = {name: value or "?" for name, value in truth(spec).items()}
    found = score([right], [spec])
    assert {share.percent for share in found.values()} == {100.0}
    assert set(found) == {"thing", "color", "thing+color", "count", "scene", "style", "time", "weather"}
    assert {share.percent for share in score([dict.fromkeys(right, "?")], [spec]).values()} == {0.0}


def test_thing_and_colour_must_be_right_in_the_same_picture():
    specs = [spec_of(Group("cat", "blue")), spec_of(Group("car", "red"))]
    read = [{**truth(specs[0]), "color": "red"}, {**truth(specs[1]), "thing": "cat"}]
    found = score(read, specs)
    assert found["thing"] == Share(1, 2)
    assert found["color"] == Share(1, 2)
    assert found["thing+color"] == Share(0, 2)


def test_two_groups_are_counted_together_but_not_asked_for_their_things():
    spec = spec_of(Group("cat", "blue"), Group("car", "red", 2))
    assert truth(spec)["count"] == "3"
    assert truth(spec)["thing"] is None


def test_nothing_asked_is_no_division_by_zero():
    assert Share(0, 0).percent == 0.0
    assert Share(1, 3).percent == 33.3


def test_things_are_counted_by_kind():
    specs = [spec_of(Group("cat", "blue")), spec_of(Group("cat", "red")), spec_of(Group("car", "red"))]
    read = [{"thing": "cat"}, {"thing": "car"}, {"thing": "car"}]
    assert things(read, specs) == {"car": Share(1, 1), "cat": Share(1, 2)}


def test_questions_are_always_the_same_and_never_those_of_training():
    first, again = questions("narrow", 20, recombining=True), questions("narrow", 20, recombining=True)
    assert first == again
    assert all(question.recombines for question in first)
    assert not any(question.recombines for question in questions("narrow", 20, recombining=False))
    trained = {Source("narrow").spec(number)[1] for number in range(200)}
    assert not trained & {Source("narrow", 2026).spec(number)[1] for number in range(200)}
    assert [question.seed for question in gallery("narrow", 4)] == [1, 2, 3, 4]


@pytest.mark.skipif(not READER.exists(), reason="there is no trained reader beside the starter")
def test_the_reader_reads_renders_it_has_never_seen():
    source, reader = Source("narrow", 4711, keep_out=False), load_reader(READER)
    specs = [source.spec(number)[0] for number in range(60)]
    found = score(reader.read([source.picture(number)[0] for number in range(60)]), specs)
    for name in ("thing", "color", "scene", "style", "time"):
        assert found[name].percent >= 90, name


def test_a_record_is_thinned_evenly_and_keeps_its_end():
    records = [{"samples": number} for number in range(1000)]
    kept = thinned(records, 11)
    assert len(kept) == 11
    assert kept[0]["samples"] == 0
    assert kept[-1]["samples"] == 999
    assert thinned(records[:3], 11) == records[:3]


def test_curves_are_drawn(tmp_path):
    log = [{"samples": 100 * n, "loss": 0.3 - n / 1000} for n in range(20)]
    shares = {
        "thing": {"percent": 50.0, "n": 9},
        "thing+color": {"percent": 40.0, "n": 9},
        "scene": {"percent": 90.0, "n": 10},
    }
    point = adherence_point(900, 60.0, {"world": "narrow", "steps": 20, "seen": shares, "held_out": shares})
    assert point["prompts"] == 20
    assert point["object and colour"] == 40.0
    draw_curves(log, [point], tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 2000
    assert smoothed([(0, 1.0), (1, 3.0)], reach=1) == [(0, 2.0), (1, 2.0)]


def test_a_run_that_goes_on_from_another_is_counted_on():
    assert moved([{"samples": 16, "seconds": 2.5, "loss": 0.3}], 100, 60.04) == [
        {"samples": 116, "seconds": 62.5, "loss": 0.3}
    ]
