"""Numbers and names as people write them."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from weft.errors import WeftTypeError, WeftValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["check_names", "parse_bytes", "show_bytes", "show_count", "show_rows", "show_seconds"]

_UNITS = {"": 1, "B": 1}
_UNITS |= {f"{prefix}{form}": 1024 ** (i + 1) for i, prefix in enumerate("KMGT") for form in ("", "IB")}
_UNITS |= {f"{prefix}B": 1000 ** (i + 1) for i, prefix in enumerate("KMGT")}


def check_names(operation: str, given: Iterable[str], names: Iterable[str]) -> None:
    """Refuse an argument by a name that there is not.

    Args:
        operation: for the message.
        given: names of arguments.
        names: those that there are.

    Raises:
        WeftTypeError: one is not among them; the message names the nearest, and all.
    """
    known = list(names)
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            meant = f"did you mean {near[0]!r}? " if near else ""
            raise WeftTypeError(f"{operation}: there is no {name!r}; {meant}it takes {', '.join(known)}")


def parse_bytes(value: int | str, name: str = "memory") -> int:
    """Bytes from a number or a text such as ``4GiB``, ``512M`` or ``1.5 GB``.

    KiB and K are 1024 bytes, KB is 1000.

    Args:
        value: what was given.
        name: the parameter, for the message.

    Raises:
        WeftValueError: it is not a positive size.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d*)?)\s*([A-Za-z]*)\s*", str(value))
    factor = _UNITS.get(match[2].upper()) if match else None
    size = float(match[1]) * factor if match and factor else 0.0
    if isinstance(value, bool) or not 1 <= size < 1 << 63:
        raise WeftValueError(f"{name} must be a size such as 4GiB or 512M (got {value!r})")
    return int(size)


def show_bytes(size: float) -> str:
    """A size for people: ``1.5 GiB``."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def show_at_least(size: int) -> str:
    """A size for people that is not below ``size`` when they give it back: ``1.6 GiB``."""
    shown = size
    while parse_bytes(show_bytes(shown)) < size:
        shown += max(1, shown // 100)
    return show_bytes(shown)


def show_count(number: int, noun: str) -> str:
    """A number of things: ``1 node``, ``2,000 nodes``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def show_rows(rows: Mapping[str, str]) -> str:
    """Names and what is said of each, a line each."""
    return "".join(f"  {name:<8} {text}\n" for name, text in rows.items())


def show_seconds(seconds: float) -> str:
    """A time for people, to two places: ``4.2 s``, ``3 min 20 s``, ``5 h 10 min``, ``2 d 7 h``."""
    if seconds < 59.5:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    left, units = round(seconds), (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    first = next(i for i, (_, size) in enumerate(units) if left >= size)
    (name, size), (small, part) = units[first], units[first + 1]
    rest = left % size // part
    return f"{left // size} {name}" + (f" {rest} {small}" if rest else "")
