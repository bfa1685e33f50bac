"""Any damage to a typed graph's directory, features encoded, gives our error or an intact graph."""

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

from weft import HeteroGraph
from weft.errors import WeftError
from weft.features import attach

KIND = ("user", "rates", "item")


@pytest.fixture(scope="module")
def original():
    with tempfile.TemporaryDirectory() as folder:
        rng = np.random.default_rng(0)
        edges = (*rng.integers(0, 7, (2, 30)), rng.random(30))
        graph = HeteroGraph.from_edges(
            {KIND: edges, ("user", "knows", "user"): ([0, 3], [1, 20])}, {"item": 7}, ids=None
        ).save(Path(folder) / "g")
        attach(
            graph, rng.random((graph.num_nodes["user"], 3)), codec="int8", type="user", labels=([3], ["a"])
        )
        yield attach(graph, rng.random((7, 5)), codec="bfloat16", type="item")


def same(a: HeteroGraph, b: HeteroGraph) -> bool:
    return (
        repr(a) == repr(b)
        and all(
            np.array_equal(x, y)
            for kind in a.rows
            for x, y in zip(a[kind].arrays(), b[kind].arrays(), strict=True)
        )
        and all(np.array_equal(a.features[name], b.features[name]) for name in a.features)
        and a.labels["user"].names == b.labels["user"].names
    )


def changed(original: HeteroGraph, folder: str, data: st.DataObject) -> tuple[Path, Path]:
    assert original.path is not None
    place = Path(shutil.copytree(original.path, Path(folder) / "g"))
    return place, place / data.draw(st.sampled_from(sorted(file.name for file in place.iterdir())))


@given(data=st.data())
def test_flipped_bits(original, data):
    with tempfile.TemporaryDirectory() as folder:
        place, victim = changed(original, folder, data)
        content = bytearray(victim.read_bytes())
        for _ in range(data.draw(st.integers(1, 3))):
            content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        victim.write_bytes(content)
        with contextlib.suppress(WeftError):
            assert same(HeteroGraph.open(place, verify=True), original)
        with contextlib.suppress(WeftError):
            HeteroGraph.open(place).with_reverse()


@given(data=st.data())
def test_truncated_files(original, data):
    with tempfile.TemporaryDirectory() as folder:
        place, victim = changed(original, folder, data)
        os.truncate(victim, data.draw(st.integers(0, victim.stat().st_size - 1)))
        with contextlib.suppress(WeftError):
            assert same(HeteroGraph.open(place), original)
