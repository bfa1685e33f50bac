"""Files made at random: reading either gives edges or a ParseError, the same however it is cut."""

from __future__ import annotations

import csv
import gzip
import io
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
import zstandard
from hypothesis import given

from weft.errors import ParseError
from weft.graph.ids import Strings
from weft.graph.sources import TextOptions, TextSource, open_source


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def ids(column):
    return column.take(np.arange(len(column))) if isinstance(column, Strings) else column.tolist()


def outcome(source):
    """The edges and the report, or the message of the error."""
    out = []
    try:
        for chunk in source.chunks():
            weight = [0.0] * len(chunk) if chunk.weight is None else chunk.weight.tolist()
            out += list(zip(ids(chunk.src), ids(chunk.dst), weight, strict=True))
    except ParseError as e:
        return str(e)
    return out, source.report()


GOOD = [b"1,2", b"3,4,0.5", b"a,b", b"5 6", b"7\t8", b"9;10", b"# c", b"", b"src,dst,weight", b'"x,y",z']
BAD = [
    b'"open,1',
    b"1," + b"9" * 20,
    b"1,2,nan",
    b"1,2,-1",
    b"\xff\xfe,1",
    b"1,",
    b",,,",
    b"x" * 30,
    b"\xc3,1",
]
LINES = st.sampled_from([*GOOD, *BAD, "é,中".encode()])
FILES = st.binary(max_size=300) | st.lists(LINES, max_size=40).map(b"\n".join)
OPTIONS = st.builds(
    TextOptions,
    on_error=st.sampled_from(["fail", "skip"]),
    ids=st.sampled_from(["auto", "int", "string"]),
    weight=st.sampled_from([None, None, 2]),
    header=st.sampled_from([None, None, True, False]),
    delimiter=st.sampled_from(["auto", "auto", ",", "space"]),
)


@given(content=FILES, options=OPTIONS)
def test_any_file_is_read_or_refused(folder, content, options):
    path = folder / "any.csv"
    path.write_bytes(content)
    try:
        source = TextSource(path, options)
    except ParseError:
        return
    whole = outcome(source)
    assert outcome(source) == whole
    # A block holds the longest line; smaller blocks must not show.
    longest = max(len(line) for line in content.split(b"\n")) + 1
    assert outcome(TextSource(path, options, block=longest + 1)) == whole


MAGIC = [b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"PAR1", b"PK\x03\x04"]


@given(content=st.binary(max_size=200), magic=st.sampled_from(MAGIC))
def test_any_bytes_behind_a_magic_number_are_refused(folder, content, magic):
    for name in ("x.csv", "x.npz", "x.mat", "x.parquet"):
        path = folder / name
        path.write_bytes(magic + content)
        with pytest.raises(ParseError, match="x"):
            next(open_source(path).chunks())


CELL = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=8
)


@given(
    rows=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=30),
    delimiter=st.sampled_from([",", "\t", ";"]),
    pack=st.sampled_from([bytes, gzip.compress, zstandard.ZstdCompressor().compress]),
    bom=st.booleans(),
)
def test_what_csv_wrote_comes_back(folder, rows, delimiter, pack, bom):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    path = folder / "table"
    path.write_bytes(pack(b"\xef\xbb\xbf" * bom + text.getvalue().encode()))
    options = TextOptions(delimiter=delimiter, header=False, ids="string", comments="")
    got, _ = outcome(TextSource(path, options))
    assert got == [(a, b, 0.0) for a, b in rows]
