"""A training from what was given to what it leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from weft.config import parse_bytes
from weft.embed.checkpoint import graph_identity
from weft.errors import WeftTypeError, WeftValueError
from weft.graph import Graph, HeteroGraph
from weft.graph._plan import resident
from weft.loader import NeighborLoader
from weft.loader.footprint import batch_bytes, row_bytes, waiting_bytes
from weft.nn import Batched, model
from weft.rng import Op, key
from weft.train.classes import learned_from, show_classes
from weft.train.fitting import TORCH, TRIAL, Fitting, batches_of, cache_left
from weft.train.inputs import Features, OnNan
from weft.train.link import EdgeSplit, LinkTask
from weft.train.node import NodeTask
from weft.train.plan import Plan
from weft.train.settings import Settings

if TYPE_CHECKING:
    import os

    import numpy.typing as npt

    from weft.features import FeatureTable
    from weft.graph import Labels
    from weft.train.split import Split
    from weft.train.targets import Targets
    from weft.train.task import Task

__all__ = ["Training"]


class Training(Fitting):
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
        WeftTypeError: the graph has several types; see :class:`weft.train.TypedTraining`.
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
        if isinstance(graph, HeteroGraph):
            raise WeftTypeError("Training takes a graph of one type; weft.train.TypedTraining takes this one")
        if not isinstance(graph, Graph):
            raise WeftTypeError(
                f"train: graph must be a weft.Graph (got {type(graph).__name__}); weft.Graph.open(DIR) "
                "opens one"
            )
        self.settings = Settings() if settings is None else settings
        self._graph, self._base = graph, resident()
        self._targets: Targets | None = None
        self._split: Split | None = None
        self._edges: EdgeSplit | None = None
        if self.settings.task == "node":
            self._targets, self._split = learned_from(graph, labels, split, self.settings)
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
        cache = cache_left(
            parse_bytes(memory), row_bytes(batch_nodes * row, self._batches()), self._features.nbytes
        )
        # A node is drawn as often as it has edges to those that draw.
        self._table, ours = self._features.open(cache, hotness=graph.degree())
        self._tables = [self._table] if ours else []
        self._task = self._make_task()
        self._net = self._make_net()
        self.plan = self._make_plan(batch_nodes, batch_edges, min(cache, self._features.nbytes))

    @property
    def broken(self) -> int:
        """Features that are NaN or infinite and are taken for 0."""
        return self._features.broken

    def _given(self) -> dict[str, Any]:
        return {
            "features": f"{self._features.dtype} {list(self._features.shape)}",
            "rows": self._features.digest,
            "nan": self._features.broken,
        }

    def _graph_identity(self) -> dict[str, Any]:
        return graph_identity(self._graph)

    def _model(self) -> dict[str, Any]:
        features = self._features
        return {
            "in_channels": features.shape[1],
            "source": {
                "graph": None if self._graph.path is None else str(self._graph.path.resolve()),
                "features": None if features.path is None else str(features.path),
                "nodes": self._graph.num_nodes,
                "edges": self._graph.num_edges,
                "clean": features.broken > 0,
                "ids": self._graph.ids.digest(),
            },
        }

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
                degrees=settings.degrees,
            )
        return Batched(gnn, self._sampled, "out", settings.num_neighbors)

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
            for _, batch in zip(range(TRIAL), loader, strict=False):
                nodes, edges = max(nodes, len(batch.n_id)), max(edges, len(batch.e_id))
        return nodes, edges

    def _edges_beside(self, cache: int) -> int:
        """Bytes that edges to be told take beside the graph, with what became free while they were made."""
        if self._edges is None:
            return 0
        kept = self._sampled.nbytes + (cache if cache >= self._features.nbytes else 0)
        return max(0, resident() - self._base - kept)

    def _batches(self) -> int:
        """Of an epoch, or of its validation."""
        if self._split is not None:
            return batches_of(self._split, self.settings)
        assert self._edges is not None
        return -(-self._edges.train.shape[1] // self.settings.batch_size)

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
        row = batch_nodes * columns * features.dtype.itemsize
        told = getattr(self._table, "window", 0) > 0
        waiting = waiting_bytes(batch_bytes(batch_nodes, batch_edges), self._batches(), told=told)
        return Plan(
            nodes=self._graph.num_nodes,
            edges=self._graph.num_edges,
            items=self._task.items,
            val=val,
            test=test,
            unit="nodes" if self._split is not None else "edges",
            classes=None if self._targets is None else show_classes(self._targets),
            batch_size=settings.batch_size,
            batch_nodes=batch_nodes,
            batch_edges=batch_edges,
            epochs=settings.epochs,
            patience=settings.patience,
            rows=f"{features.shape[0]:,} × {columns:,} {features.dtype}",
            features=features.nbytes,
            cache=cache,
            model=f"{settings.model}, {settings.layers} layers, hidden {settings.hidden}",
            parameters=sum(p.numel() for p in self._net.parameters()),
            graph=self._sampled.nbytes + self._edges_beside(cache),
            batches=row_bytes(row, self._batches()) + waiting + made,
            base=self._base + TORCH,
        )
