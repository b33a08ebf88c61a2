"""A binary BCH code that repairs any five wrong bits: the one that TrustMark protects its watermarks with (“BCH_5”).

Codewords are polynomials over GF(2), held in whole numbers: bit i is the coefficient of xⁱ. The message stands in the
high bits, its 35 check bits below it. Of the 127 bits that there is room for, as many are used as the message needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import zip_longest
from operator import xor

REPAIRS = 5  # wrong bits
CHECK_BITS = 35
LONGEST = 127  # bits of a codeword
_PRIMITIVE = 0b1000_1001  # x⁷ + x³ + 1, whose root α generates GF(2⁷)


def _powers() -> list[int]:
    """α⁰ to α¹²⁶."""
    found = [1]
    while len(found) < LONGEST:
        doubled = found[-1] << 1
        found.append(doubled ^ _PRIMITIVE if doubled > LONGEST else doubled)
    return found


_POWERS = _powers()
_LOGS = {value: exponent for exponent, value in enumerate(_POWERS)}


def _times(one: int, other: int) -> int:
    return _POWERS[(_LOGS[one] + _LOGS[other]) % LONGEST] if one and other else 0


def _over(one: int, other: int) -> int:
    return _POWERS[(_LOGS[one] - _LOGS[other]) % LONGEST] if one else 0


def _generator() -> int:
    """The product of all (x - αʳ), where r runs over the odd numbers to 9 and their doubles."""
    roots = {odd * 2**doublings % LONGEST for odd in range(1, 2 * REPAIRS, 2) for doublings in range(7)}
    product = [1]  # lowest coefficient first
    for root in sorted(roots):
        moved = [0, *product]
        product = [high ^ _times(low, _POWERS[root]) for high, low in zip(moved, [*product, 0], strict=True)]
    return sum(coefficient << place for place, coefficient in enumerate(product))


_GENERATOR = _generator()


def protected(message: int) -> int:
    """The codeword of `message`, 92 bits at most."""
    word = message << CHECK_BITS
    return word | _remainder(word)


def repaired(word: int, length: int) -> int | None:
    """The codeword that differs from `word` in at most five of its `length` bits; None when there is none."""
    places = [place for place in range(length) if word >> place & 1]
    syndromes = [_sum(_POWERS[place * power % LONGEST] for place in places) for power in range(1, 2 * REPAIRS + 1)]
    locator = _locator(syndromes)
    wrong = [place for place in range(length) if not _value(locator, -place)]
    if len(wrong) != len(locator) - 1:
        return None
    return reduce(xor, (1 << place for place in wrong), word)


def _remainder(word: int) -> int:
    for place in range(word.bit_length() - 1, CHECK_BITS - 1, -1):
        if word >> place & 1:
            word ^= _GENERATOR << (place - CHECK_BITS)
    return word


def _locator(syndromes: Sequence[int]) -> list[int]:
    """The polynomial whose roots are α⁻ᵖ for all wrong places p, found by Berlekamp's and Massey's algorithm.

    Lowest coefficient first, and one longer than there are wrong places, should five be enough.
    """
    locator, former = [1], [1]
    errors, since, last = 0, 1, 1
    for count, syndrome in enumerate(syndromes):
        gap = syndrome ^ _sum(_times(locator[i], syndromes[count - i]) for i in range(1, min(errors + 1, len(locator))))
        if gap:
            factor = _over(gap, last)
            correction = [0] * since + [_times(factor, coefficient) for coefficient in former]
            if 2 * errors <= count:
                errors, former, last, since = count + 1 - errors, locator, gap, 0
            locator = [a ^ b for a, b in zip_longest(locator, correction, fillvalue=0)]
        since += 1
    return locator[: errors + 1] + [0] * (errors + 1 - len(locator))


def _value(polynomial: Sequence[int], exponent: int) -> int:
    """Its value at α to the power of `exponent`."""
    return _sum(_times(each, _POWERS[i * exponent % LONGEST]) for i, each in enumerate(polynomial))


def _sum(values: Iterable[int]) -> int:
    return reduce(xor, values, 0)
