"""Sparse times dense: errors, equality with the reference at any number of threads, and what it computes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import weft
from weft.errors import WeftValueError
from weft.kernels.spmm import SparseRows, cpu, reference


def matrix(rows, columns, kind="random", weighted=True, seed=0):
    rng = np.random.default_rng(seed)
    degree = rng.integers(0, 2 * columns // 3 + 2, rows)
    if kind == "empty":
        degree[:] = 0
    elif kind == "skewed":
        degree = np.where(np.arange(rows) == rows // 2, 1500, rng.integers(0, 3, rows))
    if columns == 0:
        degree[:] = 0
    indptr = np.concatenate([[0], np.cumsum(degree)]).astype(np.int64)
    indices = rng.integers(0, max(1, columns), indptr[-1]).astype(np.uint32)
    value = rng.standard_normal(len(indices)).astype(np.float32) if weighted else None
    return SparseRows(indptr, indices, value, columns)


def dense(rows, width, seed=1):
    return np.random.default_rng(seed).standard_normal((rows, width)).astype(np.float32)


def to_dense(a):
    out = np.zeros((a.rows, a.columns))
    row = np.repeat(np.arange(a.rows), np.diff(a.indptr))
    np.add.at(out, (row, a.indices), 1.0 if a.value is None else a.value)
    return out


@pytest.mark.parametrize(("rows", "columns"), [(0, 0), (1, 1), (63, 63), (100, 7), (9, 100)])
@pytest.mark.parametrize("width", [16, 64, 80, 144])
@pytest.mark.parametrize("weighted", [True, False])
def test_equals_the_reference(threads, rows, columns, width, weighted):
    a = matrix(rows, columns, weighted=weighted)
    x, y = dense(columns, width), dense(rows, width)
    np.testing.assert_array_equal(
        cpu.spmm(a, x, np.full((rows, width), np.nan, np.float32)), reference.spmm(a, x, np.zeros_like(y))
    )
    np.testing.assert_array_equal(
        cpu.spmm_transposed(a, y, np.full_like(x, np.nan)), reference.spmm_transposed(a, y, np.zeros_like(x))
    )


@pytest.mark.parametrize("kind", ["empty", "random", "skewed"])
def test_all_terms(threads, kind):
    a = matrix(50, 50, kind)
    x, before = dense(50, 80), dense(50, 80, seed=2)
    form = {"scale_R": dense(50, 1, 3)[:, 0].copy(), "alpha": 0.7, "loop": 1.5, "beta": -0.25, "gamma": 2.0}
    got, wanted = cpu.spmm(a, x, before.copy(), **form), reference.spmm(a, x, before.copy(), **form)
    np.testing.assert_array_equal(got, wanted)
    plain = to_dense(a) @ x
    exact = 0.7 * form["scale_R"][:, None] * (plain + 1.5 * x) - 0.25 * x + 2.0 * before
    # Sums of up to 1500 float32 products of size 1, in runs of 256: some 300 roundings of 6e-8 of 40.
    np.testing.assert_allclose(got, exact, atol=1e-3)


def test_a_tile_more_or_less_changes_nothing():
    a = matrix(200, 200, "skewed")
    x = dense(200, 208)
    whole = cpu.spmm(a, x, np.empty_like(x))
    turned = cpu.spmm_transposed(a, x, np.empty_like(x))
    for begin, end in ((0, 16), (16, 112), (112, 208)):
        part = np.ascontiguousarray(x[:, begin:end])
        np.testing.assert_array_equal(cpu.spmm(a, part, np.empty_like(part)), whole[:, begin:end])
        np.testing.assert_array_equal(cpu.spmm_transposed(a, part, np.empty_like(part)), turned[:, begin:end])


def test_unaligned_arrays():
    a, x = matrix(30, 30), dense(30, 16)
    shifted = np.empty(30 * 16 + 1, np.float32)[1:].reshape(30, 16)
    shifted[:] = x
    np.testing.assert_array_equal(
        cpu.spmm(a, shifted, np.empty_like(x)), cpu.spmm(a, x, np.empty_like(x)), strict=True
    )


@pytest.mark.parametrize(
    ("x", "out", "message"),
    [
        (np.zeros((3, 16)), np.zeros((3, 16), np.float32), "x must be contiguous float32"),
        (np.zeros((4, 16), np.float32), np.zeros((3, 16), np.float32), r"x must be .* \[3, "),
        (np.zeros((3, 8), np.float32), np.zeros((3, 8), np.float32), "a multiple of 16"),
        (np.zeros((3, 0), np.float32), np.zeros((3, 0), np.float32), "a multiple of 16"),
        (np.zeros((3, 16), np.float32), np.zeros((3, 32), np.float32), "x has 16 columns, out has 32"),
        (np.zeros((3, 32), np.float32)[:, ::2], np.zeros((3, 16), np.float32), "contiguous"),
    ],
)
def test_shapes_that_do_not_fit(x, out, message):
    a = SparseRows(np.array([0, 1, 2, 3]), np.array([0, 1, 2], np.uint32), None, 3)
    for product in (cpu.spmm, cpu.spmm_transposed):
        with pytest.raises(WeftValueError, match=message):
            product(a, x, out)


def test_x_and_out_must_differ():
    a, x = matrix(5, 5), dense(5, 16)
    with pytest.raises(WeftValueError, match="share memory"):
        cpu.spmm(a, x, x)


def test_scale_and_square():
    a, x = matrix(5, 6), dense(6, 16)
    out = np.zeros((5, 16), np.float32)
    with pytest.raises(WeftValueError, match="scale must be"):
        cpu.spmm(a, x, out, scale_R=np.ones(4, np.float32))
    for term in ("loop", "beta"):
        with pytest.raises(WeftValueError, match="square"):
            cpu.spmm(a, x, out, **{term: 1.0})


@pytest.mark.parametrize("product", [cpu.spmm, cpu.spmm_transposed])
def test_damage_is_an_error(threads, product):
    a, x = matrix(40, 40), dense(40, 16)
    for change, message in (
        ({"indices": np.where(np.arange(len(a.indices)) == 7, 40, a.indices).astype(np.uint32)}, "column 40"),
        ({"indptr": np.where(np.arange(41) == 3, 2**40, a.indptr)}, "does not lie within"),
        ({"indptr": np.where(np.arange(41) == 3, -1, a.indptr)}, "does not lie within"),
        ({"value": a.value[1:]}, "value must be"),
    ):
        with pytest.raises(WeftValueError, match=message):
            product(dataclasses.replace(a, **change), x, np.zeros_like(x))


def test_long_rows_lose_no_digits():
    # One after another, a million float32 sums of 1/3 are off by a percent; in runs of 256 they are not.
    n = 1 << 20
    a = SparseRows(np.array([0, n]), np.zeros(n, np.uint32), np.full(n, 1 / 3, np.float32), 1)
    weft.set_num_threads(1)
    got = cpu.spmm(a, np.ones((1, 16), np.float32), np.zeros((1, 16), np.float32))
    np.testing.assert_allclose(got, n / 3, rtol=2e-4)
