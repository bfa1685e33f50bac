"""How long a run will take, from a moment of its work: walks of its graph, blocks of its size, its disk.

Shapes: R rows of a part.
"""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from weft.embed.batches import Batch
from weft.embed.clock import Clock
from weft.embed.placement import Placement
from weft.embed.swap.scratch import Scratch, aligned
from weft.embed.tables import Losses, Rate
from weft.kernels.alias import alias_tables
from weft.kernels.memory import trim, zeros_huge
from weft.kernels.pairs import bucket_pairs
from weft.kernels.threads import num_threads
from weft.sampling.pairs import PairPools

if TYPE_CHECKING:
    from pathlib import Path

    from weft.embed.plan import Plan
    from weft.embed.run import Settings
    from weft.graph import Graph

__all__ = ["Estimate", "estimate"]

_SECONDS = 0.3  # of each kind of work; less for runs of seconds
_PAIRS = 1 << 21  # trained between two looks at the clock, at most
_DRAWN = 1 << 20  # pairs drawn at a time
_CACHES = 64 << 20  # no processor keeps so much of a table near
_PROBE = 64 << 20  # bytes written and read to know a disk


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a run will take on this machine, as busy as it is now.

    Attributes:
        seconds: of the whole run.
        pairs: a second, while nothing waits for the disk; None: the method trains none.
        bandwidth: bytes a second that the disk reads and writes; None: it is not used.
    """

    seconds: float
    pairs: float | None
    bandwidth: float | None


def estimate(graph: Graph, plan: Plan, settings: Settings, scratch: Path | None = None) -> Estimate:
    """Work a second or so and reckon what all of it will take.

    Args:
        graph: what will be embedded.
        plan: of the run.
        settings: of the run.
        scratch: where the plan keeps what does not fit into memory.

    Raises:
        StorageError: the folder cannot be written to.
    """
    clock = Clock(min(_SECONDS, plan.pairs / 1e8))
    draw, sort, train = _draw(graph, plan, settings, clock), *_blocks(graph, plan, settings, clock)
    train *= 2 if settings.order == "both" else 1
    graph.drop_pages()
    trim()
    if plan.swap is None or scratch is None:
        return Estimate(seconds=plan.pairs * (draw + train), pairs=1 / (draw + train), bandwidth=None)
    bandwidth = _bandwidth(scratch)
    pool = min(plan.pool, plan.pairs)
    part = plan.part if plan.swap.tables else 0
    # Pairs are written while others are drawn; they are read, sorted again and trained.
    seconds = max(pool * draw, 8 * pool / bandwidth)
    seconds += plan.swap.grid.seconds(pool * (sort + train), part, bandwidth)
    # At either end vectors are put in order: each is written and read twice, of both tables.
    ends = 2 * 4 * 2 * plan.parts * part / bandwidth
    return Estimate(
        seconds=plan.pairs / pool * seconds + ends, pairs=1 / (draw + sort + train), bandwidth=bandwidth
    )


def _draw(graph: Graph, plan: Plan, settings: Settings, clock: Clock) -> float:
    """Seconds of drawing a pair, in blocks. Steps by weight cost a little more than those measured."""
    pools = PairPools(
        dataclasses.replace(graph, weight=None),
        np.arange(plan.nodes, dtype=np.uint32),
        length=plan.length,
        window=plan.window,
        walks=plan.walks,
        seed=settings.seed,
        p=settings.p,
        q=settings.q,
    )
    out = np.empty(max(_DRAWN, plan.pool // plan.walks), np.uint64)

    def some() -> int:
        pair_B, _ = next(pools.pool(0, plan.pool).block_chunks(plan.rows, plan.parts, out))
        return len(pair_B)

    return clock.each(some)


def _blocks(graph: Graph, plan: Plan, settings: Settings, clock: Clock) -> tuple[float, float]:
    """Seconds of sorting a pair that comes from the disk into its block, and of training it there."""
    heads, tails = _sample(plan)
    fresh_B, alias = _pairs(graph, plan, heads, tails)
    pair_B, scratch_B = fresh_B.copy(), np.empty_like(fresh_B)
    placement = Placement(np.zeros(0, np.uint32), alias)
    vertex, context = (
        zeros_huge((len(parts) * plan.rows, plan.width), np.float32).view(np.float32)
        for parts in (heads, tails)
    )

    def sort() -> int:
        np.copyto(pair_B, fresh_B)
        bucket_pairs(pair_B, plan.rows, len(tails), heads=heads, tails=tails, scratch=scratch_B)
        return len(pair_B)

    fresh = fresh_B.copy()
    offset = bucket_pairs(fresh, plan.rows, len(tails), heads=heads, tails=tails, scratch=scratch_B)
    batch = Batch(heads, tails, fresh, offset, offset[:-1].astype(np.uint64))
    rate = Rate(settings.learning_rate, plan.pairs + len(pair_B))

    def train() -> int:
        Losses(len(tails)).train(vertex, context, batch, placement, settings.objective(), rate)
        return len(pair_B)

    return clock.each(sort), clock.each(train)


def _sample(plan: Plan) -> tuple[range, range]:
    """Head and tail parts to try: a strip that keeps the threads busy, on more contexts than caches hold."""
    heads, held = min(plan.parts, 2 * num_threads()), 2 * plan.parts
    if plan.swap is not None and plan.swap.tables:
        held = plan.swap.grid.held
        heads = max(1, min(heads, held // 2))
    block = max(1, plan.pool // plan.parts**2)
    tails = min(plan.parts, held - heads, -(-_CACHES // plan.part))
    return range(heads), range(max(heads, min(tails, _PAIRS // (block * heads))))


def _pairs(
    graph: Graph, plan: Plan, heads: range, tails: range
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Pairs as blocks of these parts have them, and alias tables; nodes are met by their degree."""
    weight_R = np.zeros(plan.rows)
    dealt = np.sort(graph.degree())[:: -plan.parts]  # the cards of one part
    weight_R[: len(dealt)] = np.maximum(dealt, 1e-3)
    rng = np.random.default_rng(0)
    count = min(_PAIRS, max(1, plan.pool * len(heads) * len(tails) // plan.parts**2))
    head_B, tail_B = (
        rng.choice(plan.rows, count, p=weight_R / weight_R.sum())
        + rng.integers(0, len(parts), count) * plan.rows
        for parts in (heads, tails)
    )
    begins = np.arange(len(tails) + 1) * plan.rows
    alias = alias_tables(begins, np.tile(weight_R**0.75, len(tails)))
    return head_B.astype(np.uint64) << np.uint64(32) | tail_B.astype(np.uint64), alias


def _bandwidth(folder: Path) -> float:
    """Bytes a second of writing and reading."""
    with Scratch(folder) as scratch:
        file, buffer = scratch.file("a probe of the disk", _PROBE), aligned(_PROBE)
        begun = time.perf_counter()
        file.write(buffer, 0).wait()
        file.read(buffer, 0).wait()
        return 2 * _PROBE / (time.perf_counter() - begun)
