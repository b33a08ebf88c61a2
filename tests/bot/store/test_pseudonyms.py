"""Pseudonyms: stable, apart from ids, worthless without their key, and one key whoever comes first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bot.store.pseudonyms import Pseudonyms


def test_a_pseudonym_is_stable_negative_and_of_this_installation(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    people = range(10**17, 10**17 + 1000)
    made = [Pseudonyms(here).of(person) for person in people]
    assert made == [Pseudonyms(here).of(person) for person in people]
    assert len(set(made)) == len(made)
    assert all(-(2**63) <= pseudonym < 0 for pseudonym in made)
    assert Pseudonyms(there).of(people[0]) != made[0]
    assert Pseudonyms(here).fingerprint("a") != Pseudonyms(there).fingerprint("a")


def test_many_at_once_make_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: Pseudonyms(tmp_path).of(7), range(64)))
    assert len(made) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["pseudonyms.key"]
    assert (tmp_path / "pseudonyms.key").stat().st_mode & 0o077 == 0
