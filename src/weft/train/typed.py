"""A training on a graph of several types: the nodes of one are told, from those of all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from weft.config import parse_bytes, show_bytes, show_count
from weft.embed.checkpoint import rows_digest
from weft.errors import WeftKeyError, WeftValueError
from weft.graph._plan import resident
from weft.graph._rows import edge_name
from weft.loader import NeighborLoader
from weft.loader.footprint import batch_bytes, row_bytes, waiting_bytes
from weft.nn import TypedBatched, TypedModel
from weft.rng import Op, key
from weft.train.classes import learned_from, show_classes
from weft.train.fitting import TORCH, TRIAL, Fitting, batches_of, cache_left
from weft.train.inputs import NodesOf, OnNan
from weft.train.node import NodeTask
from weft.train.plan import Plan
from weft.train.settings import Settings
from weft.train.store import Types
from weft.train.typed_inputs import features_by_type, open_tables

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    import numpy.typing as npt

    from weft.features import FeatureTable
    from weft.graph import HeteroGraph, Labels
    from weft.train.split import Split

    Given = str | os.PathLike[str] | npt.ArrayLike | FeatureTable

__all__ = [
    "TypedTraining",
    "check_model",
    "target_of",
    "turned",
]


class TypedTraining(Fitting):
    """As :class:`weft.train.Training`, for an R-GCN on a graph of several types.

    Nodes of a type without features have a learned vector each, ``hidden`` wide. It is part of the model, and
    in memory with both moments; ``SparseAdam`` moves those of a batch, without weight decay.

    Args:
        graph: messages go along its edges; see :meth:`weft.graph.HeteroGraph.with_reverse`.
        features: by type, what :class:`weft.train.Training` takes; of types that it does not name, those
            attached to the graph.
        labels: of the nodes of ``settings.target``; None: those attached to the graph.
        settings: what else decides it; the model must be ``rgcn``, the task ``node``.
        split: as for :class:`weft.train.Training`.
        memory: for rows of features of all types.
        on_nan: ``fail`` or ``zero``: whether NaN and infinity are refused or taken for 0.

    Raises:
        WeftKeyError: there is no such type of nodes.
        WeftTypeError: features are not given by type.
        WeftValueError: labels are missing or out of range, the target cannot be told from other types, no
            edge leads to it, features are of other nodes or broken, or a parameter does not fit.
        BudgetError: the memory does not suffice for the batches under way and a small cache.
        FormatError: a file is damaged.
        StorageError: a file cannot be read.
    """

    def __init__(
        self,
        graph: HeteroGraph,
        features: Mapping[str, Given] | None = None,
        labels: Labels | npt.ArrayLike | None = None,
        *,
        settings: Settings | None = None,
        split: Split | None = None,
        memory: int | str = "2GiB",
        on_nan: OnNan = "fail",
    ) -> None:
        self.settings = Settings(model="rgcn") if settings is None else settings
        check_model(self.settings)
        self._graph, self._base = graph, resident()
        self._target = target_of(graph, self.settings.target, labelled=labels is not None)
        nodes = NodesOf.type(graph, self._target)
        self._targets, self._split = learned_from(nodes, labels, split, self.settings)
        self._features, vectors = features_by_type(graph, features, on_nan)
        self._types = Types(
            target=self._target,
            edge_types=tuple(graph.edge_types),
            in_channels={name: one.shape[1] for name, one in self._features.items()},
            vectors=vectors,
        )
        self._sampled = turned(graph)
        batch, edges = self._trial()
        under_way = sum(batch[n] * one.shape[1] * one.dtype.itemsize for n, one in self._features.items())
        size = sum(one.nbytes for one in self._features.values())
        cache = cache_left(
            parse_bytes(memory), row_bytes(under_way, batches_of(self._split, self.settings)), size
        )
        self._table, self._tables = open_tables(self._features, cache, graph)
        self._task = NodeTask(
            self._sampled,
            self._table,
            self._targets,
            self._split,
            self.settings,
            clean=self.broken > 0,
            kind=self._target,
        )
        self._net = self._make_net()
        self.plan = self._make_plan(batch, edges, under_way, min(cache, size))

    @property
    def broken(self) -> int:
        """Features that are NaN or infinite and are taken for 0."""
        return sum(one.broken for one in self._features.values())

    def _given(self) -> dict[str, Any]:
        given = self._features.items()
        return {
            "target": self._target,
            "features": {name: f"{one.dtype} {list(one.shape)}" for name, one in given},
            "rows": {name: one.digest for name, one in given},
            "nan": self.broken,
        }

    def _graph_identity(self) -> dict[str, Any]:
        graph = self._graph
        return {
            "nodes": graph.num_nodes,
            "edges": {edge_name(kind): count for kind, count in graph.num_edges.items()},
            "sha256": [[*kind, rows_digest(rows)] for kind, rows in graph.rows.items()],
        }

    def _model(self) -> dict[str, Any]:
        graph, path = self._graph, self._graph.path
        return {
            "in_channels": self._types.in_channels.get(self._target, 0),
            "types": self._types,
            "source": {
                "graph": None if path is None else str(path.resolve()),
                "features": {
                    name: None if one.path is None else str(one.path) for name, one in self._features.items()
                },
                "nodes": graph.num_nodes[self._target],
                "edges": sum(graph.num_edges.values()),
                "clean": self.broken > 0,
                "ids": {
                    name: graph.nodes[name].ids.digest()
                    for name in (*self._types.in_channels, *self._types.vectors)
                },
            },
        }

    def _make_net(self) -> TypedBatched:
        settings, types = self.settings, self._types
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(key(settings.seed, Op.INIT) >> 32)
            gnn = TypedModel(
                types.in_channels,
                types.vectors,
                types.edge_types,
                settings.hidden,
                self._task.out,
                settings.layers,
                dropout=settings.dropout,
            )
        return TypedBatched(gnn, self._target, turned=True)

    def _trial(self) -> tuple[dict[str, int], int]:
        """Nodes of each type and edges of a batch, the most of a few."""
        assert self._split is not None
        nodes, edges = dict.fromkeys(self._graph.node_types, 0), 0
        with NeighborLoader(
            self._sampled,
            None,
            self.settings.num_neighbors,
            (self._target, self._split.train),
            self.settings.batch_size,
            direction="out",
            weighted=False,
            shuffle=True,
            seed=self.settings.seed,
            prefetch=0,
        ) as loader:
            for _, batch in zip(range(TRIAL), loader, strict=False):
                nodes = {name: max(most, len(batch[name].n_id)) for name, most in nodes.items()}
                edges = max(edges, sum(len(batch[kind].e_id) for kind in batch.edge_types))
        return nodes, edges

    def _make_plan(self, batch: dict[str, int], edges: int, under_way: int, cache: int) -> Plan:
        settings, types, split = self.settings, self._types, self._split
        assert split is not None
        assert self._targets is not None
        widths = {**types.in_channels, **dict.fromkeys(types.vectors, settings.hidden)}
        # As for graphs of one type.
        made = sum(count * 4 * (widths.get(n, 0) + 4 * settings.hidden) for n, count in batch.items())
        made += edges * (20 + 2 * 4 * max(settings.hidden, *widths.values()))
        rows = [
            f"{name} {one.shape[0]:,} × {one.shape[1]:,} {one.dtype}" for name, one in self._features.items()
        ]
        learned = [
            f"{name} {count:,} ({show_bytes(4 * count * settings.hidden)})"
            for name, count in types.vectors.items()
        ]
        batches = batches_of(split, settings)
        told = any(getattr(table, "window", 0) > 0 for table in self._table.values())
        waiting = waiting_bytes(batch_bytes(sum(batch.values()), edges), batches, told=told)
        return Plan(
            nodes=sum(self._graph.num_nodes.values()),
            edges=sum(self._graph.num_edges.values()),
            items=self._task.items,
            val=len(split.val),
            test=len(split.test),
            unit=f"{self._target} nodes",
            classes=show_classes(self._targets),
            batch_size=settings.batch_size,
            batch_nodes=sum(batch.values()),
            batch_edges=edges,
            epochs=settings.epochs,
            patience=settings.patience,
            rows="; ".join(rows) or "none",
            features=sum(one.nbytes for one in self._features.values()),
            cache=cache,
            model=f"{settings.model}, {settings.layers} layers, hidden {settings.hidden}, "
            f"{show_count(len(types.edge_types), 'type')} of edges"
            + (f", learned vectors of {settings.hidden}: {', '.join(learned)}" if learned else ""),
            parameters=sum(p.numel() for p in self._net.parameters()),
            graph=self._sampled.nbytes,
            batches=row_bytes(under_way, batches) + waiting + made,
            base=self._base + TORCH,
        )


def check_model(settings: Settings) -> None:
    """Refuse a model or a task that is for graphs of one type.

    Raises:
        WeftValueError: it is.
    """
    if settings.model != "rgcn":
        raise WeftValueError(
            f"train: the graph has types of nodes and edges, which {settings.model!r} does not know; give "
            "--model rgcn (model='rgcn' in Python)"
        )
    if settings.task != "node":
        raise WeftValueError(
            f"train: the task {settings.task!r} is for graphs of one type; of several types nodes are told "
            "(--task node). For edges, weft.loader.LinkNeighborLoader gives batches to a loop of your own"
        )


def target_of(graph: HeteroGraph, given: str | None, *, labelled: bool) -> str:
    """The type whose nodes are told.

    Args:
        graph: which has it.
        given: what was asked for; None: the only type that has labels.
        labelled: labels are given, too; whose, must then be said.

    Raises:
        WeftKeyError: there is no such type.
        WeftValueError: several types could be meant, or none, or no edge leads to it.
    """
    types = ", ".join(graph.node_types)
    if given is None:
        candidates = list(graph.labels)
        if labelled or len(candidates) != 1:
            why = "several types have labels" if len(candidates) > 1 else "no type has labels attached"
            raise WeftValueError(
                f"train: {'labels are given' if labelled else why}: which nodes are to be told? Give "
                f"--target NAME (target= in Python); the types are {types}"
            )
        given = candidates[0]
    if given not in graph.nodes:
        raise WeftKeyError(f"train: no nodes of type {given!r} to tell; the types are {types}")
    if not labelled and given not in graph.labels:
        have = ", ".join(graph.labels) or "none"
        raise WeftValueError(
            f"train: nodes of type {given!r} have no labels (those that have: {have}); give --labels FILE "
            "(labels= in Python), or attach some: weft attach DIR --type " + given + " --labels FILE"
        )
    if not any(kind[2] == given for kind in graph.rows):
        raise WeftValueError(
            f"train: no edges lead to nodes of type {given!r}, so the graph says nothing of them; "
            "import it without --directed, or with_reverse() in Python, for the way back"
        )
    return given


def turned(graph: HeteroGraph) -> HeteroGraph:
    """The graph in memory with every edge turned round under the name it has; weights are left out.

    To sample neighbours along edges that lead out of it then turns nothing round again, in any loader.
    """
    rows = {
        (target, called, source): replace(some, weight=None).reverse(graph.num_nodes[target])
        for (source, called, target), some in graph.rows.items()
    }
    graph.drop_pages()  # of a mapped graph, what turning it round has read
    return replace(graph, rows=rows, path=None)
