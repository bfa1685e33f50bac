from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from weft.errors import WeftValueError
from weft.kernels.parse import LineFormat, Why, cpu, parse_ints, parse_strings, reference


def text(s):
    return np.frombuffer(s if isinstance(s, bytes) else s.encode(), np.uint8)


def unpack(packed):
    data, offsets = packed
    return [data[a:b].tobytes().decode() for a, b in pairwise(offsets)]


BAD_FORMS = [
    {"delimiter": "ab"},
    {"delimiter": "5"},
    {"delimiter": "-"},
    {"delimiter": "."},
    {"delimiter": "\n"},
    {"delimiter": "e"},
    {"delimiter": "é"},
    {"quote": ","},
    {"quote": "x"},
    {"comments": "#3"},
    {"comments": ","},
    {"src": 1},
    {"src": -1},
    {"weight": 0},
    {"dst": 1 << 21},
]


@pytest.mark.parametrize("fields", BAD_FORMS, ids=str)
def test_format_refuses(fields):
    with pytest.raises(WeftValueError, match=r"\(got "):
        LineFormat(**fields)


@pytest.mark.parametrize(
    "bad", [np.zeros(3, np.int8), np.zeros((2, 2), np.uint8), np.zeros(6, np.uint8)[::2]]
)
def test_text_must_be_bytes(bad):
    with pytest.raises(WeftValueError, match="contiguous uint8"):
        parse_ints(bad, LineFormat())


BAD_LINES = [
    ("7", Why.FEW_FIELDS, 1),
    (",", Why.EMPTY_ID, 0),
    ("7,", Why.EMPTY_ID, 1),
    ("7,x", Why.NOT_INTEGER, 1),
    ("7.0,1", Why.NOT_INTEGER, 0),
    ("+7,1", Why.NOT_INTEGER, 0),
    ("-,1", Why.NOT_INTEGER, 0),
    ("7,0x1", Why.NOT_INTEGER, 1),
    ("7,9223372036854775808", Why.ID_OVERFLOW, 1),
    ("-9223372036854775809,1", Why.ID_OVERFLOW, 0),
    ('"7,1', Why.OPEN_QUOTE, 0),
    ('7,1,"rest', Why.OPEN_QUOTE, 2),
    ('"7"7,1', Why.AFTER_QUOTE, 0),
]


@pytest.mark.parametrize(("line", "why", "detail"), BAD_LINES, ids=[line for line, _, _ in BAD_LINES])
@pytest.mark.parametrize("form", [cpu, reference], ids=["native", "definition"])
def test_bad_integers(form, line, why, detail):
    got = form.parse_ints(text("1,2\n\n" + line + "\n3,4\n"), LineFormat(), skip=True)
    assert got.first == [(5, 2, why, detail)]
    assert (got.src.tolist(), got.dst.tolist()) == ([1, 3], [2, 4])
    assert got.overflow == (why == Why.ID_OVERFLOW)


@pytest.mark.parametrize(
    ("weight", "why"),
    [
        ("", Why.NOT_NUMBER),
        ("x", Why.NOT_NUMBER),
        ("1 2", Why.NOT_NUMBER),
        ("0x10", Why.NOT_NUMBER),
        ("1e", Why.NOT_NUMBER),
        ("nan", Why.NOT_FINITE),
        ("-NaN", Why.NOT_FINITE),
        ("inf", Why.NOT_FINITE),
        ("-Infinity", Why.NOT_FINITE),
        ("1e39", Why.NOT_FINITE),
        ("1e999", Why.NOT_FINITE),
        ("-1e999", Why.NOT_FINITE),
        ("9" * 400, Why.NOT_FINITE),
        ("-1", Why.NEGATIVE),
        ("-1e-30", Why.NEGATIVE),
    ],
)
@pytest.mark.parametrize("op", ["parse_ints", "parse_strings"])
def test_bad_weights(op, weight, why):
    for form in (cpu, reference):
        got = getattr(form, op)(text(f"1,2,{weight}\n"), LineFormat(weight=2))
        assert got.first == [(0, 0, why, 0)]


def test_weights():
    values = [
        "1",
        "+2.5",
        " 3 ",
        '"4"',
        "1e-60",
        "-0",
        "1e-999",
        ".5",
        "5.",
        "3.4028235e38",
        "0." + "0" * 400 + "1",
    ]
    data = text("".join(f"1,2,{v}\n" for v in values))
    for form in (cpu, reference):
        got = form.parse_ints(data, LineFormat(weight=2)).weight
        assert got.dtype == np.float32
        assert got.tolist() == [1, 2.5, 3, 4, 0, 0, 0, 0.5, 5, float(np.finfo(np.float32).max), 0]
        assert not np.signbit(got).any()


def test_strings():
    data = text('a b,"c,d"\r\n# note\n  %x\n "say ""hi""" , é ,z\n\t\nlast,one')
    got = parse_strings(data, LineFormat())
    assert unpack(got.src) == ["a b", 'say "hi"', "last"]
    assert unpack(got.dst) == ["c,d", "é", "one"]
    assert (got.lines, got.bad) == (6, 0)


@pytest.mark.parametrize("bad", [b"\xff", b"a\xc3", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf5\x80\x80\x80"])
def test_strings_are_utf8(bad):
    got = parse_strings(text(b"a," + bad + b"\n"), LineFormat())
    assert got.first == [(0, 0, Why.NOT_UTF8, 1)]


def test_blanks_as_delimiter():
    got = parse_ints(text("1 2\n  3\t 4  \n5 6 7 x\n"), LineFormat(delimiter=None))
    assert (got.src.tolist(), got.dst.tolist()) == ([1, 3, 5], [2, 4, 6])


def test_limits_of_int64():
    got = parse_ints(text("9223372036854775807,-9223372036854775808\n007,-0\n"), LineFormat())
    assert (got.src.tolist(), got.dst.tolist()) == ([2**63 - 1, 7], [-(2**63), 0])


@pytest.mark.parametrize("size", [0, 1, 63, 100, 1000, 40_000])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("op", ["parse_ints", "parse_strings"])
def test_equals_definition(op, weighted, size, threads):
    rng = np.random.default_rng(size)
    rows = zip(
        rng.integers(0, 10 ** rng.integers(1, 19, size)),
        rng.integers(0, 1000, size),
        rng.random(size).round(4),
        strict=True,
    )
    data = text("".join(f"{a},{b},{w}\n" for a, b, w in rows))
    form = LineFormat(weight=2 if weighted else None)
    ours, theirs = getattr(cpu, op)(data, form), getattr(reference, op)(data, form)
    for a, b in zip(
        [*ours.src, *ours.dst] if op == "parse_strings" else [ours.src, ours.dst],
        [*theirs.src, *theirs.dst] if op == "parse_strings" else [theirs.src, theirs.dst],
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)
    if weighted:
        np.testing.assert_array_equal(ours.weight, theirs.weight)
    assert (ours.lines, ours.bad, ours.first) == (size, 0, [])


def test_describes_as_many_bad_lines_as_asked(threads):
    data = text("1,2\nbad\n" * 100_000)
    got = parse_ints(data, LineFormat(), skip=True, keep=4)
    assert (len(got.src), got.bad, got.lines) == (100_000, 100_000, 200_000)
    assert [bad.line for bad in got.first] == [1, 3, 5, 7]
    assert [bad.offset for bad in got.first] == [4, 12, 20, 28]


def test_many_fields_before_a_quote_take_linear_time():
    # Looking for the quote from every field on would take minutes.
    edges = parse_ints(text("1,2" + "," * 4_000_000 + '"x"\n'), LineFormat())
    assert (edges.src.tolist(), edges.dst.tolist(), edges.bad) == ([1], [2], 0)
    assert parse_ints(text("1,2" + "," * 4_000_000 + '"x\n'), LineFormat()).first[0].why == Why.OPEN_QUOTE
