from __future__ import annotations

import numpy as np
import pytest

from weft.errors import WeftValueError
from weft.kernels.intern import Interner, reference


def pack(strings):
    encoded = [s if isinstance(s, bytes) else s.encode() for s in strings]
    offsets = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum([len(s) for s in encoded], out=offsets[1:])
    return np.frombuffer(b"".join(encoded), np.uint8), offsets


@pytest.mark.parametrize(
    "offsets",
    [[0, 4], [1, 0], [-1, 2], [0, 2, 1], [0, 2**62], []],
    ids=str,
)
def test_damaged_offsets(offsets):
    interner = Interner()
    data = np.frombuffer(b"abc", np.uint8)
    with pytest.raises(WeftValueError, match="offsets"):
        interner.add(data, np.array(offsets, np.int64))
    with pytest.raises(WeftValueError, match="offsets"):
        interner.find(data, np.array(offsets, np.int64))
    assert len(interner) == 0


def test_wrong_arrays():
    with pytest.raises(WeftValueError, match="bytes must be"):
        Interner().add(np.zeros(3, np.int8), np.array([0, 1]))
    with pytest.raises(WeftValueError, match="offsets must be"):
        Interner().add(np.zeros(3, np.uint8), np.array([0, 1], np.int32))
    with pytest.raises(WeftValueError, match="no pairs"):
        Interner().add_pairs(pack("ab"), pack("abc"))


def test_order_of_first_appearance():
    interner = Interner()
    assert interner.add(*pack(["b", "", "a", "b", "ab"])).tolist() == [0, 1, 2, 0, 3]
    assert interner.find(*pack(["a", "x", "", "abc"])).tolist() == [2, -1, 1, -1]
    a, b = interner.add_pairs(pack(["x", "z"]), pack(["y", "x"]))
    assert (a.tolist(), b.tolist()) == ([4, 6], [5, 4])
    data, offsets = interner.names()
    assert data.tobytes() == b"baabxyz"
    assert offsets.tolist() == [0, 1, 1, 2, 4, 5, 6, 7]


@pytest.mark.parametrize("size", [0, 1, 63, 100, 1000, 50_000])
def test_equals_definition(size, threads):
    rng = np.random.default_rng(size)
    ours, theirs = Interner(), reference.Interner()
    for _ in range(3):
        # Lengths cross every branch of the hash; a skewed choice repeats some strings often.
        numbers = (rng.pareto(0.3, size) % 1e9).astype(np.int64)
        strings = [("x" * (n % 40) + str(n)).encode() for n in numbers.tolist()]
        half = len(strings) // 2
        a, b = pack(strings[:half]), pack(strings[half : 2 * half])
        for x, y in zip(ours.add_pairs(a, b), theirs.add_pairs(a, b), strict=True):
            np.testing.assert_array_equal(x, y)
        np.testing.assert_array_equal(ours.add(*pack(strings)), theirs.add(*pack(strings)))
        np.testing.assert_array_equal(ours.find(*pack(strings)), theirs.find(*pack(strings)))
    for x, y in zip(ours.names(), theirs.names(), strict=True):
        np.testing.assert_array_equal(x, y)
    assert len(ours) == len(theirs)


def test_strings_longer_than_a_block():
    interner = Interner()
    long = [b"a" * 9_000_000, b"b" * 5, b"a" * 9_000_000 + b"c", b"d" * 4_194_304]
    assert interner.add(*pack(long * 2)).tolist() == [0, 1, 2, 3, 0, 1, 2, 3]
    assert interner.names()[0].tobytes() == b"".join(long)
