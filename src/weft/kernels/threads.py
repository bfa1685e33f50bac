"""How many threads the native core uses. No result depends on it."""

from __future__ import annotations

from weft import _core
from weft.errors import WeftValueError

__all__ = ["MOST", "num_threads", "set_num_threads"]

MOST = 4096
"""Threads at most."""


def num_threads() -> int:
    """Threads the native core uses, the calling one included; at first the number of usable CPUs."""
    return _core.num_threads()


def set_num_threads(count: int) -> None:
    """Set how many threads the native core uses; where the system starts fewer, it uses those.

    Raises:
        WeftValueError: ``count`` is not in 1 .. 4096.
    """
    if not 1 <= count <= MOST:
        raise WeftValueError(f"threads must be in 1 .. {MOST} (got {count})")
    _core.set_num_threads(count)
