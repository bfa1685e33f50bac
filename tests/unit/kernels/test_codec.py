"""Codecs of rows: the native core against the definition, and the definition against IEEE 754."""

from __future__ import annotations

import numpy as np
import pytest

from weft import _core
from weft.errors import WeftValueError
from weft.kernels.codec import (
    CODECS,
    columns_of,
    decode,
    encode,
    gather,
    record,
    reference,
    row_bytes,
    said_by,
)

NARROW = [codec for codec in CODECS if codec != "float32"]


def numbers(rows, columns, codec, seed=0):
    """Of all magnitudes that the codec holds, some exactly between two of its numbers."""
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 1 << 32, (rows, columns), np.uint32)
    bits[rng.random(bits.shape) < 0.3] &= 0xFFFFF000 if codec == "float16" else 0xFFFF8000
    out = bits.view(np.float32)
    if codec == "float16":  # most of float32's exponents would be 0 or too much
        out = (out.view(np.uint32) & 0x87FFFFFF | rng.integers(6, 9, out.shape, np.uint32) << 27).view(
            np.float32
        )
    wrong = reference.refused(out, codec)
    return np.where(wrong, np.float32(-0.0), out)


@pytest.mark.parametrize("codec", NARROW)
@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (63, 7), (100, 128), (1000, 33), (3, 5000)])
def test_native_is_the_definition(codec, shape, threads):
    rows = numbers(*shape, codec)
    rows[:1] = 0
    wanted = reference.encode(rows, codec)
    got = encode(rows, codec)
    np.testing.assert_array_equal(got, wanted)
    assert got.shape == (shape[0], row_bytes(codec, shape[1]))
    back = decode(got, codec)
    np.testing.assert_array_equal(back.view(np.uint32), reference.decode(wanted, codec).view(np.uint32))
    out = np.empty(shape, np.float32)
    assert decode(got, codec, out) is out
    np.testing.assert_array_equal(out.view(np.uint32), back.view(np.uint32))


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("columns", [0, 1, 7, 128, 3000])
@pytest.mark.parametrize("ids", [np.uint32, np.int64])
def test_gathering_is_decoding_what_is_picked(codec, columns, ids, threads):
    rows = encode(numbers(50, columns, codec), codec)
    for count in (0, 1, 63, 1000):
        wanted = np.random.default_rng(count).integers(0, 50, count).astype(ids)
        got = gather(rows, codec, wanted)
        decoded = reference.gather(rows, codec, wanted).reshape(count, columns)
        np.testing.assert_array_equal(got.view(np.uint32), decoded.view(np.uint32))


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(("ids", "match"), [([0, 3, 9], "id 1 is row 3 of 3"), ([-1], "id 0 is row -1 of 3")])
def test_ids_there_are_not(codec, ids, match, threads):
    with pytest.raises(WeftValueError, match=match):
        gather(encode(np.ones((3, 5)), codec), codec, np.array(ids))


@pytest.mark.parametrize("codec", ["float16", "bfloat16"])
def test_all_numbers_of_16_bits_come_back(codec):
    every = np.arange(1 << 16, dtype=np.uint16).reshape(-1, 64).view(np.uint8)
    values = decode(every, codec)
    if codec == "float16":
        known = every.view(np.float16).astype(np.float32)
    else:
        known = (every.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    np.testing.assert_array_equal(values, known)  # NaN equals NaN here
    np.testing.assert_array_equal(np.signbit(values), np.signbit(known))
    back = encode(values, codec).view(np.uint16)
    quiet = np.where(np.isnan(known), 0x200 if codec == "float16" else 0x40, 0)
    np.testing.assert_array_equal(back, every.view(np.uint16) | quiet)


@pytest.mark.parametrize("codec", ["float16", "bfloat16"])
def test_nearest_and_ties_to_even(codec):
    """Each number between two neighbours goes to the nearer; the one in the middle to the even one."""
    every = np.arange(0, 0x7BFF if codec == "float16" else 0x7F7F, dtype=np.uint16)
    low = decode(every.reshape(-1, 1).view(np.uint8), codec)[:, 0]
    high = decode((every + 1).reshape(-1, 1).view(np.uint8), codec)[:, 0]
    middle = ((low.astype(np.float64) + high) / 2).astype(np.float32)
    before, after = np.nextafter(middle, np.float32(0)), np.nextafter(middle, np.float32(np.inf))
    for value, wanted in ((before, every), (after, every + 1), (middle, every + (every & 1))):
        got = encode(value[:, None], codec).view(np.uint16)[:, 0]
        np.testing.assert_array_equal(got, wanted)
        np.testing.assert_array_equal(encode(-value[:, None], codec).view(np.uint16)[:, 0], wanted | 0x8000)


def test_int8_is_off_by_half_a_scale():
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((500, 40)).astype(np.float32) * 10.0 ** rng.integers(-30, 30, (500, 1))
    rows = rows.astype(np.float32)
    coded = encode(rows, "int8")
    scale = coded[:, -4:].copy().view(np.float32)
    np.testing.assert_array_equal(scale[:, 0], np.abs(rows).max(1) / np.float32(127))
    # Half a step, and what dividing by and multiplying with a rounded scale may add: 127 times 2^-23.
    assert (np.abs(decode(coded, "int8") - rows) <= scale * (0.5 + 127 * 2.0**-23)).all()


def test_int8_of_the_smallest():
    tiny = np.float32(1e-45)
    rows = np.array([[0, -0.0], [tiny, -tiny], [190 * tiny, -1 * tiny]], np.float32)
    np.testing.assert_array_equal(encode(rows, "int8"), reference.encode(rows, "int8"))
    assert decode(encode(rows, "int8"), "int8").tolist()[:2] == [[0, 0], [0, 0]]


@pytest.mark.parametrize(
    ("codec", "value", "match"),
    [
        ("float16", 65520.0, r"row 107, column 2 is 65520.0, past what float16 holds"),
        ("float16", -1e30, "past what float16 holds"),
        ("bfloat16", 3.4e38, "past what bfloat16 holds"),
        ("int8", np.nan, r"row 107, column 2 is nan, which int8 cannot hold"),
        ("int8", -np.inf, "is -inf, which int8 cannot hold"),
    ],
)
def test_numbers_that_cannot_be_held(codec, value, match, threads):
    rows = np.zeros((5000, 3), np.float32)
    rows[7:4000, 2] = value
    with pytest.raises(WeftValueError, match=match):
        encode(rows, codec, first=100)
    assert reference.refused(rows, codec)[7, 2]


@pytest.mark.parametrize("codec", ["float32", "float16", "bfloat16"])
def test_nan_and_infinity_stay(codec):
    rows = np.array([[np.nan, np.inf, -np.inf, 0.5]], np.float32)
    np.testing.assert_array_equal(decode(encode(rows, codec), codec), rows)


def test_other_dtypes_become_float32_first():
    rows = np.array([[1, -3], [200, 7]])
    np.testing.assert_array_equal(decode(encode(rows, "float16"), "float16"), rows)
    np.testing.assert_array_equal(decode(encode(rows > 2, "bfloat16"), "bfloat16"), rows > 2)
    with pytest.raises(WeftValueError, match=r"row 1, column 0 is 1e\+300, past what float32 holds"):
        encode(np.array([[np.inf], [1e300]]), "float32")


@pytest.mark.parametrize("codec", CODECS)
def test_records_say_what_they_are(codec):
    dtype, rest = record(codec, 12)
    assert row_bytes(codec, 12) == dtype.itemsize * max(1, *rest, 1)
    assert columns_of(codec, row_bytes(codec, 12)) == 12
    assert said_by(dtype) == (None if rest else (codec, 12))


@pytest.mark.parametrize(
    "dtype",
    [
        np.dtype("<f4"),
        np.dtype([("int8", "i1", (4,))]),
        np.dtype([("int8", "i1", (4,)), ("scale", "<f8")]),
        np.dtype([("int8", "i1"), ("scale", "<f4")]),
        np.dtype([("bfloat16", "<u2", (4, 2))]),
        np.dtype([("bfloat16", ">u2", (4,))]),
        np.dtype([("x", "<u2", (4,))]),
    ],
)
def test_other_records_are_none(dtype):
    assert said_by(dtype) is None


def test_arrays_that_do_not_fit():
    with pytest.raises(WeftValueError, match=r"codec must be one of float32, .* \(got 'int4'\)"):
        encode(np.ones((1, 1)), "int4")
    with pytest.raises(WeftValueError, match=r"numbers \[N, F\]"):
        encode(np.ones(3), "int8")
    with pytest.raises(WeftValueError, match="row of 3 bytes is none of int8"):
        decode(np.zeros((2, 3), np.uint8), "int8")
    with pytest.raises(WeftValueError, match="row of 5 bytes is none of float16"):
        decode(np.zeros((2, 5), np.uint8), "float16")
    with pytest.raises(WeftValueError, match="contiguous uint8"):
        decode(np.zeros((2, 8), np.uint8)[:, ::2], "float16")
    with pytest.raises(WeftValueError, match="out must be"):
        decode(np.zeros((2, 8), np.uint8), "float16", np.empty((2, 3), np.float32))
    with pytest.raises(WeftValueError, match=r"ids must be uint32 or int64"):
        gather(np.zeros((2, 8), np.uint8), "float16", np.zeros(3, np.int16))
    with pytest.raises(ValueError, match="are not rows of 3 columns"):
        _core.gather_decoded(0, np.zeros(8, np.uint8), 3, np.zeros(1, np.int64), np.zeros(3, np.float32))
    with pytest.raises(ValueError, match="are not rows of 3 columns"):
        _core.decode_rows(0, np.zeros(8, np.uint8), 3, np.zeros(4, np.float32))
    with pytest.raises(ValueError, match="none of number 3"):
        _core.decode_rows(3, np.zeros(8, np.uint8), 4, np.zeros(4, np.float32))
