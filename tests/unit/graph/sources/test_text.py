from __future__ import annotations

import gzip

import numpy as np
import pytest
import zstandard

from weft.errors import IdRangeError, ParseError, StorageError, WeftValueError
from weft.graph.ids import Strings
from weft.graph.sources import TextOptions, TextSource, _blocks


@pytest.fixture
def write(tmp_path):
    def write(text, name="edges.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def ids(column):
    return column.take(np.arange(len(column))) if isinstance(column, Strings) else column.tolist()


def edges(source):
    out = []
    for chunk in source.chunks():
        weight = [None] * len(chunk) if chunk.weight is None else chunk.weight.tolist()
        out += list(zip(ids(chunk.src), ids(chunk.dst), weight, strict=True))
    return out


def read(path, **options):
    return edges(TextSource(path, TextOptions(**options)))


def plain(pairs):
    return [(a, b, None) for a, b in pairs]


# Bad input.


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n# only\n% comments\n\n", "holds no data: every line"),
        ("source,target\n", "holds no data: its only line is a header, 'source,target'"),
        ("a,b\n".encode("utf-16"), "UTF-16"),
        (b"\x7fELF\0\0\0", "is not text: byte 4"),
    ],
)
def test_files_without_edges(write, text, message):
    with pytest.raises(ParseError, match=message):
        read(write(text))


def test_missing(tmp_path):
    with pytest.raises(StorageError, match=r"cannot read .*nowhere\.csv: No such file"):
        TextSource(tmp_path / "nowhere.csv")


MESSAGES = [
    ("a1,", {}, "'a1,' has 1 field, expected 2 (source,target)"),
    ("a1", {}, "'a1' has 1 field, expected 2 (source,target)"),
    (",b", {}, "',b' has an empty source, expected 2 (source,target)"),
    ("a,b", {"weight": 2}, "'a,b' has 2 fields, expected 3 (source,target,weight)"),
    (
        "a,b",
        {"columns": (1, 4)},
        "'a,b' has 2 fields, expected at least 5 (source in field 2, target in field 5)",
    ),
    ("a,b,x", {"weight": 2}, "'a,b,x' has the weight 'x', expected a number"),
    ("a,b,nan", {"weight": 2}, "has the weight 'nan', expected a finite number"),
    ("a,b,-2", {"weight": 2}, "has the weight '-2', expected a number that is not negative"),
    (
        "a,7",
        {"ids": "int"},
        "'a,7' has the source 'a', expected an integer; any text is an id with weft import --ids string",
    ),
    (
        "7,9223372036854775808",
        {"ids": "int"},
        "does not fit into 64 bits; read it with weft import --ids string (ids='string' in Python)",
    ),
    ('"a,b', {}, 'has a quote (") in field 1 that does not close on the line'),
    ('"a"b,c', {}, "has text after the closing quote of field 1"),
    (b"a,\xff", {}, "has the target '\\\\xff', which is not UTF-8"),
    ("x" * 200, {}, "x...' has 1 field"),
]


@pytest.mark.parametrize(("line", "options", "message"), MESSAGES, ids=[m for _, _, m in MESSAGES])
def test_messages(write, line, options, message):
    line = line if isinstance(line, bytes) else line.encode()
    good = b"1,2,3,4,5\n" if options.get("ids") == "int" else b"p,q,1,r,s\n"
    path = write(b"# c\n" + good * 15 + line + b"\n" + good)
    with pytest.raises(ParseError) as error:
        read(path, header=False, **options)
    assert str(error.value).startswith(f"{path} line 17: '") or str(error.value).startswith(
        f'{path} line 17: "'
    )
    assert message in str(error.value)


def test_line_numbers_over_blocks(write):
    path = write("src,dst\n" + "10,20\n" * 5000 + "10,x\n" + "10,20\n" * 10)
    with pytest.raises(ParseError, match=r"line 5,?002: '10,x' has the target 'x'"):
        edges(TextSource(path, block=1000))


def test_skip_counts_and_keeps_ten(write):
    path = write("1,2\nbad\n" * 30)
    source = TextSource(path, TextOptions(on_error="skip", ids="int"), block=64)
    assert edges(source) == plain([(1, 2)] * 30)
    report = source.report()
    assert report.skipped == 30
    assert [int(m.split(" line ")[1].split(":")[0]) for m in report.messages] == list(range(2, 22, 2))
    edges(source)
    assert source.report() == report


@pytest.mark.parametrize("on_error", ["fail", "skip"])
def test_overflow_asks_for_strings(write, on_error):
    path = write("1,2\n" * 2000 + "7,99999999999999999999\n")
    source = TextSource(path, TextOptions(on_error=on_error))
    assert source.id_kind == "int"
    with pytest.raises(IdRangeError, match=r"line 2001.*does not fit into 64 bits"):
        edges(source)
    again = source.as_strings()
    assert again.id_kind == "string"
    assert edges(again)[-1] == ("7", "99999999999999999999", None)


def test_line_longer_than_a_block(write):
    with pytest.raises(ParseError, match="a line is longer than"):
        edges(TextSource(write("a,b\n" + "x" * 5000 + ",y\n"), block=1000))


@pytest.mark.parametrize("cut", [1, 8, 9, 30])
@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_truncated(write, cut, kind):
    text = b"".join(b"%d,%d\n" % (i * 7919 % 10007, i) for i in range(5000))
    packed = (
        gzip.compress(text) if kind == "gz" else zstandard.ZstdCompressor(write_checksum=True).compress(text)
    )
    path = write(packed[:-cut], f"edges.csv.{kind}")
    with pytest.raises(ParseError, match=rf"edges\.csv\.{kind} is truncated: it ends at byte"):
        edges(TextSource(path))


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_damaged(write, kind):
    text = b"".join(b"%d,%d\n" % (i * 7919 % 10007, i) for i in range(5000))
    packed = (
        gzip.compress(text) if kind == "gz" else zstandard.ZstdCompressor(write_checksum=True).compress(text)
    )
    path = write(packed[:4000] + bytes(200) + packed[4200:], f"edges.{kind}")
    with pytest.raises(ParseError, match=rf"edges\.{kind} is damaged"):
        edges(TextSource(path))


def test_bytes_after_a_gzip_stream(write):
    packed = gzip.compress(b"1,2\n")
    with pytest.raises(ParseError, match="damaged"):
        read(write(packed + b"junk", "a.gz"))
    assert read(write(packed + bytes(100), "b.gz")) == plain([(1, 2)])


@pytest.mark.parametrize(
    "options",
    [
        {"ids": "float"},
        {"on_error": "ignore"},
        {"columns": (0,)},
        {"delimiter": "::"},
        {"weight": 1},
        {"quote": ","},
    ],
    ids=str,
)
def test_options_are_checked(write, options):
    with pytest.raises(WeftValueError):
        read(write("a,b\nc,d\n"), **options)


def test_columns_that_are_not_there(write):
    with pytest.raises(ParseError, match=r"no column 'to'; it has from, t"):
        read(write("from,t\n1,2\n"), columns=("from", "to"))
    with pytest.raises(WeftValueError, match=r"'from' is a name, but .* without a header"):
        read(write("1,2\n"), columns=("from", "to"), header=False)


# What is guessed.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,2\n3,4\n", [(1, 2), (3, 4)]),
        ("1\t2\n3\t4", [(1, 2), (3, 4)]),
        ("1;2\n3;4\n", [(1, 2), (3, 4)]),
        ("1|2\n3|4\n", [(1, 2), (3, 4)]),
        ("1 2\n3   4\n", [(1, 2), (3, 4)]),
        ("1 2\n3\t4\n", [(1, 2), (3, 4)]),
        ("1, 2\n3, 4\n", [(1, 2), (3, 4)]),
        ("a,b;c\nd;e,f\n", [("a,b", "c"), ("d", "e,f")]),
        ("New York\tSan Jose\n", [("New York", "San Jose")]),
        ("# head\n1,2\r\n\r\n% mid\r\n3,4\r\n", [(1, 2), (3, 4)]),
        (b"\xef\xbb\xbf1,2\n", [(1, 2)]),
        (b"\xef\xbb\xbfsource,target\n1,2\n", [(1, 2)]),
        ('"1","2"\n', [(1, 2)]),
        ("a,b\n1,2\n", [(1, 2)]),
        ("user,item\nu0,i0\nu0,i1\nu1,i0\n", [("u0", "i0"), ("u0", "i1"), ("u1", "i0")]),
        ("ann,bob\nbob,cy\ncy,ann\n", [("ann", "bob"), ("bob", "cy"), ("cy", "ann")]),
        ("u0,i0\nu0,i1\nu1,i0\nu1,i2\n", [("u0", "i0"), ("u0", "i1"), ("u1", "i0"), ("u1", "i2")]),
        ("n,target,k,source\nx,1,y,2\n", [(2, 1)]),
        ("1,99999999999999999999\n", [("1", "99999999999999999999")]),
        ("1,b\n2,c\n", [("1", "b"), ("2", "c")]),
    ],
)
def test_layouts(write, text, expected):
    assert read(write(text)) == plain(expected)


def test_weight_only_when_its_name_says_so(write):
    assert read(write("1,2,5\n")) == plain([(1, 2)])
    assert read(write("a,b,w\n1,2,5\n")) == [(1, 2, 5.0)]
    assert read(write("a,b,time\n1,2,5\n")) == plain([(1, 2)])
    assert read(write("a,b,time\n1,2,5\n"), weight="time") == [(1, 2, 5.0)]
    assert read(write("a,b,w\n1,2,5\n"), weight=False) == plain([(1, 2)])
    assert read(write("1,2,5\n"), weight=2) == [(1, 2, 5.0)]
    assert read(write("1,2,5\n"), weight="2") == [(1, 2, 5.0)]


def test_guesses_can_be_overruled(write):
    path = write("a,b\n1,2\n")
    assert read(path, header=False, ids="string") == plain([("a", "b"), ("1", "2")])
    assert read(path, header=True, ids="string") == plain([("1", "2")])
    assert read(write("1,2\n3,4\n"), header=True) == plain([(3, 4)])
    assert read(write("x 1,2 y\n"), delimiter="comma") == plain([("x 1", "2 y")])
    assert read(write("1 2\n"), delimiter="space") == plain([(1, 2)])
    assert read(write("#1,#2\n"), comments="") == plain([("#1", "#2")])
    assert read(write('"a,"b\n'), quote=None) == plain([('"a', '"b')])


def test_notes_tell_what_was_guessed(write):
    source = TextSource(write("u,v,when\n1,2,3\n"))
    assert source.report().notes == (
        "line 1 is taken as a header: 'u,v,when'",
        "columns not used: when (--weight COLUMN, in Python weight=…, names the one of the weight)",
    )


def test_text_among_integers_is_told(write):
    source = TextSource(write("# c\nu,v\n1,2\n3,oops\n4,5\n"))
    assert source.id_kind == "string"
    assert (
        "ids are read as text because line 4 has 'oops'; weft import --ids int (ids='int' in Python) "
        "would refuse it" in source.report().notes
    )
    for text in ("a,b\nc,d\n", "a,1\nb,2\n1,c\n", "99999999999999999999,1\n", "1,2\n"):
        assert not any("read as text" in note for note in TextSource(write(text)).report().notes)


# Reading.


@pytest.mark.parametrize("kind", ["plain", "gz", "gz twice", "zst", "zst twice"])
@pytest.mark.parametrize("block", [64, 4096, 1 << 20])
def test_every_compression_and_block_gives_the_same(write, kind, block, threads):
    text = b"% x\n" + b"".join(b"%d\t%d\n" % (i * i, i) for i in range(3000)) + b"7\t8"
    half = text.index(b"\n", len(text) // 2)
    parts = [text[:half], text[half:]] if "twice" in kind else [text]
    pack = {"p": bytes, "g": gzip.compress, "z": zstandard.ZstdCompressor().compress}[kind[0]]
    path = write(b"".join(pack(part) for part in parts))
    source = TextSource(path, block=block)
    assert edges(source) == plain([(i * i, i) for i in range(3000)] + [(7, 8)])
    assert source.position == source.size_hint() == path.stat().st_size
    assert edges(source) == plain([(i * i, i) for i in range(3000)] + [(7, 8)])


def test_a_small_file_does_not_fill_the_memory(write):
    # 2 KiB of zstd are the most that is decompressed at once: 24 KiB of this file stand for 256 MiB.
    packer = zstandard.ZstdCompressor().compressobj()
    path = write(b"".join(packer.compress(b"1,2\n" * (1 << 20)) for _ in range(64)) + packer.flush())
    with path.open("rb") as file:
        assert max(map(len, _blocks._inflate(path, file, "zstd"))) <= 64 << 20


def test_reading_can_stop_early(write):
    source = TextSource(write("1,2\n" * 1000), block=64)
    chunks = source.chunks()
    assert len(next(chunks)) == 16
    chunks.close()
    assert len(edges(source)) == 1000
