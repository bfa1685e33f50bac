from __future__ import annotations

import pytest

from weft.config import parse_bytes, show_bytes
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


@pytest.mark.parametrize("text", ["", "GiB", "-1", 0, -5, "4 apples", "1e3", True, None, "0.0001B", "nan"])
def test_refuses(text):
    with pytest.raises(WeftValueError, match="budget must be a size such as 4GiB"):
        parse_bytes(text, "budget")


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 << 30, "5.0 GiB"), (3 << 40, "3.0 TiB")],
)
def test_for_people(size, text):
    assert show_bytes(size) == text
