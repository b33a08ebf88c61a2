"""The error correction: the same check bits as TrustMark's own, and every five wrong bits repaired."""

from __future__ import annotations

import random

import pytest

from generation.provenance import bch

LENGTH = 99  # bits of a watermark's codeword, its padding included


@pytest.mark.parametrize(
    "theirs",
    [
        "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001",
        "1111111111111111111111111111111111111111111111111111111111111111101010101001101001110000100100100001",
        "0000100100011010001010110011110001001101010111100110111101111001000111011011000010110111111100000001",
        "1111010001010011001100100100111110100100001101010101101110011000100111110001001010001000100000110001",
        "0001010000000100101010110001111001100011111000110110110000001000010110001111010011011101110110100001",
        "1100100110111010111111100110011100101100000001100001101011110000111010111001000101100110100010000001",
    ],
    ids=["zeros", "ones", "count", "one", "two", "three"],
)
def test_check_bits_are_those_of_trustmark(theirs: str) -> None:
    """61 bits, 35 check bits, the schema; from DataLayer(100, False, 1) of the package trustmark 0.9.2."""
    message = int(theirs[:61], 2) << 3
    assert f"{bch.protected(message) & (1 << bch.CHECK_BITS) - 1:035b}" == theirs[61:96]


def test_five_wrong_bits_anywhere_are_repaired_and_six_are_never_taken_for_the_same() -> None:
    dice = random.Random(1)
    for _ in range(200):
        word = bch.protected(dice.getrandbits(64))
        for count in range(8):
            harmed = word
            for place in dice.sample(range(LENGTH), count):
                harmed ^= 1 << place
            repaired = bch.repaired(harmed, LENGTH)
            assert repaired == word if count <= bch.REPAIRS else repaired != word, count


def test_what_is_repaired_is_a_codeword_nearby_and_chance_seldom_is() -> None:
    """Codewords with all that is within five bits of them fill 0.22 % of all words."""
    dice = random.Random(2)
    accepted = 0
    for _ in range(5000):
        word = dice.getrandbits(LENGTH)
        repaired = bch.repaired(word, LENGTH)
        if repaired is not None:
            accepted += 1
            assert bch.protected(repaired >> bch.CHECK_BITS) == repaired
            assert (word ^ repaired).bit_count() <= bch.REPAIRS
    assert 2 <= accepted <= 30
