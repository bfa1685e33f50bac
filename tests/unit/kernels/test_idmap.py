import numpy as np
import pytest

from weft.errors import WeftValueError
from weft.kernels.idmap import IdIndex, IdSet, narrow_ids, reference

LOW, HIGH = np.iinfo(np.int64).min, np.iinfo(np.int64).max


def ids(shape, size, rng):
    if shape == "range":
        return np.concatenate([np.arange(size), rng.integers(0, max(1, size), size)])
    if shape == "compact":
        return rng.integers(0, 20 * size + 1, size) + 3
    if shape == "negative":
        return rng.integers(-5 * size - 1, 5 * size + 1, size)
    if shape == "wide":
        return rng.integers(LOW, HIGH, size, endpoint=True)
    if shape == "clustered":
        return (rng.integers(0, 5, size) << 48) + rng.integers(0, size + 1, size)
    assert shape == "extreme"
    return rng.choice(np.array([LOW, LOW + 1, -1, 0, 1, HIGH - 1, HIGH]), size)


SHAPES = ["range", "compact", "negative", "wide", "clustered", "extreme"]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [0, 1, 63, 100, 1000, 200_000])
@pytest.mark.parametrize("bitmap", [0, 64, 1 << 20])
def test_equals_reference(shape, size, bitmap, threads):
    rng = np.random.default_rng(size)
    given = ids(shape, size, rng)
    chunks = np.split(given, [len(given) // 3, len(given) // 2])
    found = IdSet(bitmap)
    for chunk in chunks:
        found.add(chunk)
    distinct = found.finish()
    np.testing.assert_array_equal(distinct, reference.distinct(chunks))
    index = IdIndex(distinct)
    np.testing.assert_array_equal(index.map(given), reference.find(distinct, given))
    probe = np.concatenate([given, given + 1, given - 1, np.array([LOW, HIGH, 0, -1])])
    np.testing.assert_array_equal(index.find(probe), reference.find(distinct, probe))


def test_a_far_id_first_and_its_neighbours_later():
    # The first chunk puts 2,000,000 into the hash table, the second lets the bitmap grow over it.
    found = IdSet()
    found.add(np.array([2_000_000]))
    found.add(np.arange(100_000))
    found.add(np.array([2_000_000, 1_999_999]))
    np.testing.assert_array_equal(found.finish(), [*range(100_000), 1_999_999, 2_000_000])


def test_few_far_ids_take_little_memory():
    found = IdSet()
    found.add(np.arange(1000) << 30)
    assert found.nbytes < 1 << 20


def test_narrow_ids_and_range():
    found = IdSet()
    found.add(np.array([3, 0, 1, 2, 1], np.uint32))
    distinct = found.finish()
    index = IdIndex(distinct)
    assert index.is_range
    assert not IdIndex(np.array([1, 2])).is_range
    mapped = index.map(np.array([3, 0], np.uint32))
    assert mapped.dtype == np.uint32
    np.testing.assert_array_equal(mapped, [3, 0])


@pytest.mark.parametrize("known", [[0, 1, 2], [5, 7, 100], [-(1 << 60), 4, 1 << 60]])
def test_unknown_id_is_named(known, threads):
    with pytest.raises(WeftValueError, match="id 9 is not among"):
        IdIndex(np.array(known)).map(np.array([known[0], 9]))


@pytest.mark.parametrize("bad", [[1, 1], [2, 1]])
def test_ids_must_rise(bad):
    with pytest.raises(WeftValueError, match="rise"):
        IdIndex(np.array(bad))


def test_a_range_needs_no_array(threads):
    index = IdIndex(1000)
    given = np.arange(999, -1, -1)
    assert index.is_range
    np.testing.assert_array_equal(index.map(given), given)
    np.testing.assert_array_equal(index.find(np.array([-1, 0, 999, 1000])), [-1, 0, 999, -1])
    with pytest.raises(WeftValueError, match="id 1000 is not"):
        index.map(np.array([0, 1000]))


@pytest.mark.parametrize("odd", [-1, 1 << 32, -(1 << 63), 1 << 62])
def test_narrow(odd, threads):
    ids = np.array([0, 5, (1 << 32) - 1] * 40_000)
    narrow = narrow_ids(ids)
    assert narrow.dtype == np.uint32
    np.testing.assert_array_equal(narrow, ids)
    ids[77_777] = odd
    assert narrow_ids(ids) is ids
