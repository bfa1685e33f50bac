"""Pipes and devices are refused wherever a file is read: opening one may wait for ever."""

from __future__ import annotations

import os

import numpy as np
import pytest

import weft
from weft.errors import StorageError
from weft.features import DiskTable, attach
from weft.graph import read_labels
from weft.npy import open_npy


@pytest.fixture
def graph(tmp_path):
    return weft.Graph.from_edges([0, 1, 2], [1, 2, 3]).save(tmp_path / "g")


@pytest.mark.parametrize("name", ["f", "f.csv", "f.npy", "f.parquet", "f.mat"])
@pytest.mark.parametrize("device", [False, True])
def test_no_regular_file(graph, tmp_path, name, device):
    place = tmp_path / name
    if device:
        place.symlink_to("/dev/zero")
    else:
        os.mkfifo(place)
    calls = [
        lambda: weft.ingest(place, tmp_path / "made"),
        lambda: attach(graph.path, labels=place),
        lambda: attach(graph.path, split=place),
        lambda: attach(graph.path, np.zeros((4, 1)), feature_ids=place),
        lambda: read_labels(place, graph.ids),
    ]
    if name not in ("f.mat",):
        calls.append(lambda: attach(graph.path, place))
    if name == "f.npy":
        calls += [
            lambda: DiskTable(place),
            lambda: open_npy(place),
            lambda: weft.features.open(place, "1GiB"),
        ]
    for call in calls:
        with pytest.raises(
            StorageError, match=rf"cannot read .*{name}: it is no regular file but a pipe or a"
        ):
            call()
