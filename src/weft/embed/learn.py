"""One run from its beginning, or where it stopped, to its vectors."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.embed.checkpoint import Checkpoint, check_place, identity
from weft.embed.keeper import Keeper
from weft.embed.run import Run, complete
from weft.embed.validation import HiddenEdges, Validation, score_bytes
from weft.errors import WeftTypeError, WeftValueError
from weft.files import storage_errors, temporary_name
from weft.graph._lock import locked
from weft.sampling.holdout import hide_edges

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

    from weft.embed.plan import Plan
    from weft.embed.run import Settings, Step
    from weft.embed.start import Start
    from weft.graph import Graph

Watch = Callable[["Run", "Step"], None]
Show = Callable[["Run"], contextlib.AbstractContextManager[Watch]]

__all__ = ["Keeping", "Learned", "Scoring", "Show", "learn"]

_MOST_HIDDEN = 20_000  # they leave a standard error of 0.002


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where and how often the state is saved, and whether to go on from it.

    Attributes:
        path: of the checkpoint.
        every_minutes: between two.
        going_on: there is one to go on from.
    """

    path: Path
    every_minutes: float
    going_on: bool

    @classmethod
    def of(
        cls, checkpoint: str | os.PathLike[str] | None, every_minutes: float, resume: bool
    ) -> Keeping | None:
        """Check what was given, and look at what is there.

        Raises:
            WeftTypeError: ``every_minutes`` is not a number, or ``checkpoint`` no path.
            WeftValueError: it is negative; there is a checkpoint, and it would be lost; there is no place.
            FormatError: something else is there.
            StorageError: nothing can be written there.
        """
        if isinstance(every_minutes, bool) or not isinstance(every_minutes, int | float):
            raise WeftTypeError(f"every_minutes must be a number (got {every_minutes!r})")
        if not every_minutes >= 0:
            raise WeftValueError(f"every_minutes must be at least 0 (got {every_minutes:g})")
        if checkpoint is None:
            if resume:
                raise WeftValueError("fit: resume=True goes on from a checkpoint; give checkpoint=DIR")
            return None
        if not isinstance(checkpoint, str) and not hasattr(checkpoint, "__fspath__"):
            raise WeftTypeError(f"checkpoint must be a folder (got {checkpoint!r})")
        path = Path(checkpoint)
        there = check_place(path)
        if there and not resume:
            raise WeftValueError(
                f"fit: {path} holds the checkpoint of an unfinished run; go on from it with --resume "
                "(resume=True in Python), or remove it to begin anew"
            )
        return cls(path, every_minutes, there)


@dataclass(frozen=True, slots=True)
class Scoring:
    """How a run is scored on hidden edges.

    Attributes:
        share: of the edges to hide.
        patience: it is over after so many scores in a row that did not rise.
    """

    share: float
    patience: int

    def count(self, graph: Graph) -> int:
        """How many edges to hide."""
        edges = graph.num_edges if graph.directed else graph.num_edges // 2
        return min(_MOST_HIDDEN, max(1, round(self.share * edges)))

    def bytes(self, graph: Graph, dim: int) -> int:
        """Memory it takes to score."""
        return score_bytes(self.count(graph), graph.num_nodes, dim)

    def hide(self, graph: Graph, seed: int) -> tuple[Graph, HiddenEdges]:
        """The graph to learn from, in memory, and what to score by."""
        rest, edge_H2 = hide_edges(graph, self.count(graph), seed)
        hidden = HiddenEdges.of(graph, edge_H2, seed)
        graph.drop_pages()
        return rest, hidden


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """What a run leaves.

    Attributes:
        vertex: float32 ``[N, dim]``.
        context: float32 ``[N, dim]``; None: the method has none.
        history: float64 ``[S, 2]``: pairs trained so far, mean loss of the last pool.
        scores: float64 ``[K, 3]``: pairs trained so far, score, its standard error.
    """

    vertex: npt.NDArray[np.float32]
    context: npt.NDArray[np.float32] | None
    history: npt.NDArray[np.float64]
    scores: npt.NDArray[np.float64]


def learn(
    graph: Graph,
    plan: Plan,
    settings: Settings,
    *,
    params: Mapping[str, Any],
    scoring: Scoring | None,
    keeping: Keeping | None,
    scratch: Path | None,
    shown: Sequence[Show],
    start: Start | None = None,
) -> Learned:
    """Train both tables.

    Args:
        graph: with at least one edge.
        plan: sizes of the run.
        settings: what else decides it.
        params: those of the estimator that decide the result; a checkpoint must have the same.
        scoring: on hidden edges; None: nothing is hidden.
        keeping: of checkpoints; None: none.
        scratch: a folder for what the plan keeps on disk.
        shown: each is opened when the run stands where it begins, and called after each pool.
        start: the vectors to begin with; None: random ones.

    Raises:
        WeftValueError: training diverged, no edge can be hidden, or the checkpoint is of another run or in
            use by one.
        FormatError: the checkpoint is damaged.
        StorageError: a checkpoint cannot be written; the one before is intact.
        Interrupted: a signal came; the checkpoint holds the state.
    """
    with contextlib.ExitStack() as stack:
        if keeping is not None:
            stack.enter_context(locked(keeping.path))
        validation = None
        if scoring is None:
            run = stack.enter_context(Run(graph.in_memory(), plan, settings, scratch))
        else:
            rest, hidden = scoring.hide(graph, settings.seed)
            run = stack.enter_context(Run(rest, plan, settings, scratch))
            del rest  # the run lets go of it when the vectors are put in order
            folder = stack.enter_context(_folder(keeping))
            validation = Validation(hidden, settings.rounds, patience=scoring.patience, folder=folder)
        watchers: list[Watch] = [] if validation is None else [validation]
        keepers: list[Watch] = []
        if keeping is not None:
            parts = [part for part in (run, validation) if part is not None]
            checkpoint = Checkpoint(keeping.path, identity(params, plan, graph))
            if keeping.going_on:
                checkpoint.load(parts)
            keepers = [stack.enter_context(Keeper(checkpoint, parts, keeping.every_minutes))]
        if run.pools == 0:
            run.begin(start)
        elif validation is not None:
            validation.judge(run)
        watchers += [stack.enter_context(show(run)) for show in shown]
        complete(run, watchers + keepers)
        if validation is not None:
            validation.restore_best(run)
        vertex, context = run.finish()
        return Learned(vertex, context, run.history, run.scores)


@contextlib.contextmanager
def _folder(keeping: Keeping | None) -> Iterator[Path]:
    """A folder that goes with the run: beside the checkpoint, where the next run removes it after a kill."""
    if keeping is None:
        with tempfile.TemporaryDirectory(prefix="weft-") as folder:
            yield Path(folder)
        return
    place = temporary_name(keeping.path)
    with storage_errors("create", place):
        place.mkdir(parents=True)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
