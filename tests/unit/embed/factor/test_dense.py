"""Tall dense matrices: against NumPy, at any number of threads, where columns are missing or tiny."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_info

import weft
from weft.embed.factor import blas, dense


def tall(rows, columns, seed=0):
    return np.random.default_rng(seed).standard_normal((rows, columns)).astype(np.float32)


@pytest.mark.parametrize(("rows", "columns"), [(1, 16), (63, 16), (4096, 32), (10_000, 48)])
@pytest.mark.parametrize("block", [64, 4096])
def test_gram_and_turn(rows, columns, block, monkeypatch):
    monkeypatch.setattr(dense, "_ROWS", block)
    x, by = tall(rows, columns), np.random.default_rng(1).standard_normal((columns, 16))
    # float64 sums of products of float32: exact to about rows * 1e-16.
    np.testing.assert_allclose(dense.gram(x), x.T.astype(float) @ x, rtol=1e-9, atol=1e-9)
    got = dense.turn(x, by, np.empty((rows, 16), np.float32))
    np.testing.assert_allclose(got, x @ by, atol=1e-4)


def test_threads_do_not_matter():
    found = []
    for threads in (1, 2, 4):
        weft.set_num_threads(threads)
        x = tall(30_000, 32)
        dense.orthonormalise(x)
        found.append(x)
    np.testing.assert_array_equal(found[1], found[0])
    np.testing.assert_array_equal(found[2], found[0])


def test_orthonormal_basis():
    x = tall(5000, 48) * np.logspace(0, -3, 48, dtype=np.float32)
    before = x.copy()
    dense.orthonormalise(x)
    dense.orthonormalise(x)
    # float32 rows of a product of 48 terms, summed over 5000 rows.
    np.testing.assert_allclose(dense.gram(x), np.eye(48), atol=1e-5)
    # It spans the same columns: projecting changes nothing.
    np.testing.assert_allclose(x @ (x.T @ before), before, atol=1e-4)


def test_what_is_missing_becomes_zero():
    x = tall(1000, 32)
    x[:, 20:] = x[:, :12]
    dense.orthonormalise(x)
    lengths = np.sort(np.linalg.norm(x, axis=0))
    # A duplicate column leaves the rounding of float32 behind, 1e-7 of the others, or nothing at all.
    assert np.isfinite(x).all()
    assert (lengths[12:] > 0.9).all()
    for empty in (np.zeros((100, 16), np.float32), np.zeros((0, 16), np.float32)):
        dense.orthonormalise(empty)
        assert not empty.any()


def test_singular_values():
    x = tall(2000, 32) @ np.diag(np.r_[np.full(20, 2.0), np.zeros(12)]).astype(np.float32)
    basis, value = dense.eigen_turn(dense.gram(x), 24)
    wanted = np.linalg.svd(x.astype(float), compute_uv=False)
    np.testing.assert_allclose(value[:20], wanted[:20], rtol=1e-6)
    assert not value[20:].any()
    assert not basis[:, 20:].any()
    assert (np.diff(value) <= 0).all()


def test_unit_rows():
    x = np.array([[3, 4], [0, 0], [1e-30, 0], [1e30, 1e30], [1e-45, 0]], np.float32)
    dense.unit_rows(x)
    root = np.sqrt(0.5)
    np.testing.assert_allclose(x[:4], [[0.6, 0.8], [0, 0], [1, 0], [root, root]], rtol=1e-6)
    assert np.isfinite(x).all()


def test_blas_gets_its_threads_back():
    def threads():
        return [info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas"]

    before = threads()
    with blas.one_blas_thread(), blas.one_blas_thread():
        assert set(threads()) == {1}
    assert threads() == before
    with pytest.raises(ZeroDivisionError):
        list(blas.each(lambda i: 1 // i, range(3)))
    assert threads() == before
