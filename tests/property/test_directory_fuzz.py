"""Any damage to a graph directory gives our error or an intact graph, never a crash or a wrong one."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft import Graph
from weft.errors import WeftError
from weft.graph import Labels, Strings
from weft.graph.ids import Ids


@pytest.fixture(scope="module")
def original():
    with tempfile.TemporaryDirectory() as folder:
        rng = np.random.default_rng(0)
        graph = Graph.from_edges(*rng.integers(0, 30, (2, 80)), rng.random(80), num_nodes=30)
        packed = Strings.of(f"node {i}" for i in range(30))
        graph = Graph(
            indptr=graph.indptr,
            indices=graph.indices,
            weight=graph.weight,
            directed=False,
            ids=Ids.strings(packed.data, packed.offsets),
            labels=Labels.from_pairs(rng.integers(0, 30, 40), [str(x) for x in rng.integers(0, 4, 40)], 30),
            features=rng.random((30, 3)).astype(np.float32),
        )
        yield graph.save(Path(folder) / "graph")


def same(a: Graph, b: Graph) -> bool:
    assert a.labels is not None
    assert b.labels is not None
    return (
        all(np.array_equal(getattr(a, n), getattr(b, n)) for n in ("indptr", "indices", "weight", "features"))
        and a.directed == b.directed
        and a.labels.names == b.labels.names
        and a.ids.take(np.arange(30)).tolist() == b.ids.take(np.arange(30)).tolist()
    )


def files(graph):
    return sorted(p.name for p in graph.path.iterdir())


@given(data=st.data())
def test_flipped_bits(original, data):
    with tempfile.TemporaryDirectory() as folder:
        place = Path(shutil.copytree(original.path, Path(folder) / "g"))
        victim = place / data.draw(st.sampled_from(files(original)))
        content = bytearray(victim.read_bytes())
        for _ in range(data.draw(st.integers(1, 3))):
            content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        victim.write_bytes(content)
        try:
            graph = Graph.open(place, verify=True)
        except WeftError as error:
            assert str(place) in str(error)  # noqa: PT017
        else:
            assert same(graph, original)
        # Without verification damaged values may pass; opening must still either work or say so.
        with contextlib.suppress(WeftError):
            Graph.open(place).degree()


@given(data=st.data())
def test_truncated_files(original, data):
    with tempfile.TemporaryDirectory() as folder:
        place = Path(shutil.copytree(original.path, Path(folder) / "g"))
        victim = place / data.draw(st.sampled_from(files(original)))
        size = victim.stat().st_size
        os.truncate(victim, data.draw(st.integers(0, size - 1)))
        try:
            graph = Graph.open(place)
        except WeftError:
            return
        assert same(graph, original)


@given(content=st.binary(max_size=300))
def test_any_manifest(original, content):
    with tempfile.TemporaryDirectory() as folder:
        place = Path(shutil.copytree(original.path, Path(folder) / "g"))
        (place / "manifest.json").write_bytes(content)
        with pytest.raises(WeftError):
            Graph.open(place)
