"""How much memory a run takes in each of its phases, and what must go to disk so that it fits.

Pure functions of sizes. Shapes: N nodes, P parts of R rows.
"""

from __future__ import annotations

from dataclasses import dataclass

from weft.config import show_bytes
from weft.embed.start import INITIALISED
from weft.embed.swap.pairs import PAIR_BYTES
from weft.embed.swap.reorder import piece
from weft.embed.swap.schedule import Grid, Swap, choose, pace
from weft.embed.swap.spill import CELL_BYTES
from weft.errors import BudgetError

__all__ = ["Footprint", "fit_into"]

# Measured on runs of 50,000 to 3 million nodes. A node while degrees are counted and sorted:
_DEAL = 90
# A node while it is dealt to another part, which only happens in memory:
_DEAL_AGAIN = 48
# Numbers that are initialised at a time pass through half a dozen arrays.
_START = 24 * INITIALISED
# Modules loaded on the way, stacks of threads, and huge pages not used to their end.
_REST = 12 << 20
# Buffers of the threads that read and write; buffers of tables that are written or read as a whole.
_TRANSFER, _ORDER, _SAVE = 8 << 20, 32 << 20, 8 << 20
_CHUNKS = 512  # of a pool, at most: each knows where its cells begin
# Names of what a refusal lists. Those of vectors grow with dim.
_BASE, _PAIRS = "in use already", "pairs and walks"
_VECTORS = ("parts in memory", "vectors put in order", "tables", "vectors copied")
# The pairs of some blocks may be more than their share by so much.
_CROWDED = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """Sizes of a run that decide how much memory it takes.

    Attributes:
        base: bytes of the process before the run.
        graph: bytes of the graph's rows and of the alias tables of its weights.
        nodes: N.
        parts: P.
        rows: R.
        width: floats in a row.
        dim: floats of a vector.
        pool: pairs of a pool.
        walk: bytes of a walk for each of its pairs.
        draw: bytes taken by drawing some walks.
        threads: that sort pairs and train.
        hub: share of the edges of the node with most.
        back: share of the pairs that are a node with itself.
        count: of tables: two, one where it is both (LINE's first order), three for both orders. Only two can
            be on disk.
    """

    base: int
    graph: int
    nodes: int
    parts: int
    rows: int
    width: int
    dim: int
    pool: int
    walk: float
    draw: int
    threads: int
    hub: float
    back: float
    count: int = 2

    @property
    def part(self) -> int:
        """Bytes of a part of one table."""
        return self.rows * self.width * 4

    @property
    def tables(self) -> int:
        """Bytes of all tables."""
        return self.count * self.parts * self.part

    @property
    def fixed(self) -> int:
        """Bytes that are there from the first pool to the last, whatever is on disk."""
        return sum(self._fixed.values())

    @property
    def _common(self) -> dict[str, int]:
        return {_BASE: self.base, "modules, stacks and rounding": _REST, "the graph": self.graph}

    @property
    def _fixed(self) -> dict[str, int]:
        places = 13 * self.nodes + 8 * self.parts * self.rows
        again = 0 if self.count == 2 else _DEAL_AGAIN * self.parts * self.rows
        return {**self._common, "where each node is": places + again}

    def peak(self, swap: Swap | None) -> int:
        """Bytes of the process when it holds most."""
        return sum(self.needs(swap).values())

    def needs(self, swap: Swap | None) -> dict[str, int]:
        """What the process holds when it holds most, by name, in bytes."""
        setup = {**self._common, "nodes by degree": _DEAL * self.nodes}
        phases = self._whole(swap) if swap is None or not swap.tables else self._swapped(swap)
        return max([setup, *phases], key=lambda phase: sum(phase.values()))

    def _swapped(self, swap: Swap) -> list[dict[str, int]]:
        """With the tables on disk: training, and putting vectors in order."""
        # Two chunks on their way, one being made, cells being read and put in order; the nodes of rows.
        order = (
            4 * self.parts * self.rows
            + 10 * piece(self.parts * self.rows, self.dim) * 4 * (self.dim + 1)
            + _ORDER
            + _START
        )
        train = {
            _VECTORS[0]: swap.grid.held * self.part,
            _PAIRS: self.batches(swap.capacity, swap.grid.panel),
            "buffers": _SAVE,
        }
        return [{**self._fixed, **train}, {**self._fixed, _VECTORS[1]: order}]

    def _whole(self, swap: Swap | None) -> list[dict[str, int]]:
        """With the tables in memory: training, beginning, and copying the vectors."""
        pairs = self.whole if swap is None else self.batches(swap.capacity, self.parts)
        tables = {**self._fixed, _VECTORS[2]: self.tables}
        # The graph is gone when the vectors are copied into its order, beside both tables.
        # With both orders, whose vectors are put side by side, beside all.
        copies = (2 if self.count == 3 else 1) * self.nodes * self.dim * 4
        return [
            {**tables, _PAIRS: pairs},
            {**tables, "first numbers": _START},
            {**tables, "the graph": 0, _VECTORS[3]: copies},
        ]

    @property
    def whole(self) -> int:
        """Bytes of a pool in memory: walks, and pairs; of some head parts twice while they are sorted."""
        twice = min(1.0, self.threads / self.parts)
        return int(self.pool * (self.walk + 8 * (1 + twice))) + self.draw

    def batches(self, capacity: int, panel: int) -> int:
        """Bytes of pairs that come from the disk, so many together, of knowing where, and of drawing them."""
        cells = -(-self.parts // panel) * self.parts
        return int(
            capacity * (PAIR_BYTES + self.walk)
            + -(-self.pool // capacity) * cells * CELL_BYTES
            + self.draw
            + _TRANSFER
        )

    def capacity(self, strip: int, panel: int) -> int:
        """Pairs of a batch: of a whole strip, or of as many of its parts as keep all threads busy."""
        return max(self.crowd(min(strip, 2 * self.threads), panel), self.pool // _CHUNKS)

    def crowd(self, strip: int, panel: int) -> int:
        """Pairs of so many head with so many tail parts, at most.

        Nodes are dealt so that parts have equal shares of the edges; a hub comes on top. Pairs of a node with
        itself, from walks that turned back, lie on the diagonal, which a strip may cross on one panel.
        """
        share = (strip / self.parts + self.hub) * (panel / self.parts + self.hub + self.back)
        return min(self.pool, int(self.pool * _CROWDED * share) + (1 << 12))

    def pace(self, swap: Swap) -> float:
        """Seconds of a pool, to compare ways."""
        return pace(swap.grid, self.threads, part=self.part if swap.tables else 0, pool=self.pool)

    def disk(self, swap: Swap | None) -> int:
        """Bytes on disk when most is there: tables, and pairs or vectors being put in order."""
        if swap is None:
            return 0
        return max(8 * self.pool, self.tables if swap.tables else 0) + (self.tables if swap.tables else 0)


def fit_into(limit: int, sizes: Footprint) -> Swap:
    """What must be on disk for a run to fit: pairs, or tables too.

    Args:
        limit: bytes.
        sizes: of the run.

    Raises:
        BudgetError: the run does not fit whatever is on disk.
    """
    if sizes.count != 2:
        refusal = _refusal(limit, sizes, None, "LINE keeps its first order in memory")
        raise BudgetError(f"{refusal}, or embed with the second order (order=2), whose tables may be on disk")
    ways = (_pairs_on_disk(limit, sizes), _tables_on_disk(limit, sizes))
    fit = [swap for swap in ways if swap is not None and sizes.peak(swap) <= limit]
    if fit:
        return min(fit, key=sizes.pace)
    least = [_smallest(sizes, tables=tables) for tables in (False, True)]
    swap = min((None, *least), key=sizes.peak)
    raise BudgetError(_refusal(limit, sizes, swap, "even with tables and pairs on disk"))


def _refusal(limit: int, sizes: Footprint, swap: Swap | None, how: str) -> str:
    """What is needed, all of it by name, and what would make it less."""
    needs = {name: size for name, size in sizes.needs(swap).items() if size}
    most = max((name for name in needs if name != _BASE), key=lambda name: needs[name])
    remedies = ["more memory"]
    if most in _VECTORS:
        remedies.append("a lower dim")
    if most == _PAIRS:
        remedies.append("a smaller window or walk_length")
    if most == _VECTORS[0]:
        remedies.append("more parts (these give other vectors)")
    need, listed = show_bytes(sum(needs.values())), [f"{name} {show_bytes(needs[name])}" for name in needs]
    return (
        f"embed: {sizes.nodes:,} nodes at dim={sizes.dim} need {need}, {how}; memory allows "
        f"{show_bytes(limit)}. They are: {', '.join(listed)}. Give {', or '.join(remedies)}"
    )


def _smallest(sizes: Footprint, *, tables: bool) -> Swap:
    """With tables or pairs on disk, the way that takes least memory."""
    panel = 1 if tables else sizes.parts
    grid = Grid(parts=sizes.parts, panel=panel, strip=1)
    return Swap(tables=tables, grid=grid, capacity=sizes.capacity(1, panel))


def _pairs_on_disk(limit: int, sizes: Footprint) -> Swap | None:
    room = limit - sizes.fixed - sizes.tables
    for strip in range(min(sizes.parts, 2 * sizes.threads), 0, -1):
        capacity = sizes.capacity(strip, sizes.parts)
        if sizes.batches(capacity, sizes.parts) <= room:
            grid = Grid(parts=sizes.parts, panel=sizes.parts, strip=strip)
            return Swap(tables=False, grid=grid, capacity=capacity)
    return None


def _tables_on_disk(limit: int, sizes: Footprint) -> Swap | None:
    grid = choose(
        sizes.parts,
        sizes.threads,
        limit - sizes.fixed - _SAVE,
        part=sizes.part,
        pool=sizes.pool,
        pairs=lambda strip, panel: sizes.batches(sizes.capacity(strip, panel), panel),
    )
    if grid is None:
        return None
    return Swap(tables=True, grid=grid, capacity=sizes.capacity(grid.strip, grid.panel))
