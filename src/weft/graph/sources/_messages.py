"""What is wrong with a line, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weft.kernels.parse import BadLine, LineFormat, Why
from weft.kernels.parse.reference import fields_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    import numpy.typing as npt

__all__ = ["describe", "listed", "shorten"]

_AS_TEXT = "weft import --ids string (ids='string' in Python)"
_NO_QUOTES = "weft import --no-quotes (quote=None in Python)"


def describe(
    name: str,
    first_line: int,
    text: npt.NDArray[np.uint8],
    bad: BadLine,
    form: LineFormat,
    ends: Sequence[str] = ("source", "target"),
) -> str:
    """File, line number, the line itself and what was expected.

    Args:
        name: the file.
        first_line: number of the first line of ``text`` in the file, from 0.
        text: uint8 ``[K]``, what was parsed.
        bad: the line in question.
        form: how lines should be written.
        ends: what the two ids are called.
    """
    line = _line(text, bad.offset)
    where = f"{name} line {first_line + bad.line + 1}: {shorten(line.decode('utf-8', 'backslashreplace'))}"
    fields = fields_of(line, form) or []
    if bad.why == Why.EMPTY_ID:
        filled = len(fields) - next((i for i, f in enumerate(reversed(fields)) if f), len(fields))
        if filled < form.needed:
            bad = bad._replace(why=Why.FEW_FIELDS, detail=filled)
    return f"{where} {_problem(bad, fields, form, ends)}"


def shorten(text: str, limit: int = 60) -> str:
    """The text in quotes, cut when it is long."""
    return repr(text if len(text) <= limit else text[: limit - 3] + "...")


def listed(names: Iterable[object], most: int = 10) -> str:
    """The first few of many names, each cut when it is long, and how many more there are."""
    every = [str(name) for name in names]
    shown = ", ".join(name if len(name) <= 40 else name[:37] + "..." for name in every[:most])
    return f"{shown}, … and {len(every) - most:,} more" if len(every) > most else shown


def _line(text: npt.NDArray[np.uint8], offset: int) -> bytes:
    # A line may be as long as a block; its beginning is enough for a message, and for most fields.
    head = text[offset : offset + (1 << 16)].tobytes()
    return head.split(b"\n", 1)[0].removesuffix(b"\r")


def _problem(bad: BadLine, fields: list[bytes], form: LineFormat, ends: Sequence[str]) -> str:
    detail, end = bad.detail, ends[min(bad.detail, 1)]
    field = [form.src, form.dst][min(detail, 1)] if bad.why <= Why.NOT_UTF8 else form.weight
    got = (
        shorten(fields[field].decode("utf-8", "backslashreplace"), 40)
        if field is not None and field < len(fields)
        else ""
    )
    match bad.why:
        case Why.FEW_FIELDS:
            has = f"has {detail} field{'' if detail == 1 else 's'}"
            return f"{has}, expected {_expected(form, ends)}"
        case Why.OPEN_QUOTE:
            return (
                f"has a quote ({form.quote}) in field {detail + 1} that does not close on the line; "
                f"close it, or read with {_NO_QUOTES} when quotes are part of the text"
            )
        case Why.AFTER_QUOTE:
            return (
                f"has text after the closing quote of field {detail + 1}, expected a delimiter; "
                f"write a quote inside quotes twice, or read with {_NO_QUOTES}"
            )
        case Why.EMPTY_ID:
            return f"has an empty {end}, expected {_expected(form, ends)}"
        case Why.NOT_INTEGER:
            return f"has the {end} {got}, expected an integer; any text is an id with {_AS_TEXT}"
        case Why.ID_OVERFLOW:
            return f"has the {end} {got}, which does not fit into 64 bits; read it with {_AS_TEXT}"
        case Why.NOT_UTF8:
            return f"has the {end} {got}, which is not UTF-8; convert the file, e.g. iconv -f latin1 -t utf-8"
        case Why.NOT_NUMBER:
            return f"has the weight {got}, expected a number"
        case Why.NOT_FINITE:
            return f"has the weight {got}, expected a finite number"
        case Why.NEGATIVE:
            return f"has the weight {got}, expected a number that is not negative"


def _expected(form: LineFormat, ends: Sequence[str]) -> str:
    columns = {form.src: ends[0], form.dst: ends[1]}
    if form.weight is not None:
        columns[form.weight] = "weight"
    if len(columns) == form.needed:
        names = (form.delimiter or " ").join(columns[i] for i in range(form.needed))
        return f"{form.needed} ({names})".replace("\t", "<tab>")
    at = ", ".join(f"{columns[i]} in field {i + 1}" for i in sorted(columns))
    return f"at least {form.needed} ({at})"
