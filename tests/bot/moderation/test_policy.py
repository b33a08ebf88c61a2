"""What may be shown where."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.moderation.policy import ORDINARY_MOST, Policy
from bot.order import Place
from generation.safety.level import Level

LEVELS = st.sampled_from(Level)
ORDINARY = Place(guild_id=1)
RESTRICTED = Place(guild_id=1, age_restricted=True)


def test_nothing_but_neutral_unless_somebody_says_so() -> None:
    for place in (ORDINARY, RESTRICTED, Place(guild_id=None), Place(guild_id=None, age_restricted=True)):
        assert Policy().clearance(place) is Level.NEUTRAL


@given(LEVELS, LEVELS, LEVELS)
def test_ordinary_channels_and_direct_messages_stay_within_bounds(level: Level, restricted: Level, hide: Level) -> None:
    policy = Policy.of({"level": level, "restricted_level": restricted, "spoiler_from": hide})
    assert policy.clearance(ORDINARY) <= ORDINARY_MOST
    assert policy.clearance(ORDINARY) <= policy.clearance(RESTRICTED)
    assert policy.clearance(Place(guild_id=None, age_restricted=True)) is Level.NEUTRAL
    assert not policy.hides(Level.NEUTRAL)


@given(
    st.dictionaries(
        st.sampled_from(["level", "restricted_level", "spoiler_from", "other"]),
        st.one_of(
            st.none(),
            st.integers(-5, 9),
            st.text(max_size=3),
            st.floats(allow_nan=True),
            st.lists(st.integers(), max_size=1),
        ),
    )
)
def test_what_is_no_level_counts_as_the_strictest(stored: dict[str, Any]) -> None:
    policy = Policy.of(stored)
    for name in ("level", "restricted_level", "spoiler_from"):
        value = stored.get(name)
        if value is not None and value not in list(Level):
            assert getattr(policy, name) is Level.NEUTRAL


def test_a_channel_differs_only_in_what_was_set_for_it() -> None:
    policy = Policy.of({"level": 1, "restricted_level": 2}, {"restricted_level": 3}, {})
    assert (policy.level, policy.restricted_level, policy.spoiler_from) == (Level.LOW, Level.HIGH, Level.LOW)
    assert policy.hides(Level.LOW)
    assert not Policy.of({"spoiler_from": 3}).hides(Level.MEDIUM)
