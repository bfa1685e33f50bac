"""How many threads the native core uses. No result depends on it."""

from __future__ import annotations

from weft import _core
from weft.errors import WeftValueError

__all__ = ["num_threads", "set_num_threads"]


def num_threads() -> int:
    """Threads the native core uses, the calling one included; at first the number of usable CPUs."""
    return _core.num_threads()


def set_num_threads(count: int) -> None:
    """Set how many threads the native core uses.

    Raises:
        WeftValueError: ``count`` is below 1.
    """
    if count < 1:
        raise WeftValueError(f"set_num_threads: count must be at least 1 (got {count})")
    _core.set_num_threads(count)
