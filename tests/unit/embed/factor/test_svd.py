"""The truncated SVD: against NumPy's, of symmetric and other matrices, of little rank; threads."""

from __future__ import annotations

import numpy as np
import pytest

import weft
from weft.embed.factor.svd import Plain, Symmetric, left_factor, products
from weft.kernels.spmm import SparseRows


def sparse(nodes, degree, seed=0):
    rng = np.random.default_rng(seed)
    indptr = np.arange(nodes + 1, dtype=np.int64) * degree
    columns = np.sort(rng.integers(0, nodes, (nodes, degree)), axis=1).astype(np.uint32).reshape(-1)
    return SparseRows(indptr, columns, rng.exponential(size=len(columns)).astype(np.float32), nodes)


def to_dense(a):
    out = np.zeros((a.rows, a.columns))
    np.add.at(out, (np.repeat(np.arange(a.rows), np.diff(a.indptr)), a.indices), a.value)
    return out


@pytest.mark.parametrize("kind", [Plain, Symmetric])
def test_close_to_the_best(kind):
    a = sparse(300, 8)
    exact = to_dense(a) if kind is Plain else (to_dense(a) + to_dense(a).T) / 2
    calls = []
    got = left_factor(kind(a), 32, 96, 8, 1, lambda: calls.append(1))
    assert len(calls) == products(8)
    left, value, _ = np.linalg.svd(exact)
    found = np.linalg.norm(got, axis=0) ** 2
    # A spectrum without gaps: eight steps leave the 32nd value within a few percent, the first ones exact.
    np.testing.assert_allclose(found[:8], value[:8], rtol=1e-3)
    np.testing.assert_allclose(found, value[:32], rtol=0.05)
    first = abs(got[:, 0] @ left[:, 0]) / np.sqrt(found[0])
    assert first > 0.999


@pytest.mark.parametrize("kind", [Plain, Symmetric])
def test_little_rank_gives_zero_columns(kind):
    # Two complete bipartite blocks: rank 4 when symmetric, 2 otherwise.
    src = np.repeat(np.arange(20), 20)
    dst = np.tile(np.arange(20), 20) + 20
    order = np.lexsort((dst, src))
    indptr = np.r_[np.arange(21) * 20, np.full(20, 400)].astype(np.int64)
    value = np.where((src[order] < 10) == (dst[order] < 30), 1.0, 0.0).astype(np.float32)
    a = SparseRows(indptr, dst[order].astype(np.uint32), value, 40)
    got = left_factor(kind(a), 16, 48, 3, 1, lambda: None)
    rank = 2 if kind is Plain else 4
    assert (np.linalg.norm(got, axis=0)[:rank] > 0.1).all()
    assert not got[:, rank:].any()


def test_an_empty_matrix():
    nothing = SparseRows(np.zeros(6, np.int64), np.zeros(0, np.uint32), np.zeros(0, np.float32), 5)
    assert not left_factor(Plain(nothing), 16, 16, 2, 1, lambda: None).any()


@pytest.mark.parametrize("kind", [Plain, Symmetric])
def test_threads_do_not_matter(kind):
    a, found = sparse(9000, 5), []
    for threads in (1, 2, 4):
        weft.set_num_threads(threads)
        found.append(left_factor(kind(a), 16, 32, 2, 1, lambda: None))
    np.testing.assert_array_equal(found[1], found[0])
    np.testing.assert_array_equal(found[2], found[0])
