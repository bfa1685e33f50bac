"""A training from what was given to what it leaves."""

from __future__ import annotations

import contextlib
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import torch

from weft.config import parse_bytes, show_bytes
from weft.embed.checkpoint import Checkpoint, graph_identity, pairs_saved, remove
from weft.embed.curves import check_curves
from weft.errors import BudgetError, WeftValueError
from weft.graph._lock import locked
from weft.graph._plan import resident
from weft.loader import NeighborLoader
from weft.nn import Batched, model
from weft.rng import Op, key
from weft.train.inputs import Features, OnNan
from weft.train.link import EdgeSplit, LinkTask
from weft.train.node import NodeTask
from weft.train.plan import Plan
from weft.train.run import Run
from weft.train.settings import Settings
from weft.train.split import Split
from weft.train.store import Trained
from weft.train.targets import Targets
from weft.train.watch import Bar, Curves, Keeper

if TYPE_CHECKING:
    import os

    import numpy.typing as npt

    from weft.features import FeatureTable
    from weft.graph import Graph, Labels
    from weft.progress import Shown
    from weft.train.task import Task

__all__ = ["Training", "fit"]

_TRIAL = 3  # batches drawn to see how large they are
_LEAST = 1 << 20  # bytes of a cache
_AHEAD = 4  # batches whose rows are in memory at once: being read, assembled, waiting, learned from


class Training:
    """A training, checked and ready to begin. It is a context manager, or needs :meth:`close`.

    Args:
        graph: neighbours are drawn along edges that come in.
        features: a ``.npy`` file, an array or a :class:`weft.features.FeatureTable`, row i being node i;
            None: those attached to the graph.
        labels: of the task ``node``, see :meth:`weft.train.Targets.of`; None: those attached to the graph.
        settings: what else decides it.
        split: of the task ``node``: which nodes are learned from; None: the split attached to the graph, else
            60 % of those with labels, 20 % validate, 20 % test. Of the task ``link``, 5 % of the edges are
            hidden to validate, 10 % to test.
        memory: for rows of features, in the cache and in batches under way.
        on_nan: ``fail`` or ``zero``: whether NaN and infinity are refused or taken for 0.

    Raises:
        WeftValueError: labels are missing or out of range, features are of other nodes or broken, or a
            parameter is none.
        BudgetError: the memory does not suffice for the batches under way and a small cache.
        FormatError: a file is damaged.
        StorageError: a file cannot be read.
    """

    def __init__(
        self,
        graph: Graph,
        features: str | os.PathLike[str] | npt.ArrayLike | FeatureTable | None = None,
        labels: Labels | npt.ArrayLike | None = None,
        *,
        settings: Settings | None = None,
        split: Split | None = None,
        memory: int | str = "2GiB",
        on_nan: OnNan = "fail",
    ) -> None:
        self.settings = Settings() if settings is None else settings
        self._graph, self._base = graph, resident()
        self._targets: Targets | None = None
        self._split: Split | None = None
        self._edges: EdgeSplit | None = None
        if self.settings.task == "node":
            self._targets = Targets.of_graph(graph, labels)
            known = self._targets.known()
            if split is None and graph.split is not None:
                split = Split.named(graph.split)
            self._split = Split.random(known, self.settings.seed) if split is None else split
            self._split.check(graph.num_nodes, known)
        elif labels is not None or split is not None:
            raise WeftValueError("train: labels and split are for the task 'node'; leave them out")
        self._features = Features.of(features, graph, on_nan)
        if self.settings.task == "link":
            self._edges = EdgeSplit.of(graph, self.settings.seed)
            self._sampled = self._edges.graph.reverse()
        else:
            sampled = graph.reverse()
            self._sampled = sampled if sampled.path is None else sampled.in_memory()
        batch_nodes, batch_edges = self._trial()
        row = self._features.shape[1] * self._features.dtype.itemsize
        cache = self._cache(parse_bytes(memory), _AHEAD * batch_nodes * row)
        # A node is drawn as often as it has edges to those that draw.
        self._table, self._ours = self._features.open(cache, hotness=graph.degree())
        self._task = self._make_task()
        self._net = self._make_net()
        self.plan = self._make_plan(batch_nodes, batch_edges, min(cache, self._features.nbytes))
        """What it will take."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the loaders and of the table, if it was opened here."""
        self._task.close()
        if self._ours:
            self._table.close()

    @property
    def broken(self) -> int:
        """Features that are NaN or infinite and are taken for 0."""
        return self._features.broken

    def identity(self) -> dict[str, Any]:
        """What a checkpoint must be of for this training to go on from it."""
        return {
            "params": {
                **self.settings.to_dict(),
                "features": f"{self._features.dtype} {list(self._features.shape)}",
                "rows": self._features.digest,
                "nan": self._features.broken,
                "labels": None if self._targets is None else self._targets.digest(),
                "split": None if self._split is None else self._split.digest(),
            },
            "plan": {},
            "graph": graph_identity(self._graph),
        }

    def fit(
        self,
        *,
        checkpoint: str | os.PathLike[str] | None = None,
        every_minutes: float = 10.0,
        resume: bool = False,
        tensorboard: str | os.PathLike[str] | None = None,
        progress: Shown = False,
    ) -> Trained:
        """Train.

        Torch's own generator is as it was afterwards.

        Args:
            checkpoint: a directory for the state of the run, kept until someone removes it; None: none.
            every_minutes: between two checkpoints; 0: after every batch; inf: only when interrupted.
            resume: go on from the checkpoint, if there is one: to the same bytes, on the same number of
                torch's threads.
            tensorboard: a folder for curves.
            progress: draw a bar; ``"lines"``: write a line every ten seconds.

        Raises:
            WeftValueError: training diverged, or the checkpoint is of another run or in use by one.
            FormatError: the checkpoint is damaged.
            StorageError: a checkpoint cannot be written, or features cannot be read.
            Interrupted: a signal came; the checkpoint holds the state.
            MissingExtraError: TensorBoard is asked for and not installed.
        """
        if not every_minutes >= 0:
            raise WeftValueError(f"train: every_minutes must be at least 0 (got {every_minutes:g})")
        if tensorboard is not None:
            check_curves()
        run = Run(self._net, self._task, self.settings)
        with contextlib.ExitStack() as stack:
            stack.enter_context(torch.random.fork_rng(devices=[]))
            keeper = None
            if checkpoint is not None:
                keeper = stack.enter_context(self._keep(run, Path(checkpoint), every_minutes, resume, stack))
            watchers: list[Any] = [stack.enter_context(Bar(run, draw=progress))]
            if tensorboard is not None:
                watchers.append(stack.enter_context(Curves(run, tensorboard)))
            self._complete(run, watchers if keeper is None else [*watchers, keeper])
            return self._trained(run)

    def _complete(self, run: Run, watchers: list[Any]) -> None:
        """Epoch after epoch, from where the run stands."""
        while not run.done:
            last = time.perf_counter()
            with contextlib.closing(self._task.batches(run.epoch, run.batch)) as batches:
                for batch in batches:
                    run.step(batch)
                    now = time.perf_counter()
                    run.seconds, last = run.seconds + now - last, now
                    for watcher in watchers:
                        watcher.after_batch()
            run.end_epoch()
            for watcher in watchers:
                watcher.after_epoch()

    def _keep(
        self, run: Run, path: Path, every_minutes: float, resume: bool, stack: contextlib.ExitStack
    ) -> Keeper:
        """Look at the place of the checkpoint, and go on from what is there if asked to."""
        stack.enter_context(locked(path))
        there = pairs_saved(path) is not None
        kept = Checkpoint(path, self.identity())
        if there and resume:
            kept.load([run])
        elif there:
            remove(path)
        return Keeper(run, kept, every_minutes)

    def _trained(self, run: Run) -> Trained:
        """What the run leaves, and what it is worth."""
        self._net.gnn.load_state_dict(run.best())
        history = run.history
        scores = {"epoch": float(run.best_epoch)}
        found = {"val": float(history[run.best_epoch - 1, 2]), "test": self._task.test(self._net)}
        features = self._features
        return Trained(
            weights={name: value.clone() for name, value in self._net.gnn.state_dict().items()},
            settings=self.settings,
            in_channels=features.shape[1],
            targets=self._targets,
            split=self._split,
            history=history,
            scores=scores | {part: score for part, score in found.items() if not math.isnan(score)},
            score_name=self._task.score_name,
            times={
                stage: round(seconds / max(1, self._task.taken), 6)
                for stage, seconds in self._task.seconds.items()
            },
            source={
                "graph": None if self._graph.path is None else str(self._graph.path.resolve()),
                "features": None if features.path is None else str(features.path),
                "nodes": self._graph.num_nodes,
                "edges": self._graph.num_edges,
                "clean": features.broken > 0,
            },
        )

    def _cache(self, memory: int, batches: int) -> int:
        """Bytes that are left for a cache.

        Raises:
            BudgetError: too few for one.
        """
        left = memory - batches
        if left < min(self._features.nbytes, _LEAST):
            raise BudgetError(
                f"train: of the memory of {show_bytes(memory)}, rows of the batches under way take "
                f"{show_bytes(batches)}; give at least {show_bytes(batches + _LEAST)}, or a smaller "
                "batch_size or num_neighbors"
            )
        return left

    def _make_task(self) -> Task:
        clean = self._features.broken > 0
        if self._edges is not None:
            return LinkTask(
                self._sampled,
                self._table,
                # Directed edges stand the other way round in what is sampled from.
                self._edges.turned() if self._graph.directed else self._edges,
                self.settings,
                clean=clean,
            )
        assert self._targets is not None
        assert self._split is not None
        return NodeTask(self._sampled, self._table, self._targets, self._split, self.settings, clean=clean)

    def _make_net(self) -> Batched:
        settings = self.settings
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(key(settings.seed, Op.INIT) >> 32)
            gnn = model(
                settings.model,
                self._features.shape[1],
                settings.hidden,
                self._task.out,
                settings.layers,
                dropout=settings.dropout,
                heads=settings.heads,
            )
        return Batched(gnn, self._sampled, "out")

    def _trial(self) -> tuple[int, int]:
        """Nodes and edges of a batch, the most of a few."""
        settings, nodes, edges = self.settings, 0, 0
        if self._split is None:
            seeds, batch = None, 2 * settings.batch_size * (1 + settings.negatives)  # both ends of all pairs
        else:
            seeds, batch = self._split.train, settings.batch_size
        with NeighborLoader(
            self._sampled,
            None,
            settings.num_neighbors,
            seeds,
            batch,
            direction="out",
            weighted=False,
            shuffle=True,
            seed=settings.seed,
            prefetch=0,
        ) as loader:
            for _, batch in zip(range(_TRIAL), loader, strict=False):
                nodes, edges = max(nodes, len(batch.n_id)), max(edges, len(batch.e_id))
        return nodes, edges

    def _make_plan(self, batch_nodes: int, batch_edges: int, cache: int) -> Plan:
        settings, features = self.settings, self._features
        if self._split is not None:
            val, test = len(self._split.val), len(self._split.test)
        else:
            assert self._edges is not None
            val, test = self._edges.val.shape[1], self._edges.test.shape[1]
        columns = features.shape[1]
        # Of each layer its rows, what comes before the activation and both gradients; of the widest the
        # messages of its edges, there and back.
        made = batch_nodes * 4 * (columns + 4 * settings.hidden) + batch_edges * (
            20 + 2 * 4 * max(columns, settings.hidden)
        )
        return Plan(
            nodes=self._graph.num_nodes,
            edges=self._graph.num_edges,
            items=self._task.items,
            val=val,
            test=test,
            unit="nodes" if self._split is not None else "edges",
            batch_size=settings.batch_size,
            batch_nodes=batch_nodes,
            batch_edges=batch_edges,
            epochs=settings.epochs,
            rows=f"{features.shape[0]:,} × {columns:,} {features.dtype}",
            features=features.nbytes,
            cache=cache,
            model=f"{settings.model}, {settings.layers} layers, hidden {settings.hidden}",
            parameters=sum(p.numel() for p in self._net.parameters()),
            graph=self._sampled.nbytes,
            batches=_AHEAD * batch_nodes * columns * features.dtype.itemsize + made,
            base=self._base,
        )


def fit(
    graph: Graph,
    features: str | os.PathLike[str] | npt.ArrayLike | FeatureTable | None = None,
    labels: Labels | npt.ArrayLike | None = None,
    *,
    split: Split | None = None,
    memory: int | str = "2GiB",
    on_nan: OnNan = "fail",
    checkpoint: str | os.PathLike[str] | None = None,
    every_minutes: float = 10.0,
    resume: bool = False,
    tensorboard: str | os.PathLike[str] | None = None,
    progress: Shown = False,
    **settings: Any,  # noqa: ANN401 - those of Settings
) -> Trained:
    """Train a model: :class:`Training`, begun and ended.

    Args:
        graph: see :class:`Training`.
        features: see :class:`Training`.
        labels: see :class:`Training`.
        split: see :class:`Training`.
        memory: see :class:`Training`.
        on_nan: see :class:`Training`.
        checkpoint: see :meth:`Training.fit`.
        every_minutes: see :meth:`Training.fit`.
        resume: see :meth:`Training.fit`.
        tensorboard: see :meth:`Training.fit`.
        progress: see :meth:`Training.fit`.
        settings: attributes of :class:`Settings`.
    """
    with Training(
        graph,
        features,
        labels,
        settings=Settings(**settings),
        split=split,
        memory=memory,
        on_nan=on_nan,
    ) as training:
        return training.fit(
            checkpoint=checkpoint,
            every_minutes=every_minutes,
            resume=resume,
            tensorboard=tensorboard,
            progress=progress,
        )
