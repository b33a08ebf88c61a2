"""What a watermark says: TrustMark's schema to the bit, and nothing but whose and which."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from generation.provenance.keyring import Keyring
from generation.provenance.payload import BITS, Payload, issuers, new_manifest, number_of


def test_the_hundred_bits_are_those_of_trustmark() -> None:
    """Made with DataLayer(100, False, 1).encode_binary of the package trustmark 0.9.2."""
    payload = Payload(issuer=0x123456789ABCDEF >> 40, number=0x123456789ABCDEF & 2**40 - 1)
    theirs = "0000100100011010001010110011110001001101010111100110111101111001000111011011000010110111111100000001"
    assert "".join(map(str, payload.bits())) == theirs
    assert payload.soft_binding == "1*" + theirs[:61]
    assert Payload.read([int(bit) for bit in theirs]) == payload


def test_a_payload_survives_five_wrong_bits() -> None:
    dice = random.Random(1)
    for _ in range(100):
        payload = Payload(dice.getrandbits(21), dice.getrandbits(40))
        bits = list(payload.bits())
        for place in dice.sample(range(96), 5):
            bits[place] ^= 1
        assert Payload.read(bits) == payload


@pytest.mark.parametrize("place", [96, 97, 98, 99])
def test_another_schema_is_none_of_ours(place: int) -> None:
    bits = list(Payload(1, 2).bits())
    bits[place] ^= 1
    assert Payload.read(bits) is None


def test_chance_gives_hardly_any_payload() -> None:
    dice = random.Random(3)
    read = [Payload.read([dice.getrandbits(1) for _ in range(BITS)]) for _ in range(3000)]
    assert sum(payload is not None for payload in read) <= 3  # one in 8,500 is expected


def test_whose_it_is_lasts_beyond_a_change_of_keys(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path / "provenance")
    old, new = keyring.open(), keyring.rotate()
    owners = [issuers(identity.chain)[-1] for identity in (old, new)]
    assert owners[0] != owners[1]
    assert set(issuers(keyring.roots())) == set(owners)
    assert all(0 < owner < 2**21 for owner in owners)
    assert issuers("") == ()
    stranger = Keyring(tmp_path / "stranger").open()
    assert issuers(stranger.chain)[-1] not in owners


def test_a_number_leads_back_to_its_manifest() -> None:
    names = sorted(new_manifest() for _ in range(300))
    for name in names:
        low, high = Payload(0, number_of(name)).manifests()
        assert [other for other in names if low <= other <= high] == [name]
        assert len(low) == len(high) == len(name)
