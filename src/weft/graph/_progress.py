"""One bar over all passes of an import."""

from __future__ import annotations

import time
from typing import Any, Self

__all__ = ["Progress"]

_FORMAT = "{desc}: {percentage:3.0f}%|{bar}|{postfix} [{elapsed}<{remaining}]"


class Progress:
    """A bar on stderr, or nothing.

    Args:
        shown: whether there is a bar.
        shares: the passes and the share of the whole time that each takes, roughly.
    """

    def __init__(self, shown: bool, shares: dict[str, float]) -> None:
        self._bar: Any = None
        total = sum(shares.values())
        self._shares = {name: share / total for name, share in shares.items()}
        self._done, self._name = 0.0, ""
        self._started = time.perf_counter()
        if shown:
            from tqdm import tqdm

            self._bar = tqdm(total=1.0, bar_format=_FORMAT, leave=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._bar is not None:
            if kind is None:
                self._bar.update(1.0 - self._bar.n)
            self._bar.close()

    def begin(self, name: str) -> None:
        """The pass before is complete and ``name`` begins."""
        self._done += self._shares.get(self._name, 0.0)
        self._name, self._started = name, time.perf_counter()
        if self._bar is not None:
            self._bar.set_description_str(name)

    def at(self, fraction: float, edges: int) -> None:
        """So much of the pass is done, and so many edges have gone through it."""
        if self._bar is None:
            return
        rate = edges / max(1e-6, time.perf_counter() - self._started)
        self._bar.set_postfix_str(f"{rate / 1e6:.1f} M edges/s", refresh=False)
        position = self._done + self._shares.get(self._name, 0.0) * min(1.0, fraction)
        self._bar.update(max(0.0, position - self._bar.n))
