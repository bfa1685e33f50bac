"""A training run that goes pool by pool: it can stop after any of them and go on from there.

Shapes: N nodes, S pools.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from weft.embed.batches import MemoryBatches
from weft.embed.placement import Placement
from weft.embed.start import RandomStart
from weft.embed.swap.pairs import DiskBatches
from weft.embed.swap.scratch import Scratch
from weft.embed.swap.tables import SwappedTables
from weft.embed.tables import MemoryTables, Objective, Rate
from weft.errors import WeftValueError
from weft.kernels.memory import trim
from weft.rng import Op, key
from weft.sampling.pairs import PairPools

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from weft.embed.plan import Plan
    from weft.embed.tables import Tables
    from weft.graph import Graph
    from weft.graph.format import DirectoryReader, DirectoryWriter

__all__ = ["Run", "Settings", "Step", "complete"]

F32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What decides a run beside the graph and the sizes of the plan.

    Attributes:
        dim: of the vectors.
        num_negatives: of each pair.
        negative_weight: of all negatives of a pair together.
        learning_rate: at the beginning.
        weight_decay: 0 for none.
        seed: of everything that is drawn.
    """

    dim: int
    num_negatives: int
    negative_weight: float
    learning_rate: float
    weight_decay: float
    seed: int

    def objective(self) -> Objective:
        """The part that the kernels take."""
        return Objective(
            key=key(self.seed, Op.NEGATIVE),
            negatives=self.num_negatives,
            negative_weight=self.negative_weight / self.num_negatives,
            weight_decay=self.weight_decay,
        )


@dataclass(frozen=True, slots=True)
class Step:
    """What training one pool gave.

    Attributes:
        pairs: of the pool.
        loss: their mean loss, each taken before its step.
    """

    pairs: int
    loss: float


class Run:
    """All that a run changes is its tables and its history; the rest follows from the arguments.

    Call :meth:`begin` or :meth:`load` first, then :meth:`step` until it is :attr:`done`.

    Args:
        graph: in memory, with at least one edge.
        plan: its sizes.
        settings: what else decides it.
        scratch: a folder for what the plan keeps on disk.

    Raises:
        WeftValueError: the graph is damaged, or all weights of a node are zero.
        StorageError: the folder has not the room.
    """

    def __init__(self, graph: Graph, plan: Plan, settings: Settings, scratch: Path | None = None) -> None:
        self.plan, self.settings = plan, settings
        placement = Placement.of(graph, plan)
        self._pools = PairPools(
            graph,
            placement.row_N,
            length=plan.length,
            window=plan.window,
            walks=plan.walks,
            seed=settings.seed,
        )
        trim()
        self.scratch = None if scratch is None else Scratch(scratch)
        self._tables = self._place(placement)
        self._history: list[tuple[int, float]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        """Let go of what is on disk; vectors that :meth:`finish` gave stay."""
        if self.scratch is not None:
            self.scratch.close()

    def _place(self, placement: Placement) -> Tables:
        """Tables where the plan wants them."""
        plan, dim, objective = self.plan, self.settings.dim, self.settings.objective()
        if plan.swap is None:
            return MemoryTables(plan, placement, MemoryBatches(plan), dim=dim, objective=objective)
        assert self.scratch is not None
        batches = DiskBatches(plan, plan.swap, self.scratch)
        if not plan.swap.tables:
            return MemoryTables(plan, placement, batches, dim=dim, objective=objective)
        return SwappedTables(plan, placement, batches, self.scratch, dim=dim, objective=objective)

    def begin(self) -> None:
        """Start from random vectors."""
        self._tables.begin(RandomStart(self.settings.dim, self.settings.seed))
        trim()

    @property
    def pools(self) -> int:
        """Pools trained: the number of the next one."""
        return len(self._history)

    @property
    def pairs(self) -> int:
        """Pairs trained."""
        return self._history[-1][0] if self._history else 0

    @property
    def done(self) -> bool:
        """Whether all pairs of the plan are trained."""
        return self.pairs >= self.plan.pairs

    @property
    def history(self) -> npt.NDArray[np.float64]:
        """Float64 ``[S, 2]``: pairs trained so far, and the mean loss of the last pool."""
        return np.array(self._history, np.float64).reshape(-1, 2)

    def step(self) -> Step:
        """Train one pool.

        Raises:
            WeftValueError: the loss is not finite any more.
        """
        pool = self._pools.pool(self.pools, self.plan.pairs - self.pairs)
        pairs, loss = self._tables.train(pool, self.pairs, Rate(self.settings.learning_rate, self.plan.pairs))
        step, done = Step(pairs, loss / pairs), self.pairs + pairs
        if not np.isfinite(step.loss):
            rate = self.settings.learning_rate
            raise WeftValueError(
                f"embed: training diverged within {done:,} pairs (the loss is {step.loss}) at "
                f"learning_rate={rate:g}; try learning_rate={rate / 10:g}"
            )
        self._history.append((done, step.loss))
        return step

    def vectors(self, nodes: npt.NDArray[np.int64]) -> tuple[F32, F32]:
        """Vertex and context vectors of ``nodes`` as they are now: float32 ``[M, dim]`` each."""
        return self._tables.vectors(nodes)

    def save(self, writer: DirectoryWriter) -> None:
        """Write the tables and the history: all that another run with the same arguments needs to go on."""
        self._tables.save(writer)
        writer.write_array("history", self.history)

    def load(self, reader: DirectoryReader) -> None:
        """Go on where a run with the same arguments was saved.

        Raises:
            FormatError: the directory holds other arrays.
        """
        self._tables.load(reader)
        rows = reader.get("history", np.float64).tolist()
        self._history = [(int(pairs), loss) for pairs, loss in rows]

    def finish(self) -> tuple[F32, F32]:
        """Vertex and context vectors, float32 ``[N, dim]`` each, in graph order; the run is over."""
        del self._pools
        return self._tables.finish()


def complete(run: Run, watchers: Iterable[Callable[[Run, Step], None]]) -> None:
    """Train until the run is done; after each pool call every watcher in turn."""
    watchers = list(watchers)
    while not run.done:
        step = run.step()
        for watch in watchers:
            watch(run, step)
