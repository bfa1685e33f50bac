"""Any edges, any options, any memory and any threads: the import is what NumPy says it is."""

from __future__ import annotations

import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import weft
from weft.graph import Graph
from weft.graph import ingest as module
from weft.graph._plan import Plan
from weft.graph.ingest import ingest
from weft.graph.sources.base import EdgeChunk, ReadReport
from weft.kernels.csr import reference

IDS = st.one_of(
    st.integers(0, 20),
    st.integers(-5, 5),
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.integers(0, 40).map(lambda i: (i % 4 << 40) + i),
)


class Edges:
    id_kind = "int"
    name = "edges"
    num_nodes = None
    isolated = None
    position = 0

    def __init__(self, src, dst, weight, step, rereadable):
        self.src, self.dst, self.weight, self.step, self.rereadable = src, dst, weight, step, rereadable
        self.weighted, self.num_edges = weight is not None, len(src) if rereadable else None

    def size_hint(self):
        return 16 * len(self.src)

    def chunks(self):
        for begin in range(0, len(self.src), self.step):
            part = slice(begin, begin + self.step)
            yield EdgeChunk(
                self.src[part], self.dst[part], None if self.weight is None else self.weight[part]
            )

    def report(self):
        return ReadReport()


@st.composite
def inputs(draw):
    count = draw(st.integers(1, 60))
    pool = draw(st.lists(IDS, min_size=1, max_size=12))
    ends = arrays(np.int64, count, elements=st.sampled_from(pool))
    weights = arrays(np.float32, count, elements=st.floats(0, 100, width=32))
    return draw(ends), draw(ends), draw(st.none() | weights)


plans = st.builds(
    Plan,
    budget=st.just(0),
    base=st.just(0),
    reader=st.just(0),
    nodes=st.just(0),
    block=st.integers(1, 40),
    group=st.integers(1, 40),
    keep=st.sampled_from([0, 100, 1000, 1 << 20]),
    fixed=st.just(True),
)


@settings(deadline=None, max_examples=80)
@given(
    inputs(),
    plans,
    st.integers(1, 25),
    st.booleans(),
    st.sampled_from([1, 2, 3]),
    st.fixed_dictionaries(
        {
            "directed": st.booleans(),
            "duplicates": st.sampled_from(["keep", "drop", "sum"]),
            "self_loops": st.sampled_from(["keep", "drop"]),
        }
    ),
)
def test_import_equals_definition(given_edges, plan, step, rereadable, threads, options):
    src, dst, weight = given_edges
    weft.set_num_threads(threads)
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.object(module.Plan, "make", return_value=plan),
    ):
        graph = ingest(Edges(src, dst, weight, step, rereadable), Path(folder) / "g", **options)
        ids = np.unique(np.concatenate([src, dst]))
        indptr, indices, expected = reference.edges_to_csr(
            np.searchsorted(ids, src), np.searchsorted(ids, dst), weight, len(ids), **options
        )
        np.testing.assert_array_equal(graph.ids.take(np.arange(len(ids))), ids)
        np.testing.assert_array_equal(graph.indptr, indptr)
        np.testing.assert_array_equal(graph.indices, indices)
        assert (graph.weight is None) == (expected is None)
        if expected is not None:
            np.testing.assert_array_equal(graph.weight, expected)
        Graph.open(Path(folder) / "g", verify=True)
        assert [p.name for p in Path(folder).iterdir()] == ["g"]
