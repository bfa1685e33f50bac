"""Features and labels into a graph's directory."""

from __future__ import annotations

import gzip
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import polars as pl
import pytest

from weft import Graph, HeteroGraph, features
from weft.cli import main
from weft.errors import ParseError, StorageError, WeftError, WeftValueError
from weft.features import attach, encode
from weft.graph import Ids, Strings
from weft.kernels.codec import CODECS, reference

ROWS = np.random.default_rng(0).standard_normal((30, 4)).astype(np.float32)


@pytest.fixture
def place(tmp_path):
    rng = np.random.default_rng(1)
    Graph.from_edges(*rng.integers(0, 30, (2, 90)), rng.random(90), num_nodes=30).save(tmp_path / "g")
    return tmp_path / "g"


@pytest.fixture
def named(tmp_path):
    """A graph whose ids are text: n0 … n29, in another order."""
    packed = Strings.of(f"n{i}" for i in np.random.default_rng(2).permutation(30))
    graph = Graph.from_edges([0, 1], [1, 2], num_nodes=30)
    Graph(
        indptr=graph.indptr,
        indices=graph.indices,
        weight=None,
        directed=False,
        ids=Ids.strings(packed.data, packed.offsets),
    ).save(tmp_path / "named")
    return tmp_path / "named"


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch):
    monkeypatch.setattr("weft.features.codec._PIECE", 7 * 4 * 4)  # seven rows of four
    monkeypatch.setattr("weft.features.tables._PIECE", 7 * 4 * 4)
    monkeypatch.setattr("weft.features.tables._TEXT", 400)


def holes(rows=ROWS):
    out = rows.copy()
    out[9, 2] = out[9, 3] = out[25, 0] = np.nan
    return out


@pytest.mark.parametrize(
    ("given", "options", "match"),
    [
        (ROWS[:29], {}, "features has 29 rows, there are 30 nodes; a column of ids"),
        (ROWS[0], {}, r"must be numbers \[N, F\] \(got float32 \[4\]\)"),
        (np.full((30, 2), "a"), {}, r"numbers \[N, F\]"),
        (object(), {}, "an array, a tensor or a path"),
        (None, {}, "give features, labels or a split"),
        (
            None,
            {"split": ([1, 2, 1], ["train", "val", "test"])},
            "1 nodes into several parts, such as 1 into",
        ),
        (holes(), {}, r"3 values in 2 rows are NaN, the first in row 9, column 2; --on-nan zero"),
        (holes(), {"on_nan": "skip"}, r"on_nan must be 'fail' or 'zero' \(got 'skip'\)"),
        (ROWS, {"codec": "int4"}, "codec must be one of"),
        (ROWS * 1e5, {"codec": "float16"}, r"row \d, column \d is .*, past what float16 holds"),
        (np.where(np.isnan(holes()), np.inf, ROWS), {"codec": "int8"}, "row 9, column 2 is inf, which int8"),
        (ROWS, {"columns": ["a"]}, "columns are for tables"),
        (ROWS, {"type": "user"}, r"no types of nodes \(got --type 'user'\)"),
        (ROWS, {"feature_ids": 4}, "no column 4 of ids: it has 4 columns"),
        (ROWS, {"feature_ids": 0}, r"row 0: .* in column 0 is no id: it is no whole number"),
        (ROWS, {"feature_ids": np.arange(29)}, "30 rows but 29 ids"),
        (
            ROWS,
            {"feature_ids": np.arange(30) + 100},
            "none of its 30 ids is in the graph; it begins with 100, 101",
        ),
        (ROWS, {"feature_ids": np.arange(30) % 29}, "some ids are given twice, such as 0"),
        (ROWS, {"feature_ids": np.arange(30) // 2}, "some ids are given twice, such as 0"),
        (ROWS[:20], {"feature_ids": np.arange(20) + 10}, "10 of 30 nodes have no row, such as 0"),
        (encode(ROWS, "int8"), {"codec": "bfloat16"}, "holds int8 already; give it without a codec"),
    ],
)
def test_what_is_refused_leaves_the_graph_as_it_was(place, given, options, match):
    attach(place, ROWS + 1)
    before = {file.name: file.read_bytes() for file in place.iterdir()}
    with pytest.raises(WeftError, match=match):
        attach(place, given, **options)
    assert {file.name: file.read_bytes() for file in place.iterdir()} == before
    assert [file.name for file in place.parent.iterdir()] == ["g"]


@pytest.mark.parametrize("codec", [None, *CODECS])
@pytest.mark.parametrize("ordered", [True, False])
def test_rows_arrive(place, codec, ordered):
    before = Graph.open(place)
    order = np.random.default_rng(3).permutation(30)
    ids = None if ordered else order
    graph = attach(place, ROWS if ordered else ROWS[order], feature_ids=ids, codec=codec)
    assert Graph.open(place, verify=True).features is not None
    assert graph.features_path == place / "features.npy"
    stored = codec or "float32"
    table = features.open(graph.features_path, "1GiB", verbose=False)
    wanted = reference.decode(reference.encode(ROWS, stored), stored)
    np.testing.assert_array_equal(table.take(np.arange(30)), wanted)
    assert "features [30, 4]" in repr(graph)
    for name in ("indptr", "indices", "weight"):
        np.testing.assert_array_equal(getattr(graph, name), getattr(before, name))
    copy = graph.save(place.parent / "copy")
    np.testing.assert_array_equal(copy.features, graph.features)
    np.testing.assert_array_equal(graph.subgraph([3, 1]).features, graph.features[[3, 1]])


def test_edges_are_not_copied(place):
    was = (place / "indices.npy").stat().st_ino
    attach(place, ROWS)
    attach(place, ROWS * 2, codec="int8", labels=([3, 4], ["a", "b"]))
    file = (place / "indices.npy").stat()
    assert (file.st_ino, file.st_nlink) == (was, 1)
    assert Graph.open(place, verify=True).labels[3] == ("a",)
    attach(place, labels=([5], ["c"]))
    graph = Graph.open(place, verify=True)
    assert graph.labels.names == ("c",)
    assert graph.features.dtype.names == ("int8", "scale")


@pytest.mark.parametrize("dtype", [np.float64, np.int16, np.uint8, np.float16, bool, ">f4"])
def test_the_dtype_is_kept(place, dtype):
    rows = (ROWS * 10).astype(dtype)
    got = attach(place, rows).features
    assert got.dtype == (np.uint8 if dtype is bool else np.dtype(dtype).newbyteorder("<"))
    np.testing.assert_array_equal(got, rows)


def test_zeros_for_nan(place):
    said = []
    got = attach(place, holes(), on_nan="zero", codec="float16", say=said.append).features
    np.testing.assert_array_equal(got == 0, np.isnan(holes()))
    assert said == ["features: 3 values in 2 rows are NaN, the first in row 9, column 2; they became 0"]
    with pytest.warns(UserWarning, match="they became 0"):
        attach(place, holes(), on_nan="zero")


@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("mapped", [True, False])
def test_npy_files(place, tmp_path, order, mapped):
    np.save(tmp_path / "x.npy", np.array(ROWS, order=order))
    given = np.load(tmp_path / "x.npy", mmap_mode="r") if mapped else tmp_path / "x.npy"
    np.testing.assert_array_equal(attach(place, given).features, ROWS)
    np.save(tmp_path / "ids.npy", np.arange(30)[::-1])
    np.testing.assert_array_equal(attach(place, given, feature_ids=tmp_path / "ids.npy").features, ROWS[::-1])
    os.truncate(tmp_path / "x.npy", 500)
    with pytest.raises(WeftValueError, match="truncated"):
        attach(place, tmp_path / "x.npy")


def test_a_column_of_ids_in_an_array(place):
    rows = np.column_stack([ROWS[:, :1], np.arange(30)[::-1], ROWS[:, 1:]])
    np.testing.assert_array_equal(attach(place, rows, feature_ids=1).features, ROWS[::-1])


@pytest.mark.parametrize("codec", ["bfloat16", "int8"])
def test_what_is_encoded_already(place, tmp_path, codec):
    path = encode(ROWS, codec, tmp_path / "x.npy")
    np.testing.assert_array_equal(attach(place, path).features, encode(ROWS, codec))
    back = attach(place, path, feature_ids=np.arange(30)[::-1]).features
    np.testing.assert_array_equal(back, encode(ROWS, codec)[::-1])


def test_tensors(place):
    torch = pytest.importorskip("torch")
    np.testing.assert_array_equal(attach(place, torch.from_numpy(ROWS)).features, ROWS)


def test_ids_that_are_not_in_the_graph_are_named(place):
    said = []
    rows, ids = np.vstack([ROWS, ROWS[:5]]), np.r_[np.arange(30), 70:75]
    np.testing.assert_array_equal(attach(place, rows, feature_ids=ids, say=said.append).features, ROWS)
    assert said == ["features: 5 of 35 ids are not in the graph and were left out: 70, 71, 72"]


def frame(graph, rows=ROWS):
    """A table of the rows in another order, with ids and text."""
    order = np.random.default_rng(4).permutation(30)
    ids = graph.ids.take(order).tolist()
    columns = {f"f{i}": rows[order, i] for i in range(4)}
    return pl.DataFrame({"who": ["x y"] * 30, "node_id": ids} | columns | {"other": np.arange(30) % 7})


@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize("ending", ["parquet", "csv", "tsv", "csv.gz"])
def test_tables_with_ids(place, named, tmp_path, text, ending):
    graph = Graph.open(named if text else place)
    path = tmp_path / f"x.{ending}"
    table = frame(graph)
    if ending == "parquet":
        table.write_parquet(path, row_group_size=8)
    else:
        body = "# a comment\n" + table.write_csv(separator="\t" if ending == "tsv" else ",")
        path.write_bytes(gzip.compress(body.encode()) if ending.endswith("gz") else body.encode())
    for given, options in ((f"{path}:f*", {}), (path, {"columns": ["f0", "f1", 4, "f3"]})):
        np.testing.assert_array_equal(attach(graph, given, **options).features, ROWS)
    every = attach(graph, path).features
    assert every.shape == (30, 5)
    np.testing.assert_array_equal(every[:, :4], ROWS)
    got = attach(graph, f"{path}:other,f1", feature_ids="node_id").features
    np.testing.assert_array_equal(got[:, 1], ROWS[:, 1])


@pytest.mark.parametrize("kind", ["list", "array"])
def test_parquet_columns_of_lists(place, tmp_path, kind):
    nested = pl.Series("embedding", ROWS.tolist(), pl.List(pl.Float32))
    nested = nested.cast(pl.Array(pl.Float32, 4)) if kind == "array" else nested
    pl.DataFrame([pl.Series("flag", [True, False] * 15), nested]).write_parquet(tmp_path / "x.parquet")
    np.testing.assert_array_equal(attach(place, f"{tmp_path}/x.parquet:embedding").features, ROWS)
    both = attach(place, tmp_path / "x.parquet").features
    np.testing.assert_array_equal(both, np.column_stack([np.arange(30) % 2 == 0, ROWS]))
    if kind == "list":
        for wrong in ([0.5], None):
            lists = [*ROWS.tolist()[:8], wrong, *ROWS.tolist()[9:]]
            pl.DataFrame({"x": lists}).write_parquet(tmp_path / "y.parquet")
            with pytest.raises(ParseError, match=r"row 8 has \d numbers in column 'x', the first row has 4"):
                attach(place, tmp_path / "y.parquet")


def test_text_without_names(place, named, tmp_path):
    lines = [" ".join(map(str, row)) + " " for row in ROWS.tolist()]
    (tmp_path / "x.txt").write_text("\n".join(lines))
    np.testing.assert_array_equal(attach(place, tmp_path / "x.txt").features, ROWS)
    ids = Graph.open(named).ids.take(np.arange(30))
    lines = [
        ",".join([name, *map(str, row)]) for name, row in zip(ids[::-1], ROWS[::-1].tolist(), strict=True)
    ]
    (tmp_path / "y.csv").write_text("\n".join(lines) + "\n")
    np.testing.assert_array_equal(attach(named, tmp_path / "y.csv").features, ROWS)
    # Blanks around numbers are not what Polars reads.
    (tmp_path / "z.csv").write_text("a, b\n" + "\n".join(f"{i}, {i}.5 " for i in range(30)))
    np.testing.assert_array_equal(attach(place, tmp_path / "z.csv").features[:, 1], np.arange(30) + 0.5)


def test_what_is_missing_in_a_table_is_nan(place, tmp_path):
    table = pl.DataFrame({"a": [1.5, None] + [0.25] * 28, "b": [1] * 30})
    table.write_parquet(tmp_path / "x.parquet")
    table.write_csv(tmp_path / "x.csv")
    for path in (tmp_path / "x.parquet", tmp_path / "x.csv"):
        with pytest.raises(WeftValueError, match="1 values in 1 rows are NaN, the first in row 1, column 0"):
            attach(place, path)
    table.select(pl.col("a").cast(pl.Int64)).write_parquet(tmp_path / "y.parquet")
    with pytest.raises(ParseError, match="row 1 has no value in column 'a'"):
        attach(place, tmp_path / "y.parquet")


@pytest.mark.parametrize(
    ("name", "text", "options", "match"),
    [
        ("x.csv", "", {}, "is empty|holds no lines"),
        ("x.csv", "# nothing\n", {}, "holds no lines"),
        ("x.csv", "a,b\n", {}, "a line of names alone"),
        ("x.csv", "a,b\n1,2\n3\n", {}, r"line 3: '3' has 1 fields, expected 2"),
        ("x.csv", "a,b\n1,2\n# x\n3,oops\n", {}, r"line 4: '3,oops': 'oops' in column 1 is no number"),
        ("x.csv", "a,b\n1,2\n", {}, "has 1 rows, there are 30 nodes"),
        ("x.csv", "1\n" * 31, {}, "has 31 rows, there are 30 nodes"),
        ("x.csv:a,c", "a,b\n1,2\n", {}, "no column 'c'; it has a, b"),
        ("x.csv:a", "a,b\n1,2\n", {"columns": ["b"]}, "columns are given twice"),
        ("x.csv", "a,b\n1,2\n", {"feature_ids": "id"}, "no column 'id'; it has a, b"),
        ("x.csv:b", "a,b\n1,x\n", {}, "column 'b' does not hold numbers"),
        ("x.csv", "id,b\nx,1\n", {}, "row 0: 'x' is no integer id"),
        ("x.csv", "id\n1\n", {}, "no columns of numbers beside the ids; it has id"),
        ("x.csv", "a\n1\n", {"feature_ids": np.arange(3)}, "has 1 rows but 3 ids"),
        ("x.parquet", "a,b\n", {}, "is no Parquet file"),
        ("none.csv", None, {}, "none.csv"),
        ("none.npy", None, {}, "none.npy"),
    ],
)
def test_bad_tables(place, tmp_path, name, text, options, match):
    if text is not None:
        (tmp_path / name.partition(":")[0]).write_text(text)
    with pytest.raises((WeftValueError, StorageError), match=match):
        attach(place, tmp_path / name, **options)


def test_splits(place, tmp_path):
    (tmp_path / "s.csv").write_text("id,label,split\n3,a,train\n4,b,val\n5,b,train\n")
    attach(place, ROWS, labels=([3], ["a"]))
    graph = attach(place, split=tmp_path / "s.csv")
    assert [graph.split[i] for i in (2, 3, 4, 5)] == [(), ("train",), ("val",), ("train",)]
    assert graph.labels[3] == ("a",)
    assert graph.subgraph([5, 2]).split.pairs()[0].tolist() == [0]
    copy = Graph.open(graph.save(tmp_path / "copy").path, verify=True)
    assert copy.split.names == ("train", "val")
    assert attach(copy, split=([1], ["test"]), labels=([7], ["b"])).split.names == ("test",)
    typed = HeteroGraph.from_edges({}, {"user": 30, "item": 2}).save(tmp_path / "typed")
    typed = attach(typed, split=tmp_path / "s.csv", type="user")
    assert typed.nodes["user"].split[4] == ("val",)
    assert typed.save(tmp_path / "again").nodes["user"].split.names == ("train", "val")


def test_types_of_nodes(tmp_path):
    graph = HeteroGraph.from_edges({("user", "rates", "item"): ([0], [1])}, {"user": 30, "item": 3})
    with pytest.raises(WeftValueError, match="no directory; save it first"):
        attach(graph, ROWS)
    graph = graph.save(tmp_path / "g")
    with pytest.raises(WeftValueError, match=r"--type .* must be one of user, item \(none was given\)"):
        attach(graph, ROWS)
    with pytest.raises(WeftValueError, match=r"one of user, item \(got 'usr'\)"):
        attach(graph, ROWS, type="usr")
    graph = attach(graph, ROWS, type="user", codec="bfloat16", labels=([3], ["a"]))
    graph = attach(graph, np.ones((3, 2)), type="item")
    assert HeteroGraph.open(graph.path, verify=True).features_path == {
        "user": tmp_path / "g" / "node_0_features.npy",
        "item": tmp_path / "g" / "node_1_features.npy",
    }
    assert graph.labels["user"][3] == ("a",)
    table = features.open(graph.features_path["user"], "1GiB", verbose=False)
    assert np.abs(table.take(np.arange(30)) - ROWS).max() < 0.02


def test_command(place, tmp_path, capsys):
    np.save(tmp_path / "x.npy", holes())
    (tmp_path / "y.csv").write_text("id,label\n3,a\n99,b\n")
    assert main(["attach", str(place), "--features", str(tmp_path / "x.npy")]) == 2
    assert "--on-nan zero" in capsys.readouterr().err
    words = ["--features", str(tmp_path / "x.npy"), "--labels", str(tmp_path / "y.csv"), "--codec", "int8"]
    assert main(["attach", str(place), *words, "--on-nan", "zero"]) == 0
    said = capsys.readouterr()
    assert "1 labels, features [30, 4] int8" in said.out
    assert "they became 0" in said.err
    assert "99" in said.err
    assert main(["info", str(place), "--verify"]) == 0
    assert re.search("features +30, 4, int8", capsys.readouterr().out)
    (tmp_path / "s.csv").write_text("0,train\n1,test\n2,train\n")
    assert main(["attach", str(place), "--split", str(tmp_path / "s.csv")]) == 0
    capsys.readouterr()
    assert main(["info", str(place)]) == 0
    assert re.search("split +test 1, train 2", capsys.readouterr().out)
    assert main(["attach", str(place)]) == 2
    assert main(["attach", str(tmp_path / "none"), "--features", "x.npy"]) == 2
    assert "no such directory" in capsys.readouterr().err
    assert main(["attach", str(tmp_path / "no" / "such"), "--features", "x.npy"]) == 2
    assert not (tmp_path / "no").exists()
    assert not list(tmp_path.glob(".none*"))


def test_a_link_to_a_directory(place, tmp_path):
    (tmp_path / "link").symlink_to(place)
    attach(tmp_path / "link", ROWS)
    assert (tmp_path / "link").is_symlink()
    np.testing.assert_array_equal(Graph.open(place).features, ROWS)


def test_one_at_a_time(place):
    from weft.graph.directory import locked

    with locked(place), pytest.raises(WeftValueError, match="in use by another run"):
        attach(place, ROWS)


KILLED = """
import sys, numpy as np
import weft.features.codec
from weft.features import attach
weft.features.codec._PIECE = 1 << 14
rows = np.arange(30_000 * 8, dtype=np.float32).reshape(30_000, 8)
print("ready", flush=True)
for number in range(1, 1 << 20):
    ids = None if number % 2 else np.arange(30_000)
    attach(sys.argv[1], rows + number, feature_ids=ids)
    print(number, flush=True)
"""


def test_kill_at_any_moment(tmp_path):
    place = tmp_path / "g"
    graph = Graph.from_edges([0], [1], num_nodes=30_000).save(place)
    rows = np.arange(30_000 * 8, dtype=np.float32).reshape(30_000, 8)
    attach(graph, rows)
    seed = int.from_bytes(os.urandom(4))
    print(f"seed {seed}")
    chance = np.random.default_rng(seed)
    for _ in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", KILLED, str(place)], stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            time.sleep(chance.uniform(0, 0.4))
            child.send_signal(signal.SIGKILL)
        found = Graph.open(place, verify=True)
        number = int(found.features[0, 0])
        np.testing.assert_array_equal(found.features, rows + number)
    attach(place, rows)
    assert [file.name for file in tmp_path.iterdir()] == ["g"]


MEASURED = """
import resource, sys, numpy as np
from weft.features import attach
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
attach(sys.argv[2], np.ones((10, 2), np.float32), feature_ids=np.arange(10), codec="int8")
before = peak()
ids = np.load(sys.argv[4]) if len(sys.argv) > 4 else None
attach(sys.argv[1], sys.argv[3], feature_ids=ids)
print(peak() - before)
"""


@pytest.mark.parametrize("ordered", [True, False])
def test_memory_stays_far_below_the_rows(tmp_path, ordered):
    nodes, columns = 400_000, 128  # 195 MiB
    Graph.from_edges([0], [1], num_nodes=nodes).save(tmp_path / "g")
    Graph.from_edges([0], [1], num_nodes=10).save(tmp_path / "small")
    rows = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.float32, (nodes, columns))
    rows[:, 0] = np.arange(nodes)
    rows.flush()
    words = [str(tmp_path / "g"), str(tmp_path / "small"), str(tmp_path / "x.npy")]
    if not ordered:
        np.save(tmp_path / "ids.npy", np.random.default_rng(0).permutation(nodes))
        words.append(str(tmp_path / "ids.npy"))
    run = subprocess.run([sys.executable, "-c", MEASURED, *words], capture_output=True, text=True, check=True)
    # A piece is 16 MiB of rows, given and written; pages touched out of order are 16 MiB more.
    assert int(run.stdout) < 100
    if ordered:
        np.testing.assert_array_equal(
            Graph.open(tmp_path / "g").features[::9999, 0], np.arange(0, nodes, 9999)
        )
