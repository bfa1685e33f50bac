"""The native parser against its definition, and against Python's csv module."""

from __future__ import annotations

import csv
import io
from itertools import pairwise

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import weft
from weft.kernels.parse import LineFormat, cpu, reference

FORMS = (
    st.builds(
        LineFormat,
        delimiter=st.sampled_from([",", "\t", ";", "|", None]),
        src=st.sampled_from([0, 1]),
        dst=st.sampled_from([2, 3]),
        weight=st.sampled_from([None, 4, 5]),
    )
    | st.builds(
        LineFormat,
        delimiter=st.sampled_from([",", "\t", ";", None]),
        quote=st.sampled_from(['"', "'", None]),
        comments=st.sampled_from(["#%", "", "/"]),
        weight=st.sampled_from([None, 2]),
    )
    | st.builds(LineFormat, delimiter=st.sampled_from([",", None]), src=st.just(1), dst=st.just(0))
)

# Pieces that make lines nearly right: random bytes alone are hardly ever an edge.
MARKS = [
    b",",
    b"\t",
    b";",
    b" ",
    b"  ",
    b"\n",
    b"\r\n",
    b"\r",
    b'"',
    b'""',
    b"'",
    b"#",
    b"%",
    b"/",
    b"-",
    b"+",
]
DIGITS = [b"0", b"7", b"12", b"00045", b"123456789", b"1234567890123456", b"123456789012345678"]
LARGE = [b"9223372036854775807", b"9223372036854775808", b"-9223372036854775808", b"-1", b"9" * 20]
LINES = [b"1,2\n", b"3\t4\n", b"5 6\n", b"7;8\n", b"1,2,0.5\n", b"1 2 3 4 5 6\n", b"1,2,3,4,5,6\r\n"]
NAMES = [b"a", b"node", b"a longer name", "é".encode(), "中国".encode(), b"\xff", b"\xed\xa0\x80", b"\x00"]
WEIGHTS = [
    b"0.5",
    b"1e3",
    b"1e40",
    b"1e-60",
    b"1e400",
    b"-1e-400",
    b".5",
    b"5.",
    b"nan",
    b"inf",
    b"-0",
    b"-2.5",
]
PIECES = st.sampled_from(MARKS + DIGITS + LARGE + LINES + NAMES + WEIGHTS)
TEXTS = st.lists(PIECES, max_size=60).map(b"".join) | st.binary(max_size=200)


def assert_same(ours, theirs):
    for a, b in ((ours.src, theirs.src), (ours.dst, theirs.dst)):
        for x, y in zip(a, b, strict=True) if isinstance(a, tuple) else [(a, b)]:
            assert x.dtype == y.dtype
            np.testing.assert_array_equal(x, y)
    assert (ours.weight is None) == (theirs.weight is None)
    if ours.weight is not None:
        np.testing.assert_array_equal(ours.weight, theirs.weight)
        assert not np.signbit(ours.weight).any()
    assert (ours.lines, ours.bad, ours.overflow) == (theirs.lines, theirs.bad, theirs.overflow)
    assert ours.first == theirs.first


@pytest.mark.parametrize("op", ["parse_ints", "parse_strings"])
@given(text=TEXTS, form=FORMS, repeat=st.sampled_from([1, 1, 1, 9]))
@settings(max_examples=400, deadline=None)
def test_native_equals_definition(op, text, form, repeat):
    data = np.frombuffer((text + b"\n") * (repeat - 1) + text, np.uint8)
    native, definition = getattr(cpu, op), getattr(reference, op)
    assert_same(native(data, form, skip=True, keep=4), definition(data, form, skip=True, keep=4))
    assert native(data, form).first == definition(data, form).first


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=1, max_size=12).filter(
    lambda s: s == s.strip(" \t") or '"' in s
)


@given(
    rows=st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=20),
    delimiter=st.sampled_from([",", ";", "\t"]),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
@settings(max_examples=300, deadline=None)
def test_reads_what_csv_writes(rows, delimiter, end, quoting):
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
    text = np.frombuffer(file.getvalue().encode(), np.uint8)
    got = cpu.parse_strings(text, LineFormat(delimiter=delimiter, comments=""))
    assert not got.first
    for (data, offsets), column in ((got.src, 0), (got.dst, 1)):
        values = [data[a:b].tobytes().decode() for a, b in pairwise(offsets.tolist())]
        assert values == [row[column] for row in rows]


@given(
    where=st.sets(st.integers(0, 59_999), max_size=6),
    junk=st.sampled_from([b"oops", b"1,", b"1,99999999999999999999", b'1,"2', b"# fine", b""]),
    op=st.sampled_from(["parse_ints", "parse_strings"]),
)
@settings(max_examples=15, deadline=None)
def test_threads_change_nothing(where, junk, op):
    lines = [b"%d,%d" % (i, i * 7919 % 100003) for i in range(60_000)]
    for at in where:
        lines[at] = junk
    data = np.frombuffer(b"\n".join(lines), np.uint8)
    alone = None
    for threads in (1, 2, 4):
        weft.set_num_threads(threads)
        skipping, stopping = (
            getattr(cpu, op)(data, LineFormat(), skip=skip, keep=3) for skip in (True, False)
        )
        alone = alone or (skipping, stopping)
        assert_same(skipping, alone[0])
        assert stopping.first == alone[1].first == skipping.first[:1]
    if skipping.first:
        assert [bad.line for bad in skipping.first] == sorted(where)[:3]
