"""Where events come from."""

from __future__ import annotations

import gzip
import itertools
import os
import threading

import numpy as np
import polars as pl
import pytest

from weft.errors import ParseError, StorageError, WeftTypeError, WeftValueError
from weft.graph.ids import Strings
from weft.stream import DELETE, NO_ID, Batch, IteratorSource, ParquetSource, TextSource
from weft.stream.batch import placed


def told(source, offset=None):
    """All events as lists."""
    rows = {"source": [], "target": [], "time": [], "op": [], "eid": []}
    for batch in source.batches(offset or {}):
        for name, column in batch.columns().items():
            texts = isinstance(column, Strings)
            rows[name] += column.take(np.arange(len(column))) if texts else column.tolist()
    return rows


LINES = "".join(f"{i % 7},{i % 5 + 10},{i * 3 - 50}\n" for i in range(500))
SOURCES = [i % 7 for i in range(500)]
TIMES = [i * 3 - 50 for i in range(500)]


@pytest.fixture(params=[7, 64, 1 << 20])
def block(request):
    return request.param


@pytest.mark.parametrize("separator", [",", "\t", ";", " ", "   "])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_text(tmp_path, separator, end, block):
    path = tmp_path / "events.txt"
    path.write_bytes(LINES.replace(",", separator).replace("\n", end).encode())
    found = told(TextSource(path, block=block))
    assert (found["source"], found["time"]) == (SOURCES, TIMES)
    assert set(found["eid"]) == {NO_ID}


def test_every_offset_goes_on(tmp_path, block):
    path = tmp_path / "events.csv"
    path.write_text("# a remark\nu,v,t\n" + LINES.rstrip("\n"))
    source = TextSource(path, columns=("u", "v", "t"), block=block)
    batches = list(source.batches({}))
    for number in range(0, len(batches), max(1, len(batches) // 9)):
        done = sum(len(b.time) for b in batches[: number + 1])
        assert told(source, batches[number].end)["time"] == TIMES[done:]
    for before, after in itertools.pairwise(batches):
        assert before.end == after.begin


def test_compressed(tmp_path):
    path = tmp_path / "events.csv.gz"
    with gzip.open(path, "wt") as file:
        file.write(LINES)
    source = TextSource(path, block=1000)
    assert told(source)["time"] == TIMES
    first = next(iter(source.batches({})))
    assert told(source, first.end)["time"] == TIMES[len(first.time) :]
    with pytest.raises(WeftValueError, match="cannot be followed"):
        TextSource(path, follow=True)


def test_names_operations_and_ids(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text('what,who,when,op,id\nf,"a, b",5,A,70\ng,c,6.0,D,71\n"f",ä,-7,M,72\n')
    source = TextSource(path, columns=("who", "what", "when"), op="op", eid="id")
    found = told(source)
    assert found["source"] == ["a, b", "c", "ä"]
    assert found["target"] == ["f", "g", "f"]
    assert found["time"] == [5, 6, -7]
    assert found["op"] == [0, DELETE, 0]
    assert found["eid"] == [70, 71, 72]


def test_numbers_may_be_names(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("007,8,1\n")
    assert told(TextSource(path))["source"] == [7]
    assert told(TextSource(path, ids="string"))["source"] == ["007"]


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("1,2", "line 300: '1,2' has 2 columns, and the first line has 3"),
        ("1,2,3,4", "line 300: .* has 4 columns"),
        ("u,v,t", "line 300: .* 'u' where an integer id"),
        ("1,2,", "line 300: .* '' where a time"),
        ("1,2,nan", "line 300: .* 'nan' where a time"),
        ("1,2,1.5", "line 300: .* '1.5' where a time"),
        ("1,2,9223372036854775808", "line 300: .* where a time"),
        ("1,2,1e300", "line 300: .* where a time"),
        ("99999999999999999999,2,3", "line 300: .* where an integer id"),
        (b"1,2,\xff", "line 300 is no text"),
    ],
)
def test_another_form_in_the_middle(tmp_path, line, match, block):
    path = tmp_path / "events.csv"
    line = line if isinstance(line, bytes) else line.encode()
    lines = LINES.encode().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:299]) + line + b"\n" + b"".join(lines[299:]))
    source, seen = TextSource(path, block=block), []
    with pytest.raises(ParseError, match=match):
        seen.extend(batch.end["line"] for batch in source.batches({}))
    assert max(seen, default=0) <= 299


def test_short_and_long_lines_do_not_make_up_for_each_other(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("1,2,3\n1,2\n1,2,3,4\n")
    with pytest.raises(ParseError, match="line 2"):
        told(TextSource(path))


@pytest.mark.parametrize("text", ["", "# only remarks\n", "u,v,t\n"])
def test_no_events(tmp_path, text):
    path = tmp_path / "events.csv"
    path.write_text(text)
    assert told(TextSource(path))["time"] == []


def test_columns_that_are_none(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("1,2,3\n")
    with pytest.raises(ParseError, match="no column 'u'"):
        told(TextSource(path, columns=("u", "v", "t")))
    with pytest.raises(ParseError, match="no column 3"):
        told(TextSource(path, columns=(1, 2, 3)))
    with pytest.raises(StorageError, match="nothing"):
        told(TextSource(tmp_path / "nothing"))


@pytest.mark.parametrize("chunk", [1, 5, 300])
def test_a_growing_file(tmp_path, chunk):
    """Lines that are not whole are left until they are."""
    path = tmp_path / "growing.csv"
    path.touch()
    text = ("u,v,t\n" + LINES)[: 6000 if chunk > 1 else 400]
    whole = text[: text.rfind("\n") + 1]
    wanted = TIMES[: whole.count("\n") - 1]

    def write():
        with path.open("a") as file:
            for begin in range(0, len(text), chunk):
                file.write(text[begin : begin + chunk])
                file.flush()

    writer = threading.Thread(target=write)
    writer.start()
    found = []
    for batch in TextSource(path, follow=True, poll=0.001).batches({}):
        found += [] if batch is None else np.asarray(batch.time).tolist()
        if len(found) >= len(wanted):
            break
    writer.join()
    assert found == wanted


def test_a_file_that_shrinks(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text(LINES)
    source = TextSource(path, follow=True, poll=0.001)
    batches = source.batches({})
    last = next(batches)
    os.truncate(path, 100)
    with pytest.raises(ParseError, match="shrank"):
        for _ in batches:
            pass
    with pytest.raises(ParseError, match="cut off or replaced"):
        next(source.batches(last.end))


def test_parquet(tmp_path):
    frame = pl.DataFrame({"source": SOURCES, "target": SOURCES, "time": TIMES, "op": ["A", "D"] * 250})
    frame[:200].write_parquet(tmp_path / "a.parquet")
    frame[200:].write_parquet(tmp_path / "b.parquet")
    source = ParquetSource([tmp_path / "a.parquet", tmp_path / "b.parquet"], op="op", rows=77)
    assert told(source)["time"] == TIMES
    assert told(source)["op"] == [0, 1] * 250
    for batch in source.batches({}):
        assert told(source, batch.end)["time"] == TIMES[batch.end["row"] :]


def test_parquet_of_another_form(tmp_path):
    frame = pl.DataFrame({"source": SOURCES, "target": SOURCES, "time": TIMES})
    frame.write_parquet(tmp_path / "a.parquet")
    frame.with_columns(pl.col("time").cast(pl.Float64)).write_parquet(tmp_path / "b.parquet")
    with pytest.raises(ParseError, match=r"b.parquet: the column 'time' holds Float64"):
        ParquetSource([tmp_path / "a.parquet", tmp_path / "b.parquet"])
    with pytest.raises(ParseError, match="no column 'when'"):
        ParquetSource(tmp_path / "a.parquet", columns=("source", "target", "when"))
    holed = frame.with_columns(pl.when(pl.col("time") != 100).then(pl.col("time")).alias("time"))
    holed.write_parquet(tmp_path / "c.parquet")
    with pytest.raises(ParseError, match=r"c.parquet, row 51 has no value"):
        told(ParquetSource(tmp_path / "c.parquet"))
    (tmp_path / "d.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:-9])
    with pytest.raises(ParseError, match="truncated"):
        ParquetSource(tmp_path / "d.parquet")


def test_an_iterator():
    batches = [([1, 2], [3, 4], [5, 6]), {"source": [1], "target": [2], "time": [7]}, None, ([], [], [])]
    found = [b for b in IteratorSource(batches).batches({}) if b is not None]
    assert [b.end["events"] for b in found] == [2, 3]
    again = list(IteratorSource(batches).batches({"events": 1}))
    assert np.asarray(again[0].time).tolist() == [6]
    assert again[0].begin == {"events": 1}
    asked = []
    source = IteratorSource(lambda offset: asked.append(dict(offset)) or [([1], [2], [3])])
    assert next(iter(source.batches({"events": 9}))).end == {"events": 10}
    assert asked == [{"events": 9}]


@pytest.mark.parametrize("wrong", [7, [7], [(1, 2)]])
def test_an_iterator_of_something_else(wrong):
    with pytest.raises(WeftTypeError):
        list(IteratorSource(wrong).batches({}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"time": [1.5]},
        {"time": [np.nan]},
        {"time": [2.0**63]},
        {"time": [1, 2]},
        {"source": ["a"]},
        {"source": [1.5]},
        {"op": [2]},
        {"eid": [2.5]},
        {"target": [1 << 63]},
    ],
)
def test_batches_that_are_none(wrong):
    with pytest.raises(WeftValueError):
        Batch(**({"source": [1], "target": [2], "time": [3]} | wrong)).columns()


def test_times_that_are_exact():
    columns = Batch(source=[1, 1], target=[2, 2], time=[-3.0, 2.0**62]).columns()
    assert columns["time"].tolist() == [-3, 1 << 62]


def test_repeated_and_missing_batches():
    batch = Batch(source=[1], target=[2], time=[3], begin={"p": 10}, end={"p": 20})
    assert placed({}, batch, "x")
    assert placed({"p": 10}, batch, "x")
    assert not placed({"p": 20}, batch, "x")
    assert not placed({"p": 35}, batch, "x")
    assert placed({"q": 35}, batch, "x")
    with pytest.raises(WeftValueError, match="events between are missing"):
        placed({"p": 9}, batch, "x")
    with pytest.raises(WeftValueError, match="a part of it came before"):
        placed({"p": 15}, batch, "x")


def test_columns_of_these_names_wherever_they_are(tmp_path):
    path = tmp_path / "e.csv"
    path.write_text("time,source,target\n5,1,2\n6,3,4\n")
    (batch,) = (b for b in TextSource(path).batches({}) if b is not None)
    assert (batch.source.tolist(), batch.target.tolist(), batch.time.tolist()) == ([1, 3], [2, 4], [5, 6])
    (batch,) = (b for b in TextSource(path, columns=(1, 2, 0)).batches({}) if b is not None)
    assert batch.time.tolist() == [5, 6]


@pytest.mark.parametrize("first", ["1,2,nan", "a,b,inf", "1,2,soon"])
def test_a_first_event_that_is_broken_is_no_header(tmp_path, first):
    path = tmp_path / "e.csv"
    path.write_text(f"{first}\n1,2,4\n")
    with pytest.raises(ParseError, match=r"line 1: .* where a time"):
        list(TextSource(path).batches({}))


def test_lines_that_changed_before_the_place_are_noticed(tmp_path):
    path = tmp_path / "e.csv"
    path.write_text("1,2,3\n4,5,6\n")
    with pytest.raises(ParseError, match="no line ends"):
        list(TextSource(path).batches({"byte": 4, "line": 1}))
    (batch,) = (b for b in TextSource(path).batches({"byte": 6, "line": 1}) if b is not None)
    assert batch.source.tolist() == [4]


def test_a_compressed_file_that_was_cut_off(tmp_path):
    path = tmp_path / "e.csv.gz"
    rows = "".join(f"{i},{i * 7919 % 1000},{i}\n" for i in range(3000))
    path.write_bytes(gzip.compress(rows.encode())[:-2000])
    with pytest.raises(StorageError, match="cut off"):
        list(TextSource(path).batches({}))


def test_a_column_given_twice(tmp_path):
    (tmp_path / "e.csv").write_text("1,2,3\n")
    with pytest.raises(WeftValueError, match="three of them"):
        TextSource(tmp_path / "e.csv", columns=(0, 0, 2))
