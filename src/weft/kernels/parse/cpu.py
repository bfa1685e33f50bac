"""The parser in the native core."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from weft import _core
from weft.errors import WeftValueError
from weft.kernels.parse.format import BadLine, IntEdges, LineFormat, StringEdges, Why

__all__ = ["parse_ints", "parse_strings"]

U8 = npt.NDArray[np.uint8]


def parse_ints(text: U8, form: LineFormat, *, skip: bool = False, keep: int = 10) -> IntEdges:
    """Read lines whose ids are integers.

    Args:
        text: uint8 ``[K]``, whole lines; the last one may lack its newline.
        form: how an edge is written.
        skip: leave out lines that cannot be read; otherwise reading stops at the first of them, and the
            edges given are then of no use.
        keep: how many bad lines to describe.

    Raises:
        WeftValueError: ``text`` is not a contiguous uint8 ``[K]``.
    """
    lines = _count(text)
    src, dst = np.empty(lines, np.int64), np.empty(lines, np.int64)
    weight = np.empty(0 if form.weight is None else lines, np.float32)
    rows, bad, overflow, first = _core.parse_ints(text, *_settings(form, skip, keep), src, dst, weight)
    return IntEdges(
        src[:rows],
        dst[:rows],
        None if form.weight is None else weight[:rows],
        lines,
        bad,
        overflow,
        _described(first),
    )


def parse_strings(text: U8, form: LineFormat, *, skip: bool = False, keep: int = 10) -> StringEdges:
    """Read lines whose ids are strings in UTF-8; as ``parse_ints``."""
    lines = _count(text)
    src, src_offsets = np.empty(len(text), np.uint8), np.empty(lines + 1, np.int64)
    dst, dst_offsets = np.empty(len(text), np.uint8), np.empty(lines + 1, np.int64)
    weight = np.empty(0 if form.weight is None else lines, np.float32)
    rows, bad, overflow, first = _core.parse_strings(
        text, *_settings(form, skip, keep), src, src_offsets, dst, dst_offsets, weight
    )
    return StringEdges(
        (src[: src_offsets[rows]], src_offsets[: rows + 1]),
        (dst[: dst_offsets[rows]], dst_offsets[: rows + 1]),
        None if form.weight is None else weight[:rows],
        lines,
        bad,
        overflow,
        _described(first),
    )


def _count(text: U8) -> int:
    if text.dtype != np.uint8 or text.ndim != 1 or not text.flags.c_contiguous:
        raise WeftValueError(
            f"parse: text must be contiguous uint8 [K] (got {text.dtype} {list(text.shape)})"
        )
    return _core.count_lines(text)


def _settings(
    form: LineFormat, skip: bool, keep: int
) -> tuple[int, int, npt.NDArray[np.uint8], int, int, int, bool, int]:
    return (
        0 if form.delimiter is None else ord(form.delimiter),
        0 if form.quote is None else ord(form.quote),
        np.frombuffer(form.comments.encode(), np.uint8),
        form.src,
        form.dst,
        -1 if form.weight is None else form.weight,
        skip,
        max(keep, 1),
    )


def _described(first: list[tuple[int, int, int, int]]) -> list[BadLine]:
    return [BadLine(offset, line, Why(why), detail) for offset, line, why, detail in first]
