from __future__ import annotations

import pytest

from weft.config import parse_bytes, show_bytes, show_count, show_seconds
from weft.errors import WeftValueError


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (1, 1),
        (1 << 40, 1 << 40),
        ("512", 512),
        ("4GiB", 4 << 30),
        ("4gib", 4 << 30),
        ("4 G", 4 << 30),
        ("1.5KiB", 1536),
        ("2MB", 2_000_000),
        ("1T", 1 << 40),
        ("7B", 7),
    ],
)
def test_sizes(text, size):
    assert parse_bytes(text) == size


@pytest.mark.parametrize(
    "text",
    ["", "GiB", "-1", 0, -5, "4 apples", "1e3", True, None, "0.0001B", "nan", "9" * 400, "1" + "0" * 19],
)
def test_refuses(text):
    with pytest.raises(WeftValueError, match="budget must be a size such as 4GiB"):
        parse_bytes(text, "budget")


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 << 30, "5.0 GiB"), (3 << 40, "3.0 TiB")],
)
def test_for_people(size, text):
    assert show_bytes(size) == text


def test_counts_for_people():
    assert [show_count(n, "node") for n in (0, 1, 2000)] == ["0 nodes", "1 node", "2,000 nodes"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (4.24, "4.2 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (200, "3 min 20 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h"),
        (18_600, "5 h 10 min"),
        (198_000, "2 d 7 h"),
    ],
)
def test_times_for_people(seconds, text):
    assert show_seconds(seconds) == text
