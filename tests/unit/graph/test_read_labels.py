"""Labels from a file for nodes that are there already."""

import numpy as np
import pytest

from weft.errors import ParseError, StorageError, WeftValueError
from weft.graph import Ids, read_labels

IDS = Ids.integers(np.array([3, 5, 8], np.int64))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(StorageError, match=r"labels\.csv"):
        read_labels(tmp_path / "labels.csv", IDS)


def test_a_file_of_another_graph(tmp_path):
    (tmp_path / "labels.csv").write_text("1,a\n2,b\n")
    with pytest.raises(ParseError, match="none of its 2 ids is in the graph"):
        read_labels(tmp_path / "labels.csv", IDS)


def test_columns_of_a_file(tmp_path):
    (tmp_path / "labels.csv").write_text("x,who,kind\n0,5,b\n0,3,a\n")
    told = []
    labels = read_labels(tmp_path / "labels.csv", IDS, columns=("who", 2), say=told.append)
    assert [labels[node] for node in range(3)] == [("a",), ("b",), ()]
    assert told == [f"labels {tmp_path}/labels.csv: ids from column 'who', labels from 'kind', of 3"]


def test_columns_of_what_has_none(tmp_path):
    with pytest.raises(WeftValueError, match="given as arrays"):
        read_labels(([3], ["a"]), IDS, columns=(0, 1))
    with pytest.raises(WeftValueError, match=r"is a \.mat file"):
        read_labels(tmp_path / "labels.mat", IDS, columns=(0, 1))


def test_ids_that_are_unknown_are_told(tmp_path):
    (tmp_path / "labels.csv").write_text("id,label\n5,b\n3,a\n7,a\n5,a\n")
    told = []
    labels = read_labels(tmp_path / "labels.csv", IDS, told.append)
    assert [labels[node] for node in range(3)] == [("a",), ("a", "b"), ()]
    assert len(told) == 1
    assert "1 of 4 ids" in told[0]
    with pytest.warns(UserWarning, match="1 of 4 ids"):
        read_labels(tmp_path / "labels.csv", IDS)
