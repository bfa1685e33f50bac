"""A training run that goes pool by pool: it can stop after any of them and go on from there.

Shapes: N nodes, S pools.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
import numpy.typing as npt

from weft.embed.batches import MemoryBatches
from weft.embed.orders import BothOrders
from weft.embed.placement import Deals
from weft.embed.plan import row_width
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

    from weft.embed.placement import Placement
    from weft.embed.plan import Plan
    from weft.embed.start import Start
    from weft.embed.tables import Tables
    from weft.graph import Graph
    from weft.graph.format import DirectoryReader, DirectoryWriter

__all__ = ["Run", "Settings", "Step", "complete"]

F32 = npt.NDArray[np.float32]

_USUAL_RATE = 0.025  # the default: far above it, a tenth at a time would be a long way down


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What decides a run beside the graph and the sizes of the plan.

    Attributes:
        dim: of the vectors.
        num_negatives: of each pair.
        negative_weight: of all negatives of a pair together.
        learning_rate: at the beginning of each round.
        weight_decay: 0 for none.
        seed: of everything that is drawn.
        rounds: the pairs trained at the end of each, the last being all of the plan. In a round the learning
            rate falls linearly to nearly 0.
        order: of the proximity that LINE keeps: 2 for two tables, 1 for one that is both, or ``both``, each
            with half of the dimensions.
        p: of node2vec: a walk's going back weighs 1/p.
        q: of node2vec: a walk's going on to where the node before has no edge to weighs 1/q.
    """

    dim: int
    num_negatives: int
    negative_weight: float
    learning_rate: float
    weight_decay: float
    seed: int
    rounds: tuple[int, ...]
    order: Literal[1, 2, "both"] = 2
    p: float = 1.0
    q: float = 1.0

    def objective(self) -> Objective:
        """The part that the kernels take."""
        return Objective(
            key=key(self.seed, Op.NEGATIVE),
            negatives=self.num_negatives,
            negative_weight=self.negative_weight / self.num_negatives,
            weight_decay=self.weight_decay,
            tied=self.order == 1,
        )


@dataclass(frozen=True, slots=True)
class Step:
    """What training one pool gave.

    Attributes:
        pairs: of the pool.
        loss: their mean loss, each taken before its step.
        learning_rate: of the first of them.
    """

    pairs: int
    loss: float
    learning_rate: float


class Run:
    """All that a run changes is its tables, its history and its scores; the rest follows from the arguments.

    Call :meth:`begin` or :meth:`load` first, then :meth:`step` until it is :attr:`done`.

    Args:
        graph: in memory, with at least one edge.
        plan: its sizes.
        settings: what else decides it.
        scratch: a folder for what the plan keeps on disk.

    Raises:
        WeftValueError: the graph is damaged, all weights of a node are zero, or the plan is of another graph
            or of other parameters.
        StorageError: the folder has not the room.
    """

    def __init__(self, graph: Graph, plan: Plan, settings: Settings, scratch: Path | None = None) -> None:
        _check_plan(graph, plan, settings)
        self.plan, self.settings = plan, settings
        self._deals = Deals(graph, plan, key(settings.seed, Op.DEAL) if plan.tables != 2 else None)
        self._placement = self._deals.first
        self._pools = PairPools(
            graph,
            self._placement.row_N,
            length=plan.length,
            window=plan.window,
            walks=plan.walks,
            seed=settings.seed,
            p=settings.p,
            q=settings.q,
        )
        trim()
        self.scratch = None if scratch is None else Scratch(scratch)
        self._tables = self._make_tables()
        self._history: list[tuple[int, float]] = []
        self._scores: list[tuple[float, float, float]] = []
        self.over = False
        """Whether the run ends early."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        """Let go of what is on disk; vectors that :meth:`finish` gave stay."""
        if self.scratch is not None:
            self.scratch.close()

    def _place(self, placement: Placement) -> None:
        """Nodes stand there from now on."""
        if placement is not self._placement:
            self._placement = placement
            self._tables.move(placement)
            self._pools.place(placement.row_N)

    def _make_tables(self) -> Tables:
        """Tables where the plan wants them."""
        plan, dim, objective = self.plan, self.settings.dim, self.settings.objective()
        placement = self._placement
        if plan.swap is None:
            if self.settings.order == "both":
                return BothOrders(plan, placement, MemoryBatches(plan), dim=dim, objective=objective)
            return MemoryTables(plan, placement, MemoryBatches(plan), dim=dim, objective=objective)
        assert self.scratch is not None
        batches = DiskBatches(plan, plan.swap, self.scratch)
        if not plan.swap.tables:
            return MemoryTables(plan, placement, batches, dim=dim, objective=objective)
        return SwappedTables(plan, placement, batches, self.scratch, dim=dim, objective=objective)

    def begin(self, start: Start | None = None) -> None:
        """Start from given vectors, or random ones."""
        self._tables.begin(start or RandomStart(self.settings.dim, self.settings.seed))
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
        """Whether all pairs of the plan are trained, or the run is :attr:`over` early."""
        return self.over or self.pairs >= self.plan.pairs

    @property
    def history(self) -> npt.NDArray[np.float64]:
        """Float64 ``[S, 2]``: pairs trained so far, and the mean loss of the last pool."""
        return np.array(self._history, np.float64).reshape(-1, 2)

    @property
    def scores(self) -> npt.NDArray[np.float64]:
        """Float64 ``[K, 3]``: pairs trained so far, the score on hidden edges, and its standard error."""
        return np.array(self._scores, np.float64).reshape(-1, 3)

    def record(self, score: float, error: float) -> None:
        """Note the score of the vectors as they are now."""
        self._scores.append((self.pairs, score, error))

    def step(self) -> Step:
        """Train one pool.

        Raises:
            WeftValueError: the loss is not finite any more.
        """
        end, rate = self._round()
        self._place(self._deals.of(self.pools))
        pool = self._pools.pool(self.pools, end - self.pairs)
        pairs, loss = self._tables.train(pool, self.pairs, rate)
        step, done = Step(pairs, loss / pairs, rate.at(self.pairs)), self.pairs + pairs
        if not np.isfinite(step.loss):
            first = self.settings.learning_rate
            raise WeftValueError(
                f"embed: training diverged within {done:,} pairs (the loss is {step.loss}) at "
                f"learning_rate={first:g}; try learning_rate={min(first / 10, _USUAL_RATE):g}"
            )
        self._history.append((done, step.loss))
        return step

    def _round(self) -> tuple[int, Rate]:
        """The end of the round in work, and the line that falls from its beginning to 0 there."""
        ends = self.settings.rounds
        at = bisect.bisect_right(ends, self.pairs)
        begin, end = ends[at - 1] if at else 0, ends[at]
        return end, Rate(self.settings.learning_rate * (end / (end - begin)), end)

    def vectors(self, nodes: npt.NDArray[np.int64]) -> tuple[F32, F32]:
        """Vertex and context vectors of ``nodes`` as they are now: float32 ``[M, dim]`` each."""
        return self._tables.vectors(nodes)

    def save(self, writer: DirectoryWriter) -> None:
        """Write the tables and the history: all that another run with the same arguments needs to go on."""
        self._place(self._deals.first)
        self._tables.save(writer)
        writer.write_array("history", self.history)
        writer.write_array("scores", self.scores)

    def load(self, reader: DirectoryReader) -> None:
        """Go on where a run with the same arguments was saved.

        Raises:
            FormatError: the directory holds other arrays.
        """
        self.restore(reader)
        rows = reader.get("history", np.float64).tolist()
        self._history = [(int(pairs), loss) for pairs, loss in rows]
        self._scores = [tuple(row) for row in reader.get("scores", np.float64).tolist()]

    def restore(self, reader: DirectoryReader) -> None:
        """Take back the vectors of an earlier time; the history stays."""
        self._place(self._deals.first)
        self._tables.load(reader)

    def finish(self) -> tuple[F32, F32]:
        """Vertex and context vectors, float32 ``[N, dim]`` each, in graph order; the run is over."""
        del self._pools
        return self._tables.finish()


def _check_plan(graph: Graph, plan: Plan, settings: Settings) -> None:
    """Refuse a plan whose tables would not hold the vectors."""
    tables = {1: 1, 2: 2, "both": 3}[settings.order]
    if (plan.nodes, plan.tables) != (graph.num_nodes, tables) or plan.width != row_width(
        settings.dim, tables
    ):
        raise WeftValueError(
            f"fit: the plan is of {plan.nodes:,} nodes and {plan.tables} tables with rows of {plan.width}, "
            f"not of this graph ({graph.num_nodes:,} nodes) with order={settings.order!r} and "
            f"dim={settings.dim}; give what plan(graph) says now, or none"
        )


def complete(run: Run, watchers: Iterable[Callable[[Run, Step], None]]) -> None:
    """Train until the run is done; after each pool call every watcher in turn."""
    watchers = list(watchers)
    while not run.done:
        step = run.step()
        for watch in watchers:
            watch(run, step)
