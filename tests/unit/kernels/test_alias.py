"""Alias tables: errors, equality with the reference, and what the tables hold."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from weft.errors import WeftValueError
from weft.kernels.alias import cpu, reference

LOW = np.uint64(2**32 - 1)


def shares(table):
    """The probability of each edge of a one-row table, exactly as the table holds it."""
    own = np.arange(len(table))
    other = (table >> np.uint64(32)).astype(np.int64)
    below = np.where(other == own, 2**32, (table & LOW).astype(np.int64))
    mass = np.bincount(own, below, len(table)) + np.bincount(other, 2**32 - below, len(table))
    return mass / 2**32 / len(table)


def row(weight):
    return np.array([0, len(weight)]), np.asarray(weight)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1, 2, -1], "node 1 has an edge of weight -1"),
        ([1, 2, np.nan], "node 1 has an edge of weight nan"),
        ([1, 2, np.inf], "node 1 has an edge of weight inf"),
        ([1, 0, 0], "node 1 has only edges of weight zero .2.;"),
        ([1, 0, -0.0], "node 1 has only edges of weight zero .2.;"),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bad_weights_name_the_node(weight, message, dtype):
    with pytest.raises(WeftValueError, match=message):
        cpu.alias_tables(np.array([0, 1, 3]), np.array(weight, dtype))


@pytest.mark.parametrize("indptr", [[0, 4], [-1, 3], [0, 2, 1], [2**62, 2**62 + 1], [0, -(2**63)]])
def test_damaged_indptr_raises(indptr):
    with pytest.raises(WeftValueError, match="does not lie within the 3 edges"):
        cpu.alias_tables(np.array(indptr), np.ones(3, np.float32))


@pytest.mark.parametrize(
    ("indptr", "weight"),
    [
        (np.array([0, 1], np.int32), np.ones(1, np.float32)),
        (np.array([], np.int64), np.ones(0, np.float32)),
        (np.array([0, 1]), np.ones(1, np.int64)),
        (np.array([0, 1]), np.ones((1, 1), np.float32)),
    ],
)
def test_wrong_arrays_raise(indptr, weight):
    with pytest.raises(WeftValueError, match="alias: "):
        cpu.alias_tables(indptr, weight)


def test_sum_that_overflows_is_refused():
    with pytest.raises(WeftValueError, match="sum is not finite"):
        cpu.alias_tables(*row(np.full(2, 1.7e308)))


@pytest.mark.parametrize("size", [0, 1, 2, 63, 100, 1000])
@pytest.mark.parametrize("kind", ["uniform", "equal", "skewed", "zeros", "tiny", "one"])
def test_equals_reference(size, kind, threads):
    rng = np.random.default_rng(size)
    weight = {
        "uniform": lambda: rng.random(size),
        "equal": lambda: np.full(size, 0.1),
        "skewed": lambda: rng.pareto(0.5, size),
        "zeros": lambda: rng.random(size) * (rng.random(size) < 0.3),
        "tiny": lambda: 10.0 ** rng.uniform(-44, 38, size),
        "one": lambda: np.zeros(size),
    }[kind]().astype(np.float32)
    cuts = np.unique(rng.integers(0, size + 1, size // 4))
    indptr = np.concatenate([[0], np.repeat(cuts, 2), [size]])  # every second row is empty
    for begin, end in pairwise(indptr):
        if end > begin and not weight[begin:end].any():
            weight[end - 1] = 1
    np.testing.assert_array_equal(cpu.alias_tables(indptr, weight), reference.alias_tables(indptr, weight))


@pytest.mark.parametrize("seed", range(20))
def test_tables_hold_the_weights(seed):
    rng = np.random.default_rng(seed)
    weight = rng.pareto(0.7, rng.integers(1, 2000)) * (rng.random() < rng.random())
    weight[rng.integers(len(weight))] = 1.0
    table = cpu.alias_tables(*row(weight))
    # One part in 2**32 of a slot for rounding down, as README.md argues.
    np.testing.assert_allclose(
        shares(table), weight / weight.sum(), atol=1.01 / 2**32 / len(weight), rtol=1e-12
    )


def test_weight_zero_is_never_chosen():
    # 0.1 is not a binary fraction: a construction in floating point leaves slots over here.
    weight = np.full(100_000, 0.1, np.float32)
    weight[::7] = 0
    assert not shares(cpu.alias_tables(*row(weight)))[::7].any()


def test_whole_masses_sum_to_the_row():
    rng = np.random.default_rng(5)
    for size in (1, 3, 1000, 100_003):
        mass = reference.masses(rng.pareto(0.5, size))
        assert sum(mass.tolist()) == size * 2**32


def test_draws_follow_the_weights():
    weight = np.array([1, 0, 3, 2, 0.5, 3.5])
    table = cpu.alias_tables(*row(weight))
    words = np.random.default_rng(1).integers(0, 2**32, 600_000, np.uint32)
    zero, six = np.zeros(len(words), np.int64), np.full(len(words), 6)
    counts = np.bincount(reference.choose(table, zero, six, words), minlength=6)
    expected = weight / weight.sum() * len(words)
    assert counts[1] == 0
    chosen = weight > 0
    # The 0.999 quantile of chi-square with 4 degrees of freedom.
    assert np.sum((counts - expected)[chosen] ** 2 / expected[chosen]) < 18.47
