"""Link prediction: refusals, what a split hides, that negatives are no edges, that scores mean something."""

import numpy as np
import pytest

from weft.errors import WeftValueError
from weft.eval import evaluate_links, split_edges
from weft.eval._negatives import sample_negatives
from weft.graph import Graph, Ids
from weft.kernels.csr import reference


def _graph(src, dst, n, *, directed=False, duplicates="drop", weight=None):
    indptr, indices, weight = reference.edges_to_csr(
        np.asarray(src, np.int64),
        np.asarray(dst, np.int64),
        weight,
        n,
        directed=directed,
        duplicates=duplicates,
        self_loops="keep",
    )
    return Graph(indptr=indptr, indices=indices, weight=weight, directed=directed, ids=Ids.range(n))


def _random(n=200, edges=1500, seed=0, **kind):
    rng = np.random.default_rng(seed)
    return _graph(rng.integers(0, n, edges), rng.integers(0, n, edges), n, **kind)


def _arcs(graph):
    return list(
        zip(
            np.repeat(np.arange(graph.num_nodes), graph.degree()).tolist(),
            graph.indices.tolist(),
            strict=True,
        )
    )


GRAPH = _random()
VECTORS = np.random.default_rng(1).normal(size=(200, 16)).astype(np.float32)
HELD = np.array([[0, 1], [5, 9]])


@pytest.mark.parametrize("fraction", [0.0, 1.0, -1.0, 2.0, float("nan")])
def test_fraction_out_of_range(fraction):
    with pytest.raises(WeftValueError, match="fraction must lie between 0 and 1"):
        split_edges(GRAPH, fraction)


@pytest.mark.parametrize("edges", [[], [(0, 1)], [(0, 0), (1, 1)]])
def test_too_few_edges(edges):
    src, dst = np.array(edges, np.int64).reshape(-1, 2).T
    with pytest.raises(WeftValueError, match="cannot hide"):
        split_edges(_graph(src, dst, 3), 0.5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vectors_ND": VECTORS[1:]}, r"float \[200, D\]"),
        ({"vectors_ND": VECTORS.astype(int)}, r"float \[200, D\]"),
        ({"vectors_ND": np.full_like(VECTORS, np.nan)}, "NaN"),
        ({"held_out_H2": np.zeros((0, 2), int)}, "H at least 1"),
        ({"held_out_H2": np.zeros((3, 3), int)}, r"\[H, 2\]"),
        ({"held_out_H2": np.array([[0, 200]])}, r"0 \.\. 199"),
        ({"held_out_H2": np.array([[-1, 2]])}, r"0 \.\. 199"),
        ({"num_negatives": 0}, "num_negatives must be at least 1"),
        ({"score": "euclid"}, "'cosine', 'dot' or 'context'"),
        ({"score": "context"}, r"needs context vectors \[200, 16\] \(got None\)"),
        ({"score": "context", "context_ND": VECTORS[1:]}, r"got \[199, 16\]"),
    ],
)
def test_arguments_that_cannot_be_used(change, message):
    with pytest.raises(WeftValueError, match=message):
        evaluate_links(**{"vectors_ND": VECTORS, "graph": GRAPH, "held_out_H2": HELD, **change})


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("duplicates", ["drop", "keep"])
def test_a_split_hides_pairs_whole_and_keeps_the_rest(directed, duplicates):
    rng = np.random.default_rng(3)
    weight = rng.random(900).astype(np.float32) + 1
    graph = _random(60, 900, directed=directed, duplicates=duplicates, weight=weight)
    rest, held_out = split_edges(graph, 0.25, seed=7)
    hidden = set(map(tuple, held_out.tolist()))
    before, after = _arcs(graph), _arcs(rest)
    if not directed:
        assert all(u < v for u, v in hidden)
        hidden |= {(v, u) for u, v in hidden}
    assert all(u != v for u, v in hidden)
    assert hidden <= set(before)
    kept = [(arc, w) for arc, w in zip(before, graph.weight.tolist(), strict=True) if arc not in hidden]
    assert list(zip(after, rest.weight.tolist(), strict=True)) == kept
    distinct = {arc for arc in before if (arc[0] != arc[1] if directed else arc[0] < arc[1])}
    assert len(held_out) == round(0.25 * len(distinct))
    assert rest.directed == directed
    assert rest.num_nodes == 60


def test_a_split_is_fixed_by_its_seed():
    assert np.array_equal(split_edges(GRAPH, 0.1, 1)[1], split_edges(GRAPH, 0.1, 1)[1])
    assert not np.array_equal(split_edges(GRAPH, 0.1, 1)[1], split_edges(GRAPH, 0.1, 2)[1])


def test_negatives_are_never_forbidden_and_cover_the_rest():
    num_nodes = 20
    forbidden = np.array([0 * 20 + t for t in range(20) if t != 7] + [3 * 20 + 3, 3 * 20 + 4])
    drawn = sample_negatives(np.array([0, 3]), num_nodes, forbidden, 500, np.random.default_rng(0))
    assert set(drawn[0].tolist()) == {7}
    assert set(drawn[1].tolist()) == set(range(20)) - {3, 4}


def test_sources_linked_to_all_are_skipped_or_refused():
    star = _graph([0] * 9 + [1], [*range(1, 10), 2], 10)
    vectors = np.random.default_rng(0).normal(size=(10, 4)).astype(np.float32)
    report = evaluate_links(vectors, star, np.array([[0, 4], [1, 2]]), num_negatives=3)
    assert (report.edges, report.skipped) == (1, 1)
    with pytest.raises(WeftValueError, match="linked to all nodes"):
        evaluate_links(vectors, star, np.array([[0, 4]]))


@pytest.mark.parametrize("score", ["cosine", "dot"])
def test_random_vectors_score_a_half_and_true_ones_high(score):
    rng = np.random.default_rng(5)
    group = np.arange(400) % 8
    src, dst = rng.integers(0, 400, (2, 20000))
    same = group[src] == group[dst]
    graph = _graph(src[same], dst[same], 400)
    rest, held_out = split_edges(graph, 0.2)
    noise = rng.normal(size=(400, 16)).astype(np.float32)
    chance = evaluate_links(noise, rest, held_out, score=score)
    assert chance.auc == pytest.approx(0.5, abs=0.08)
    assert chance.mrr < 0.15
    good = evaluate_links(np.eye(8)[group] + 0.01 * noise[:, :8], graph, held_out, score=score)
    assert good.auc > 0.9
    assert good.hits[10] > chance.hits[10] + 0.3


def test_equal_vectors_gain_nothing():
    report = evaluate_links(np.ones((200, 4)), GRAPH, HELD, num_negatives=99)
    assert report.auc == 0.5
    assert report.mrr == pytest.approx(1 / 50.5)
    assert evaluate_links(np.zeros((200, 4)), GRAPH, HELD).auc == 0.5


def test_a_report_is_fixed_by_its_seed_and_plain():
    reports = [evaluate_links(VECTORS, GRAPH, HELD, seed=s).to_dict() for s in (1, 1, 2)]
    for report in reports:
        report.pop("seconds")
    assert reports[0] == reports[1] != reports[2]
    assert set(reports[0]["hits"]) == {"1", "10"}


@pytest.mark.parametrize("directed", [False, True])
def test_context_scores_are_the_models_own(directed):
    rng = np.random.default_rng(2)
    context = rng.normal(size=(200, 16))
    graph = _random(directed=directed)
    own = VECTORS.astype(float) @ context.T
    own = own if directed else (own + own.T) / 2
    report = evaluate_links(VECTORS, graph, HELD, score="context", context_ND=context, num_negatives=3000)
    linked = graph.has_edges(np.repeat(np.arange(200), 200), np.tile(np.arange(200), 200)).reshape(200, 200)
    linked |= np.eye(200, dtype=bool)
    linked[HELD[:, 0], HELD[:, 1]] = True
    rank = [(own[u][~linked[u]] > own[u, v]).mean() for u, v in HELD]
    # Drawn often enough, the share of negatives above an edge is the share among all of them.
    expected = np.mean(1 / (1 + 3000 * np.array(rank)))
    assert report.mrr == pytest.approx(expected, rel=0.2)
