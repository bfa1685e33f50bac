"""Events of nodes by time in NumPy: the definition.

Shapes: E events, R roots, S events drawn.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from weft import rng
from weft.errors import WeftValueError
from weft.kernels.philox.reference import draw
from weft.kernels.temporal.form import Drawn

__all__ = ["TemporalRows"]


class TemporalRows:
    """As :class:`weft.kernels.temporal.cpu.TemporalRows`: a list of events, searched one by one."""

    def __init__(self, nodes: int = 0, *, both: bool = True) -> None:
        self.nodes, self.both = nodes, both
        self.events: list[tuple[int, int, int, int]] = []  # source, target, time, number

    def append(self, source: npt.ArrayLike, target: npt.ArrayLike, time: npt.ArrayLike, number: int) -> None:
        """As there."""
        for i, (u, v, t) in enumerate(zip(*map(np.asarray, (source, target, time)), strict=True)):
            self.events.append((int(u), int(v), int(t), number + i))
            self.nodes = max(self.nodes, int(u) + 1, int(v) + 1)

    def remove(
        self, source: npt.ArrayLike, target: npt.ArrayLike, time: npt.ArrayLike, number: npt.ArrayLike
    ) -> None:
        """As there."""
        for event in zip(*map(np.asarray, (source, target, time, number)), strict=True):
            u, v, t, of = map(int, event)
            self.events.remove((u, v, t, of))

    def expire(self, before: int) -> None:
        """As there, of all nodes."""
        self.events = [event for event in self.events if event[2] >= before]

    def row(self, node: int) -> list[tuple[int, int, int]]:
        """Events of a node by time, of one time in the order of arrival: (time, number, other end)."""
        found = [(t, number, v) for u, v, t, number in self.events if u == node]
        if self.both:
            found += [(t, number, u) for u, v, t, number in self.events if v == node != u]
        return sorted(found)

    def sample(
        self,
        root: npt.ArrayLike,
        time: npt.ArrayLike,
        fanout: int,
        *,
        how: str = "recent",
        seed: int = 0,
        hop: int = 0,
        first: int = 0,
        item: npt.ArrayLike | None = None,
        replace: bool = False,
        inclusive: bool = False,
        window: int = 0,
    ) -> Drawn:
        """As there."""
        key = rng.key(seed, rng.Op.TEMPORAL)
        roots = np.asarray(root)
        items = (np.arange(len(roots)) + first if item is None else np.asarray(item)).tolist()
        out: list[tuple[int, int, int, int]] = []
        for i, (node, at) in enumerate(zip(roots.tolist(), np.asarray(time).tolist(), strict=True)):
            if not 0 <= node < self.nodes:
                raise WeftValueError(f"sample events: node {node} is not one of {self.nodes}")
            row = [e for e in self.row(node) if e[0] < at or (inclusive and e[0] == at)]
            row = [e for e in row if not window or e[0] >= at - window]
            places = list(range(len(row) - 1, -1, -1))[:fanout]
            if how == "uniform" and row and (replace or len(row) > fanout):
                places = _drawn(key, items[i], hop, len(row), fanout, replace=replace)
            out += [(i, row[place][2], row[place][1], row[place][0]) for place in places]
        row_S, node_S, number_S, time_S = zip(*out, strict=True) if out else ((), (), (), ())
        return Drawn(
            np.array(row_S, np.int64),
            np.array(node_S, np.uint32),
            np.array(number_S, np.uint32),
            np.array(time_S, np.int64),
        )


def _drawn(key: int, item: int, hop: int, size: int, wanted: int, *, replace: bool) -> list[int]:
    def word(j: int) -> int:
        return int(draw(key, np.array([item], np.uint64), j // 4, hop)[0, j % 4])

    if replace:
        return [word(j) * size >> 32 for j in range(wanted)]
    picked: list[int] = []
    for j in range(wanted):
        last = size - wanted + j
        pick = word(j) * (last + 1) >> 32
        picked.append(last if pick in picked else pick)
    return sorted(picked, reverse=True)
