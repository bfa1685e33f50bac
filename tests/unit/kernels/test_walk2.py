"""Second-order walks: errors, equality with the reference, damage, and how edges are drawn."""

from __future__ import annotations

import numpy as np
import pytest

import weft
from weft.errors import WeftValueError
from weft.kernels.alias import alias_tables
from weft.kernels.csr import edges_to_csr
from weft.kernels.walk2 import EdgeFilter, edge_filter, reference, row_peaks, walk2

BIASES = [(0.25, 4.0), (4.0, 0.25), (1.0, 1.0), (0.5, 0.5), (2.0, 2.0), (1e-3, 1e3), (1e3, 1e-3), (1e3, 1e3)]


class Toy:
    """A graph with what a walk takes of it."""

    def __init__(self, src, dst, nodes, *, directed, weight=None, duplicates="drop", dtype=np.uint32):
        weight = None if weight is None else np.asarray(weight, np.float32)
        src, dst = np.asarray(src, np.int64), np.asarray(dst, np.int64)
        self.indptr, indices, self.weight = edges_to_csr(
            src, dst, weight, nodes, directed=directed, duplicates=duplicates
        )
        self.indices, self.directed = indices.astype(dtype), directed
        self.nodes = nodes
        source = np.repeat(np.arange(nodes), np.diff(self.indptr))
        self.alias = self.total = self.peak = None
        if self.weight is not None:
            self.alias = alias_tables(self.indptr, self.weight)
            self.total = np.bincount(source, self.weight.astype(np.float64), nodes)
            self.peak = row_peaks(self.indptr, self.indices, self.weight)
        each = np.ones(len(indices)) if self.weight is None else self.weight
        self.weight_NN = np.zeros((nodes, nodes))
        np.add.at(self.weight_NN, (source, indices), each)
        self.linked_NN = np.zeros((nodes, nodes), bool)
        self.linked_NN[source, indices] = True

    @property
    def parts(self):
        return {"weight": self.weight, "alias": self.alias, "total": self.total, "peak": self.peak}

    def filter(self, words=None):
        return edge_filter(self.indptr, self.indices, directed=self.directed, words=words)

    def walk(self, starts, length, seed, *, p=0.25, q=4.0, edges=None, **more):
        edges = self.filter() if edges is None else edges
        return walk2(
            self.indptr, self.indices, starts, length, seed, p=p, q=q, edges=edges, **self.parts, **more
        )

    def defined(self, starts, length, seed, *, p=0.25, q=4.0, first=0):
        return reference.walk2(
            self.indptr,
            self.indices,
            starts,
            length,
            seed,
            p=p,
            q=q,
            directed=self.directed,
            first=first,
            **self.parts,
        )


def toy(kind, nodes=30, *, directed=False, weighted=False, duplicates="drop", dtype=np.uint32):
    rng = np.random.default_rng(nodes + len(kind))
    edges = {"empty": 0, "isolated": nodes // 3}.get(kind, nodes * 4)
    src, dst = rng.integers(0, nodes, (2, edges))
    if kind == "loops":
        dst = np.where(rng.random(edges) < 0.3, src, dst)
    elif kind == "skewed":
        src = np.where(rng.random(edges) < 0.6, src % 3, src)
    weight = rng.pareto(1.0, edges) + 0.1 if weighted else None
    return Toy(src, dst, nodes, directed=directed, weight=weight, duplicates=duplicates, dtype=dtype)


FORMS = [
    {},
    {"directed": True},
    {"weighted": True},
    {"weighted": True, "directed": True},
    {"duplicates": "keep"},
    {"duplicates": "keep", "weighted": True, "directed": True},
    {"dtype": np.int64},
]
SHAPES = pytest.mark.parametrize(
    "shape", FORMS, ids=lambda shape: "-".join(map(str, shape.values())) or "plain"
)


def every_pair(kinds):
    """Each shape with each bias, each kind of graph with each bias, but not all three with one another."""
    count = len(kinds)
    triples = [
        (kind, shape, p, q)
        for k, kind in enumerate(kinds)
        for s, shape in enumerate(FORMS)
        for b, (p, q) in enumerate(BIASES)
        if (k + s + b) % count == 0
    ]
    ids = ["-".join(map(str, [kind, *shape.values(), p, q])) for kind, shape, p, q in triples]
    return pytest.mark.parametrize(("kind", "shape", "p", "q"), triples, ids=ids)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"p": 0.0}, "p must be 1e-06 to 1e\\+06"),
        ({"p": np.inf}, "p must be"),
        ({"q": -1.0}, "q must be"),
        ({"q": np.nan}, "q must be"),
        ({"q": 1e7}, "q must be"),
        ({"length": -1}, "length must be 0 or more"),
        ({"first": -1}, "first must be"),
        ({"starts": np.array([30])}, "start 0 is node 30, the graph has 30 nodes"),
        ({"out": np.zeros((1, 5), np.uint32)}, "out must be"),
        ({"weight": np.ones(3, np.float32)}, "weight, alias, total and peak go together"),
        ({"edges": EdgeFilter(np.zeros(0, np.uint64), False, 1)}, "at least one word"),
        ({"edges": EdgeFilter(np.zeros(4, np.int64), False, 1)}, "words of the filter must be"),
    ],
)
def test_bad_arguments(change, message):
    graph = toy("random")
    given = {"starts": np.zeros(1, np.int64), "length": 5, "seed": 0, "p": 0.5, "q": 2.0}
    given |= {"indptr": graph.indptr, "indices": graph.indices, "edges": graph.filter()}
    with pytest.raises(WeftValueError, match=message):
        walk2(**given | change)


def test_weights_that_do_not_fit():
    graph = toy("random", weighted=True)
    graph.total = graph.total[:-1]
    with pytest.raises(WeftValueError, match="weight, total and peak have"):
        graph.walk(np.arange(3), 3, 0)


@pytest.mark.parametrize("words", [0, 2**32 + 1])
def test_filter_of_a_wrong_size(words):
    with pytest.raises(WeftValueError, match=r"words must be 1 to 2\*\*32"):
        toy("random").filter(words)


@SHAPES
@pytest.mark.parametrize("wrong", [-1, -(2**63), 200_000, 2**62, 2**63 - 1])
def test_damaged_indptr_raises(shape, wrong):
    graph = toy("random", **shape)
    edges = graph.filter()
    for at in (0, 7, 30):
        sound = graph.indptr
        graph.indptr = sound.copy()
        graph.indptr[at] = wrong
        with pytest.raises(WeftValueError, match="the graph is damaged: the row of node"):
            graph.walk(np.arange(30), 40, 0, edges=edges)
        with pytest.raises(WeftValueError, match="the graph is damaged: the row of node"):
            graph.filter()
        graph.indptr = sound


@SHAPES
def test_damaged_indices_raise(shape):
    graph = toy("random", **shape)
    edges = graph.filter()
    for wrong in (30, -1 if shape.get("dtype") is np.int64 else 2**32 - 1):
        graph.indices[graph.indptr[5] : graph.indptr[6]] = wrong
        with pytest.raises(WeftValueError, match="the graph is damaged: indices hold node"):
            graph.walk(np.arange(30), 40, 0, edges=edges)
        with pytest.raises(WeftValueError, match="the row of node 5 holds node"):
            graph.filter()


def test_rows_that_do_not_rise():
    graph = toy("random")
    graph.indices[:] = graph.indices[::-1].copy()
    with pytest.raises(WeftValueError, match="does not rise"):
        graph.filter()
    # A filter that saw another graph: walks may be wrong, but go on.
    assert graph.walk(np.arange(30), 40, 0, edges=toy("random").filter()).max() < 30


def test_peaks_are_of_all_edges_to_one_node():
    indptr, indices = np.array([0, 3, 3, 5]), np.array([1, 1, 2, 0, 1], np.uint32)
    weight = np.array([1, 2**-24, 0.5, 3, 4], np.float32)
    # 1 + 2**-24 is no float32: rounded up.
    assert row_peaks(indptr, indices, weight).tolist() == [1 + 2**-23, 0, 4]


@pytest.mark.parametrize("wrong", [-1, 200_000, 2**62, -(2**63)])
def test_peaks_of_a_damaged_graph_raise(wrong):
    graph = toy("random", weighted=True)
    graph.indptr[7] = wrong
    with pytest.raises(WeftValueError, match="the graph is damaged: the row of node"):
        row_peaks(graph.indptr, graph.indices, graph.weight)
    with pytest.raises(WeftValueError, match="weights and peaks must fit the graph"):
        row_peaks(toy("random").indptr, graph.indices, graph.weight[1:])


def test_foreign_alias_table_raises():
    graph = toy("random", weighted=True)
    graph.alias = np.full(len(graph.indices), 2**31 << 32, np.uint64)
    with pytest.raises(WeftValueError, match="the alias table does not belong to the graph"):
        graph.walk(np.arange(30), 20, 0)


@pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan, np.inf, 3e38])
def test_wrong_sums_do_not_crash(wrong):
    for directed in (False, True):
        for part in ("total", "peak"):
            graph = toy("random", weighted=True, directed=directed)
            getattr(graph, part)[:] = wrong
            try:
                assert graph.walk(np.arange(30), 20, 0).max() < 30
            except WeftValueError as error:
                assert "damaged" in str(error)  # noqa: PT017


@every_pair(["random", "isolated", "loops", "skewed"])
def test_equals_reference(kind, shape, p, q):
    graph = toy(kind, **shape)
    starts = np.arange(70) % 30
    ours = graph.walk(starts, 9, 5, p=p, q=q, first=2**32 - 7)
    assert ours.dtype == graph.indices.dtype
    np.testing.assert_array_equal(ours, graph.defined(starts, 9, 5, p=p, q=q, first=2**32 - 7))


@pytest.mark.parametrize("walks", [0, 1, 63, 64, 65, 200])
@pytest.mark.parametrize("length", [0, 1, 3, 17])
def test_odd_sizes_equal_reference(walks, length):
    graph = toy("random")
    starts = np.arange(walks) % 30
    ours = graph.walk(starts, length, 5)
    assert ours.shape == (walks, length + 1)
    np.testing.assert_array_equal(ours, graph.defined(starts, length, 5))


@SHAPES
def test_long_rows_equal_reference(shape):
    # Rows longer than the window of the search, nodes unevenly spread.
    rng = np.random.default_rng(8)
    src = np.where(rng.random(6000) < 0.5, rng.integers(0, 4, 6000), rng.integers(0, 900, 6000))
    dst = np.minimum(899, rng.pareto(0.7, 6000) * 20).astype(np.int64)
    weight = rng.random(6000) + 0.1 if shape.get("weighted") else None
    shape = {"directed": False} | {name: value for name, value in shape.items() if name != "weighted"}
    graph = Toy(src, dst, 900, weight=weight, **shape)
    starts = rng.integers(0, 900, 70)
    np.testing.assert_array_equal(graph.walk(starts, 12, 1), graph.defined(starts, 12, 1))


def test_tries_that_all_fail():
    # A star's leaves are never linked: with q = 1e6 nearly every try from the hub fails, and so does every
    # one from a node of a clique with q = 1e-6.
    star = Toy(np.zeros(40), np.arange(1, 41), 41, directed=True)
    back = Toy([*np.zeros(40), *range(1, 41)], [*range(1, 41), *range(2, 41), 1], 41, directed=True)
    clique = Toy(*np.triu_indices(20, 1), 20, directed=False)
    wheel = Toy([*np.zeros(300), *range(1, 300)], [*range(1, 301), *range(2, 301)], 301, directed=False)
    cases = [(star, 1e6, 1e6), (back, 1e-6, 1e6), (clique, 1e6, 1e-6), (wheel, 1e6, 1e6)]
    for graph, p, q in cases:
        starts = np.arange(45) % graph.nodes
        np.testing.assert_array_equal(
            graph.walk(starts, 8, 3, p=p, q=q), graph.defined(starts, 8, 3, p=p, q=q)
        )


@pytest.mark.parametrize("words", [1, 2, 1000])
@SHAPES
def test_the_filter_changes_nothing(words, shape):
    graph = toy("skewed", nodes=100, **shape)
    starts = np.arange(500) % 100
    expected = graph.walk(starts, 20, 2)
    np.testing.assert_array_equal(graph.walk(starts, 20, 2, edges=graph.filter(words)), expected)
    full = EdgeFilter(np.full(3, 2**64 - 1, np.uint64), graph.directed, graph.filter().parallel)
    np.testing.assert_array_equal(graph.walk(starts, 20, 2, edges=full), expected)


def test_filter_spares_most_look_ups():
    rng = np.random.default_rng(0)
    graph = Toy(*rng.integers(0, 2000, (2, 40_000)), 2000, directed=False)
    edges = graph.filter()
    assert edges.parallel == 1
    assert edges.words.nbytes <= (graph.indptr.nbytes + graph.indices.nbytes) / 10
    # Two bits an edge, and 6 to 7 bits of room: at most half of all bits are set.
    assert np.unpackbits(edges.words.view(np.uint8)).mean() < 0.5


def test_filter_does_not_depend_on_threads():
    graph = toy("random", nodes=5000)
    words = []
    for count in (1, 4):
        weft.set_num_threads(count)
        words.append(graph.filter().words)
    np.testing.assert_array_equal(*words)


@SHAPES
@pytest.mark.parametrize("cut", [1, 64, 2999])
def test_cut_batch_gives_the_same_walks(shape, cut):
    graph = toy("skewed", nodes=300, **shape)
    starts = np.arange(5000) % 300
    whole = graph.walk(starts, 9, 8, first=11)
    head, tail = graph.walk(starts[:cut], 9, 8, first=11), graph.walk(starts[cut:], 9, 8, first=11 + cut)
    np.testing.assert_array_equal(np.concatenate([head, tail]), whole)


@SHAPES
def test_threads_do_not_matter(shape):
    graph = toy("skewed", nodes=300, **shape)
    results = []
    for count in (1, 2, 4):
        weft.set_num_threads(count)
        results.append(graph.walk(np.arange(20_000) % 300, 10, 4))
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


def test_longer_walks_begin_like_shorter_ones():
    graph = toy("random")
    starts = np.arange(100) % 30
    np.testing.assert_array_equal(graph.walk(starts, 21, 9)[:, :8], graph.walk(starts, 7, 9))


def test_nodes_without_a_way_on():
    graph = Toy([1], [2], 3, directed=True)
    walks = graph.walk(np.arange(3), 3, 0)
    assert walks.tolist() == [[0, 0, 0, 0], [1, 2, 2, 2], [2, 2, 2, 2]]
    empty = Toy([], [], 3, directed=False)
    assert empty.walk(np.arange(3), 2, 0).tolist() == [[0] * 3, [1] * 3, [2] * 3]


def test_graph_without_nodes():
    none = Toy([], [], 0, directed=False)
    assert none.walk(np.zeros(0, np.int64), 5, 0).shape == (0, 6)


def test_out_is_filled_and_returned():
    graph = toy("random")
    out = np.full((30, 6), 77, np.uint32)
    assert graph.walk(np.arange(30), 5, 0, out=out) is out
    assert out.max() < 30


def exact(graph, p, q):
    """``[t, v, x]``: the probability of v → x after t → v, from the paper's definition."""
    bias_tx = np.where(graph.linked_NN, 1.0, 1 / q)
    np.fill_diagonal(bias_tx, 1 / p)
    mass_tvx = bias_tx[:, None, :] * graph.weight_NN[None]
    total_tv1 = mass_tvx.sum(2, keepdims=True)
    return np.divide(mass_tvx, total_tv1, out=np.zeros_like(mass_tvx), where=total_tv1 > 0)


@every_pair(["random", "loops"])
def test_transition_frequencies(kind, shape, p, q):
    graph = toy(kind, nodes=9, **shape)
    walks = graph.walk(np.arange(20_000) % 9, 30, 3, p=p, q=q).astype(np.int64)
    t, v, x = walks[:, :-2].ravel(), walks[:, 1:-1].ravel(), walks[:, 2:].ravel()
    moves = np.diff(graph.indptr)[v] > 0
    seen = np.bincount(((t * 9 + v) * 9 + x)[moves], minlength=9**3).reshape(9, 9, 9)
    share = exact(graph, p, q)
    expected = share * seen.sum(2, keepdims=True)
    assert not seen[share == 0].any()
    enough = expected > 20
    rest = ~enough & (share > 0)
    chi = np.sum((seen - expected)[enough] ** 2 / expected[enough])
    degrees = max(1, int(enough.sum()) - int(np.any(enough, axis=2).sum()))
    # Five standard deviations above the mean of chi-square, and what is rare is rare.
    assert chi < degrees + 5 * np.sqrt(2 * degrees) + 5
    assert abs(seen[rest].sum() - expected[rest].sum()) < 6 * np.sqrt(expected[rest].sum()) + 6


@pytest.mark.parametrize("shape", [{}, {"directed": True}, {"weighted": True}])
def test_first_steps_are_of_first_order(shape):
    graph = toy("random", nodes=9, **shape)
    walks = graph.walk(np.full(90_000, 4), 1, 3, p=1e-3, q=1e3)
    seen = np.bincount(walks[:, 1], minlength=9)
    expected = graph.weight_NN[4] / graph.weight_NN[4].sum() * 90_000
    some = expected > 0
    assert not seen[~some].any()
    # The 0.9999 quantile of chi-square with 8 degrees of freedom is 31.8.
    assert np.sum((seen - expected)[some] ** 2 / expected[some]) < 31.8
