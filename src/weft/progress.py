"""How far something is: a bar on a terminal; elsewhere, as in logs, a line now and then."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from weft.errors import WeftValueError

if TYPE_CHECKING:
    from typing import TextIO

    from tqdm import tqdm

__all__ = ["Shown", "bar", "check_shown", "shown_here"]

Shown: TypeAlias = bool | Literal["lines"]
"""``True``: a bar; ``"lines"``: a line every ten seconds; ``False``: nothing."""

_SECONDS = 10.0  # between two lines; what is over sooner says nothing
_LINE = (
    "{desc}: {percentage:.0f} %, {n_fmt} of {total_fmt}{unit}, {rate_fmt}, about {remaining} left{postfix}"
)


def shown_here() -> Shown:
    """What suits stderr: a bar on a terminal, else lines."""
    return True if sys.stderr.isatty() else "lines"


def check_shown(shown: object) -> Shown:
    """How to show it; a text but ``"lines"`` is refused.

    Raises:
        WeftValueError: it is none.
    """
    if not isinstance(shown, str):
        return bool(shown)
    if shown == "lines":
        return "lines"
    raise WeftValueError(
        f"progress must be True (a bar), 'lines' (a line every {_SECONDS:.0f} s) or False (got {shown!r})"
    )


def bar(shown: Shown, **of: Any) -> tqdm[Any]:  # noqa: ANN401 - those of tqdm
    """A bar of tqdm on stderr, or one that writes lines.

    Args:
        shown: how.
        of: ``total``, ``unit``, ``desc``, ``initial`` … of the bar.
    """
    from tqdm import tqdm

    if check_shown(shown) != "lines":
        return tqdm(**of, disable=not shown)
    # miniters: the clock alone decides. delay: neither does the beginning make a line.
    when = {"mininterval": _SECONDS, "miniters": 1, "delay": _SECONDS}
    return tqdm(**of, **when, bar_format=_LINE, file=_Lines(sys.stderr))


class _Lines:
    """Makes a line of what tqdm writes over the line before."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, text: str) -> None:
        """Write what there is to read of it."""
        if line := text.strip():
            self._out.write(f"{line}\n")
            self._out.flush()

    def flush(self) -> None:
        """Let it out."""
        self._out.flush()
