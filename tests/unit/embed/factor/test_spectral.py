"""Propagation against functions of dense matrices."""

from __future__ import annotations

import dataclasses
import math
import unittest.mock

import numpy as np
import pytest

import weft
from weft.embed.factor import spectral
from weft.embed.factor.edges import out_degrees
from weft.graph import Graph


def random_graph(nodes=80, edges=300, *, directed=False, weighted=False, seed=0):
    rng = np.random.default_rng(seed)
    src, dst = rng.integers(0, nodes - 2, (2, edges))  # the last two are isolated
    weight = rng.exponential(size=edges) + 0.01 if weighted else None
    return Graph.from_edges(src, dst, weight, num_nodes=nodes, directed=directed)


def adjacency(graph):
    out = np.zeros((graph.num_nodes, graph.num_nodes))
    weight = 1.0 if graph.weight is None else graph.weight
    np.add.at(out, (np.repeat(np.arange(graph.num_nodes), graph.degree()), graph.indices), weight)
    return out


def start(nodes, columns=32, seed=1):
    x = np.random.default_rng(seed).standard_normal((nodes, columns)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def by_eigenvalues(graph, x):
    """The filter by the eigenvalues of the Laplacian, the gathering and the SVD, all dense."""
    a = adjacency(graph)
    mean = a.sum() / graph.num_edges
    looped = a + mean * np.eye(len(a))
    laplacian = np.eye(len(a)) - looped / looped.sum(axis=1, keepdims=True)
    value, vector = np.linalg.eig(laplacian)
    kept = np.exp(-spectral.THETA * ((value - spectral.MU) ** 2 / 2 - 1))
    filtered = x - (vector @ np.diag(kept) @ np.linalg.inv(vector)).real @ x
    return svd_rows(looped / mean @ filtered)


def svd_rows(x):
    left, value, _ = np.linalg.svd(x, full_matrices=False)
    out = left * value**spectral.AXES
    return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-30)


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_equals_the_function_of_the_matrix(directed, weighted):
    graph = random_graph(directed=directed, weighted=weighted)
    x = start(graph.num_nodes)
    got = spectral.propagate(graph, out_degrees(graph), x.copy(), 32, lambda: None)
    wanted = by_eigenvalues(graph, x.astype(float))
    # Singular vectors have no sign; products of rows do not know it. Some 40 float32 operations deep.
    np.testing.assert_allclose(got @ got.T, wanted @ wanted.T, atol=2e-3)
    np.testing.assert_allclose(abs(got[:, :4]), abs(wanted[:, :4]), atol=5e-3)


def test_weights_of_another_scale_change_nothing():
    graph = random_graph(weighted=True)
    heavier = dataclasses.replace(graph, weight=graph.weight * np.float32(2.0**40))
    one, other = (
        spectral.propagate(g, out_degrees(g), start(g.num_nodes), 32, lambda: None) for g in (graph, heavier)
    )
    # A power of two: every float32 along the way has the same digits.
    np.testing.assert_array_equal(one, other)


def test_strips_and_threads_change_no_bit():
    graph = random_graph(3000, 9000)
    found = []
    for columns, threads in ((48, 1), (16, 2), (32, 4)):
        weft.set_num_threads(threads)
        step = unittest.mock.Mock()
        found.append(spectral.propagate(graph, out_degrees(graph), start(3000, 48), columns, step))
        assert step.call_count == -(-48 // columns) * spectral.propagation_products(False)
    np.testing.assert_array_equal(found[1], found[0])
    np.testing.assert_array_equal(found[2], found[0])


def test_the_series_is_the_exponential():
    x = np.linspace(-1, 1, 201)
    for directed, terms, error in ((True, 10, 1e-9), (False, 7, 1e-7)):
        series = spectral.coefficients(directed)
        assert len(series) == terms
        np.testing.assert_allclose(
            np.polynomial.chebyshev.chebval(x, series), np.exp(-spectral.THETA * x), atol=error
        )
    assert math.isclose(spectral.coefficients(True)[0], 1.0634833707413236)  # I_0(1/2)


def test_zero_vectors_stay_zero():
    graph = random_graph()
    x = start(graph.num_nodes)
    x[-2:] = 0
    got = spectral.propagate(graph, out_degrees(graph), x, 32, lambda: None)
    assert not got[-2:].any()
    assert np.isfinite(got).all()
    nothing = spectral.propagate(graph, out_degrees(graph), np.zeros_like(x), 32, lambda: None)
    assert not nothing.any()
