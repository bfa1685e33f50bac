"""Any edges of any types, any memory and any threads: the import is the graph that arrays make."""

from __future__ import annotations

import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import weft
from weft.graph import HeteroGraph
from weft.graph import hetero_ingest as module
from weft.graph._plan import Plan
from weft.graph.hetero_ingest import ingest_typed

TYPES = ("a", "b", "c")


@st.composite
def inputs(draw):
    """Edges of up to four types, as integers; and which of the files write them beside names."""
    kinds = draw(
        st.lists(
            st.tuples(st.sampled_from(TYPES), st.sampled_from("rs"), st.sampled_from(TYPES)),
            min_size=1,
            max_size=4,
            unique=True,
        )
    )
    node = st.integers(-3, 9) if draw(st.booleans()) else st.sampled_from([0, 1, 2, 1 << 40])
    return {kind: draw(st.lists(st.tuples(node, node), min_size=1, max_size=25)) for kind in kinds}


@settings(deadline=None, max_examples=40)
@given(
    edges=inputs(),
    duplicates=st.sampled_from(["keep", "drop", "sum"]),
    block=st.integers(1, 9),
    keep=st.sampled_from([0, 300, 1 << 20]),
    threads=st.sampled_from([1, 2]),
    files=st.booleans(),
)
def test_as_from_arrays(edges, duplicates, block, keep, threads, files):
    arrays = {kind: tuple(np.array(ends, np.int64).T) for kind, ends in edges.items()}
    plan = Plan(budget=0, base=0, reader=0, nodes=0, block=block, group=2 * block, keep=keep, fixed=True)
    weft.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(Plan, "make", return_value=plan):
        given_edges = dict(arrays)
        if files:
            for number, (kind, ends) in enumerate(edges.items()):
                given_edges[kind] = Path(folder) / f"{number}.csv"
                given_edges[kind].write_text("".join(f"{a},{b}\n" for a, b in ends))
        ours = module.ingest_typed(
            given_edges,
            Path(folder) / "g",
            duplicates=duplicates,
            directed=True,
            header=False if files else None,
        )
        theirs = HeteroGraph.from_edges(arrays, duplicates=duplicates)
        assert (ours.num_nodes, ours.num_edges) == (theirs.num_nodes, theirs.num_edges)
        for kind, rows in ours.rows.items():
            for one, other in zip(rows.arrays(), theirs.rows[kind].arrays(), strict=True):
                np.testing.assert_array_equal(one, other)
        for name, ids in ours.ids.items():
            np.testing.assert_array_equal(ids.take(range(len(ids))), theirs.ids[name].take(range(len(ids))))
        again = ingest_typed(
            given_edges, Path(folder) / "h", duplicates=duplicates, header=False if files else None
        )
        back = theirs.with_reverse()
        for kind, rows in again.rows.items():
            for one, other in zip(rows.arrays(), back.rows[kind].arrays(), strict=True):
                np.testing.assert_array_equal(one, other)
