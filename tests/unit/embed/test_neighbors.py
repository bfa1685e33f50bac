"""Nearest neighbours: refusals, brute force, ties, both engines alike."""

import sys

import numpy as np
import pytest

from weft.embed import neighbors
from weft.embed.neighbors import nearest
from weft.errors import MissingExtraError, WeftValueError


def _brute(vectors, queries, k, exclude=None):
    unit = [v.astype(np.float64) / (np.linalg.norm(v.astype(np.float64)) or 1) for v in vectors]
    answer = []
    for row, query in enumerate(queries.astype(np.float64)):
        query = query / (np.linalg.norm(query) or 1)
        scored = [(-round(float(u @ query), 12), i) for i, u in enumerate(unit)]
        answer.append(
            [i for _, i in sorted(scored) if exclude is None or i != exclude[row]][:k],
        )
    return np.array(answer, np.int64).reshape(len(queries), -1)


VECTORS = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"query_QD": VECTORS[0]}, "must agree in D"),
        ({"query_QD": VECTORS[:, :5]}, "must agree in D"),
        ({"k": 0}, "k must be at least 1"),
        ({"exclude_Q": np.zeros(3, np.int64)}, r"shape \[50\]"),
        ({"engine": "annoy"}, "'auto', 'numpy' or 'faiss'"),
        ({"vectors_ND": np.full_like(VECTORS, np.inf)}, "vectors hold NaN"),
        ({"query_QD": np.full_like(VECTORS, np.nan)}, "queries hold NaN"),
    ],
)
def test_arguments_that_cannot_be_used(change, message):
    with pytest.raises(WeftValueError, match=message):
        nearest(**{"vectors_ND": VECTORS, "query_QD": VECTORS, "k": 3, **change})


def test_faiss_that_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(MissingExtraError, match=r"weft\[ann\]"):
        nearest(VECTORS, VECTORS, 3, engine="faiss")
    monkeypatch.setattr(neighbors, "_FAISS_FROM", 1)
    assert nearest(VECTORS, VECTORS, 3)[0].shape == (50, 3)


def test_faiss_where_many_ask(monkeypatch):
    pytest.importorskip("faiss")
    expected = nearest(VECTORS, VECTORS, 3)[0]
    monkeypatch.setattr(neighbors, "_FAISS_FROM", 1)
    monkeypatch.setattr(neighbors, "_scan", None)
    np.testing.assert_array_equal(nearest(VECTORS, VECTORS, 3)[0], expected)


@pytest.fixture(params=["numpy", "faiss"])
def engine(request):
    if request.param == "faiss":
        pytest.importorskip("faiss")
    return request.param


@pytest.mark.parametrize(("nodes", "block"), [(1, 1), (63, 1), (63, 7), (200, 64), (200, 1 << 16)])
def test_equals_brute_force(engine, nodes, block, monkeypatch):
    monkeypatch.setattr(neighbors, "_BLOCK_ROWS", block)
    monkeypatch.setattr(neighbors, "_QUERIES", 16)
    rng = np.random.default_rng(nodes)
    vectors = rng.normal(size=(nodes, 5)).astype(np.float32)
    vectors[::7] = vectors[0]  # ties
    vectors[::11] = 0
    for k in (1, 10, 1000):
        found, cosine = nearest(vectors, vectors, k, engine=engine)
        np.testing.assert_array_equal(found, _brute(vectors, vectors, k))
        assert (np.diff(cosine, axis=1) <= 0).all()
        own = np.arange(nodes)
        found, _ = nearest(vectors, vectors, k, exclude_Q=own, engine=engine)
        np.testing.assert_array_equal(found, _brute(vectors, vectors, k, own))


def test_more_ties_than_are_asked_for(engine):
    vectors = np.tile(np.array([[1.0, 2.0, 2.0]], np.float32), (500, 1)) * np.arange(1, 501)[:, None]
    found, cosine = nearest(vectors, vectors[:2], 5, exclude_Q=np.array([0, 1]), engine=engine)
    np.testing.assert_allclose(cosine, 1.0, rtol=1e-15)
    scale = np.ones((500, 3), np.float32)
    found, _ = nearest(scale, scale[:2], 5, exclude_Q=np.array([0, 1]), engine=engine)
    np.testing.assert_array_equal(found, [[1, 2, 3, 4, 5], [0, 2, 3, 4, 5]])


def test_nothing_to_find(engine):
    assert nearest(VECTORS[:1], VECTORS[:1], 3, exclude_Q=np.zeros(1, np.int64), engine=engine)[0].size == 0
    assert nearest(VECTORS, VECTORS[:0], 3, engine=engine)[0].shape == (0, 3)
