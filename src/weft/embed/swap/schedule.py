"""In which order blocks are trained when tables lie on disk, and what that moves. Pure functions of sizes.

A block (i, j) shares rows with the blocks of row i and of column j alone, so it may be trained as soon as
(i-1, j) and (i, j-1) are: every such order gives the bits of the row-major one. A *panel* of context parts
stays in memory while *strips* of vertex parts pass through it:

    contexts →   0 1 2 | 3 4 5 | 6 7
    vertices 0   a a a | d d d | g g
    ↓        1   a a a | d d d | g g      a: the first strip on the first panel, then b, c, d …
             2   b b b | e e e | h h
             3   b b b | e e e | h h
             4   c c c | f f f | i i

In a pool every context part is read and written once, every vertex part once for each panel. The idea of
swapping parts is that of PyTorch-BigGraph (Lerer et al., MLSys 2019) and Marius (Mohoney et al., OSDI 2021),
whose sources and targets share a table; with two tables a panel keeps the traffic low and the bits the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from weft.config import show_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["BUFFERS", "Grid", "Step", "Swap", "choose", "pace"]

BUFFERS = 3  # strips in memory: one being read, one being trained, one being written
_PAIRS = 1e7  # trained a second by a thread
_DISK = 1e9  # bytes a second, read and written


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Blocks that are trained by one call.

    Attributes:
        panel: the number of the panel.
        strip: the number of the strip.
        heads: vertex parts.
        tails: context parts.
    """

    panel: int
    strip: int
    heads: range
    tails: range


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """How P x P blocks are cut.

    Attributes:
        parts: P.
        panel: context parts in memory at a time.
        strip: vertex parts that are read, trained and written together.
    """

    parts: int
    panel: int
    strip: int

    @property
    def panels(self) -> list[range]:
        """The context parts of each panel."""
        return _cut(self.parts, self.panel)

    @property
    def strips(self) -> list[range]:
        """The vertex parts of each strip."""
        return _cut(self.parts, self.strip)

    @property
    def buffers(self) -> int:
        """Strips in memory at a time."""
        return min(BUFFERS, len(self.strips))

    def steps(self) -> Iterator[Step]:
        """Every block once, in an order in which none comes before those above it and to its left."""
        for panel, tails in enumerate(self.panels):
            for strip, heads in enumerate(self.strips):
                yield Step(panel=panel, strip=strip, heads=heads, tails=tails)

    @property
    def moved(self) -> int:
        """Parts read in a pool, and as many written."""
        context = self.parts if len(self.panels) > 1 else 0
        vertex = self.parts * len(self.panels) if len(self.strips) > self.buffers else 0
        return context + vertex

    @property
    def held(self) -> int:
        """Parts in memory at a time, at most."""
        return self.panel + min(self.parts, self.buffers * self.strip)

    def seconds(self, compute: float, part: float, bandwidth: float) -> float:
        """What a pool takes.

        Strips move while others train. A change of panels is waited for.

        Args:
            compute: seconds of training.
            part: bytes of a part.
            bandwidth: bytes a second, of reads and writes together.
        """
        panels = 2 * part * self.parts / bandwidth if len(self.panels) > 1 else 0.0
        return max(compute, 2 * part * self.moved / bandwidth - panels) + panels


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """What of a run is on disk.

    Attributes:
        tables: whether the tables are; else only pairs.
        grid: panels and strips.
        capacity: pairs that are sorted together at most.
    """

    tables: bool
    grid: Grid
    capacity: int

    def describe(self, part: int) -> str:
        """A line for people; a part of a table is of so many bytes."""
        if not self.tables:
            return "pairs"
        grid, moved = self.grid, show_bytes(2 * part * self.grid.moved)
        return (
            f"tables and pairs, {moved} of tables moved for each pool; in memory {grid.panel} of "
            f"{grid.parts} context parts and {min(grid.parts, grid.buffers * grid.strip)} vertex parts"
        )


def choose(
    parts: int, threads: int, room: float, *, part: float, pool: int, pairs: Callable[[int, int], float]
) -> Grid | None:
    """The grid within ``room`` that is fastest at ordinary speeds, or None when none fits.

    Args:
        parts: P.
        threads: that train side by side, each in a row and a column of blocks of its own.
        room: bytes.
        part: bytes of a part.
        pool: pairs of a pool.
        pairs: bytes that the pairs of ``(strip, panel)`` parts take while they are read, sorted and trained.
    """
    found: list[Grid] = []
    for strip in {*range(1, min(parts, 4 * threads) + 1), -(-parts // BUFFERS)}:
        buffers = min(BUFFERS, -(-parts // strip))
        free = room - min(parts, buffers * strip) * part
        panel = next((c for c in range(parts, 0, -1) if c * part + pairs(strip, c) <= free), 0)
        if panel:
            panels = -(-parts // panel)
            found.append(Grid(parts=parts, panel=-(-parts // panels), strip=strip))

    def cost(grid: Grid) -> tuple[float, int]:
        # Of equals the one with thicker strips, up to where every thread has a second row to go on with.
        return pace(grid, threads, part=part, pool=pool), -min(grid.strip, 2 * threads)

    return min(found, key=cost, default=None)


def pace(grid: Grid, threads: int, *, part: float, pool: int) -> float:
    """Seconds of a pool at ordinary speeds: to compare grids, not to be told to anybody."""
    busy = min(threads, grid.strip, grid.panel)
    return grid.seconds(pool / (busy * _PAIRS), part, _DISK)


def _cut(count: int, size: int) -> list[range]:
    return [range(begin, min(begin + size, count)) for begin in range(0, count, size)]
