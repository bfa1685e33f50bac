from __future__ import annotations

import gzip

import numpy as np
import pytest
import scipy.io
import scipy.sparse as sp

from weft.errors import ParseError
from weft.graph.ingest import ingest
from weft.graph.sources import TextOptions, read_label_pairs


@pytest.fixture
def read(tmp_path):
    def read(text, kind="int", **options):
        path = tmp_path / "labels.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        ids, labels = read_label_pairs(path, kind, TextOptions(**options))
        assert ids.dtype == (object if kind == "string" else np.int64)
        return list(zip(ids.tolist(), labels, strict=True))

    return read


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("1,red\n2\n", "line 2: '2' has 1 field, expected 2 \\(id,label\\)"),
        ("1,red\n2,\n", "line 2: '2,' has 1 field, expected 2 \\(id,label\\)"),
        ("1,red\n,blue\n", "line 2: ',blue' has an empty id"),
        ("1,red\nx,blue\n", "line 2: 'x' is no integer id"),
        ("1,red\n99999999999999999999,blue\n", "line 2: '9+' is no integer id"),
        ("# c\r\nid,label\r\n\n1,red\n \n%\nx,blue", "line 7: 'x' is no integer id"),
        ("1,2,3\n", "has 3 columns \\(1, 2, 3\\); name the two"),
        (gzip.compress(b"1,red\n", mtime=0)[:-3], "truncated"),
    ],
)
def test_bad_tables(read, text, message):
    with pytest.raises(ParseError, match=message):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        "1,red\n1,blue\n2,red\n",
        "id,label\n1,red\n1,blue\n2,red\n",
        "# c\n1\tred\n1\tblue\n2\tred\n",
        "1 red\n1 blue\n2 red\n",
        'id,"page, name",page_type\n1,"a, ""b""",red\n1,x,blue\n2,,red\n',
        gzip.compress(b"1,red\n1,blue\n2,red\n", mtime=0),
    ],
)
def test_layouts(read, text):
    assert read(text) == [(1, "red"), (1, "blue"), (2, "red")]


def test_columns_that_are_named_or_numbered(read):
    table = "who,when,kind\n1,x,red\n2,y,blue\n"
    assert read(table, columns=("who", "kind")) == [(1, "red"), (2, "blue")]
    assert read(table.split("\n", 1)[1], columns=(0, 2)) == [(1, "red"), (2, "blue")]


def test_a_table_of_very_many_columns_is_refused_briefly(read):
    with pytest.raises(ParseError, match=r"has 5000 columns \(0, 1, .*, … and 4,990 more\)") as caught:
        read(" ".join(map(str, range(5000))) + "\n")
    assert len(str(caught.value)) < 400


def test_strings(read):
    assert read("name,class\nann,red\nbob,blue\n", "string") == [("ann", "red"), ("bob", "blue")]
    assert read("ann,red\nbob,blue\n", "string") == [("ann", "red"), ("bob", "blue")]
    assert read("1,2,x\n", "string", columns=(2, 0)) == [("x", "1")]


def test_labels_beside_the_edges_of_a_mat_file_are_attached(tmp_path):
    path = tmp_path / "g.mat"
    ring = sp.csc_matrix(([1.0, 1.0, 1.0], ([0, 1, 2], [1, 2, 0])), (3, 3))
    scipy.io.savemat(path, {"network": ring, "group": sp.csc_matrix(([1.0, 1.0], ([0, 2], [1, 0])), (3, 2))})
    labels = ingest(path, tmp_path / "g").labels
    assert labels is not None
    assert [labels[node] for node in range(3)] == [("1",), (), ("0",)]
    scipy.io.savemat(path, {"network": ring})
    assert ingest(path, tmp_path / "h").labels is None


def test_mat(tmp_path):
    path = tmp_path / "g.mat"
    group = sp.csc_matrix(([1.0, 1.0, 1.0, 0.0], ([0, 2, 0, 1], [3, 0, 1, 1])), (3, 4))
    scipy.io.savemat(path, {"group": group})
    ids, labels = read_label_pairs(path, "range")
    assert list(zip(ids.tolist(), labels, strict=True)) == [(0, "1"), (0, "3"), (2, "0")]
    assert read_label_pairs(path, "string")[0].tolist() == ["0", "0", "2"]
    scipy.io.savemat(path, {"network": group})
    with pytest.raises(ParseError, match="no sparse matrix 'group' of labels; it has network"):
        read_label_pairs(path, "int")
