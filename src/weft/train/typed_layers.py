"""A model over a whole graph of several types, layer by layer.

Shapes: N nodes of a type, B nodes whose rows are made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from weft.config import show_count
from weft.errors import WeftKeyError, WeftTypeError, WeftValueError
from weft.features import MemoryTable
from weft.graph._rows import edge_name
from weft.sampling import HeteroNeighborSampler
from weft.train.inputs import NodesOf, as_input
from weft.train.layerwise import Layers, batches, rows_of
from weft.train.typed import turned
from weft.train.typed_inputs import features_of, open_tables

if TYPE_CHECKING:
    from pathlib import Path

    from weft.features import FeatureTable
    from weft.graph import HeteroGraph
    from weft.graph.format import DirectoryWriter
    from weft.progress import Shown
    from weft.train.inputs import Features, NodeSet, OnNan
    from weft.train.layerwise import F32, I64
    from weft.train.store import Trained, Types

__all__ = ["TypedLayers", "check_types", "features_for", "needed", "rows_before"]


class TypedLayers(Layers):
    """Those of a graph of several types: of each layer only the types that the next one needs.

    Args:
        writer: see :class:`Layers`.
        trained: see :class:`Layers`.
        graph: whose nodes are told.
        features: by type.
        progress: see :class:`Layers`.
    """

    def __init__(
        self,
        writer: DirectoryWriter,
        trained: Trained,
        graph: HeteroGraph,
        features: Mapping[str, Features],
        *,
        progress: Shown,
    ) -> None:
        assert trained.types is not None
        self._types, self._needed = trained.types, needed(trained.types, trained.settings.layers)
        nodes = sum(graph.num_nodes[name] for names in self._needed for name in names)
        super().__init__(writer, trained, nodes, progress=progress)
        self._net, self._graph, self._rows = trained.typed_net(), graph, dict(features)
        incoming = turned(graph)
        self._around = {name: _Around(incoming, name) for name in self._needed[0]}

    def run(self, memory: int) -> F32:
        """As :meth:`Layers.run`."""
        made: dict[str, Path] = {}
        for i, names in enumerate(self._needed):
            before = made
            made = self._layer(i, names, memory)
            for path in before.values():
                if path.name.startswith("layer"):
                    path.unlink()
            self._rows = {
                name: rows_of(path, (self._graph.num_nodes[name], self._made(i)))
                for name, path in made.items()
            }
        return np.load(made[self._types.target], mmap_mode="r")

    def _layer(self, i: int, names: list[str], memory: int) -> dict[str, Path]:
        sources = {source for name in names for source in self._around[name].sources}
        given = {name: rows for name, rows in self._rows.items() if name in sources}
        tables, ours = open_tables(given, memory // 2, self._graph)
        clean = {name for name, rows in given.items() if rows.broken}
        if i == 0:
            for name in sources & self._types.vectors.keys():
                rows = self._net.gnn.rows_of(name).detach().numpy()
                tables[name] = MemoryTable(rows, copy=False)
        made: dict[str, Path] = {}
        try:
            for name in names:
                made[name] = self._told(i, name, tables, memory, clean)
        finally:
            for table in ours:
                table.close()
        return made

    def _told(self, i: int, name: str, tables: dict[str, FeatureTable], memory: int, clean: set[str]) -> Path:
        """The rows of the nodes of a type."""
        around = self._around[name]
        some = {source: tables[source] for source in around.sources}
        widest = max(table.shape[1] for table in some.values())
        edges = self._edges(memory, widest + self._made(i), int(np.diff(around.indptr).max(initial=0)))
        other = "" if name == self._types.target else f"_{self._graph.node_types.index(name)}"
        write, close = self._file(i, self._graph.num_nodes[name], other)
        with torch.no_grad():
            for seeds, found, rows in batches(around.draw, some, around.indptr, edges):
                out_BO = self._net.layer(
                    i,
                    name,
                    {one: as_input(torch.from_numpy(x), clean=one in clean) for one, x in rows.items()},
                    {kind: torch.from_numpy(edge_index) for kind, edge_index in found.items()},
                    seeds,
                )
                write(out_BO.numpy())
                self._bar.update(seeds)
        return close()


class _Around:
    """All neighbours of the nodes of a type.

    Args:
        graph: turned round.
        name: the type.
    """

    def __init__(self, graph: HeteroGraph, name: str) -> None:
        rows = {kind: some for kind, some in graph.rows.items() if kind[0] == name}
        self._name = name
        self.sources = list(dict.fromkeys([name, *(kind[2] for kind in rows)]))
        """Types whose rows are needed."""
        self.indptr: I64 = np.zeros(graph.num_nodes[name] + 1, np.int64)
        """Where each node's edges begin, those of all types together."""
        for some in rows.values():
            self.indptr += some.indptr
        self._sampler = (
            HeteroNeighborSampler.of(replace(graph, rows=rows), [-1], weighted=False, direction="out")
            if rows
            else None
        )

    def draw(self, begin: int, end: int) -> tuple[dict[str, I64], Any]:
        """Nodes of each type around nodes ``begin .. end-1``, these first, and the edges by type."""
        if self._sampler is None:
            return {self._name: np.arange(begin, end)}, {}
        found = self._sampler.sample({self._name: np.arange(begin, end)}, seed=0)
        return found.n_id, found.edge_index


def needed(types: Types, layers: int) -> list[list[str]]:
    """The types of nodes whose rows each layer must make, for the last to tell the target."""
    wanted = [[types.target]]
    for _ in range(layers - 1):
        sources = [kind[0] for kind in types.edge_types if kind[2] in wanted[0]]
        wanted.insert(0, list(dict.fromkeys([*wanted[0], *sources])))
    return wanted


def check_types(types: Types, graph: HeteroGraph, ids: Mapping[str, str]) -> None:
    """Refuse a graph that a model is not for.

    Args:
        types: those of the model.
        graph: whose nodes shall be told.
        ids: digests of the ids of the training's nodes, by type.

    Raises:
        WeftValueError: it has other types, or other nodes of a type whose vectors were learned.
    """
    if set(types.edge_types) != set(graph.edge_types):
        lacks = [edge_name(kind) for kind in types.edge_types if kind not in graph.rows]
        more = [edge_name(kind) for kind in graph.edge_types if kind not in types.edge_types]
        said = [f"lacks {', '.join(lacks)}"] * bool(lacks) + [f"has also {', '.join(more)}"] * bool(more)
        raise WeftValueError(
            f"predict: the model was trained on other types of edges: the graph {'; it '.join(said)}"
        )
    for name, count in types.vectors.items():
        if graph.num_nodes[name] != count:
            raise WeftValueError(
                f"predict: nodes of type {name!r} had no features, and vectors were learned for "
                f"{show_count(count, 'node')}; the graph has {graph.num_nodes[name]:,}. Train with features "
                "of these nodes to predict for others"
            )
        if graph.nodes[name].ids.digest() != ids.get(name):
            raise WeftValueError(
                f"predict: nodes of type {name!r} had no features, and vectors were learned for each by its "
                "number; the graph has others by their ids, or the same in another order. Train with "
                "features of these nodes to predict for others"
            )


def rows_before(path: str | None, nodes: NodeSet, ids: str | None, *, own: bool) -> str | None:
    """The file of the training's features, if it has a row for each of these nodes; None: the attached ones.

    Args:
        path: where it was.
        nodes: whose rows are looked for.
        ids: digest of the ids of the training's nodes: rows go by number.
        own: no other graph was given; what was attached to another comes first.
    """
    if path is None or (not own and nodes.features is not None):
        return None
    return path if nodes.ids.digest() == ids else None


def features_for(
    trained: Trained, graph: HeteroGraph, given: Mapping[str, Any] | None, on_nan: OnNan, *, own: bool
) -> dict[str, Features]:
    """The features that a model takes, by type.

    Args:
        trained: the model.
        graph: whose nodes they are of.
        given: by type.
        on_nan: ``fail`` or ``zero``.
        own: no other graph was given; what is not given is then what it was trained on.

    Raises:
        WeftKeyError: features are given for a type that took none.
        WeftTypeError: they are not given by type.
        WeftValueError: they are missing, of other nodes, of another width, or broken.
    """
    assert trained.types is not None
    widths, before = trained.types.in_channels, trained.source.get("features") or {}
    ids = trained.source.get("ids") or {}
    if given is not None and not isinstance(given, Mapping):
        raise WeftTypeError(
            f"predict: features of a graph of several types are given by type, as a dict (got "
            f"{type(given).__name__})"
        )
    given = dict(given or {})
    for name in given:
        if name not in widths:
            raise WeftKeyError(
                f"predict: features are given for nodes of type {name!r}; the model takes those of "
                f"{', '.join(widths) or 'no type'}"
            )
    features: dict[str, Features] = {}
    for name, width in widths.items():
        rows = given.get(name)
        known = rows is None
        if known:
            nodes = NodesOf.type(graph, name)
            rows = rows_before(before.get(name), nodes, ids.get(name), own=own)
        features[name] = features_of(graph, name, rows, on_nan, "predict", known=known)
        if features[name].shape[1] != width:
            raise WeftValueError(
                f"predict: features of nodes of type {name!r} have {features[name].shape[1]:,} columns, the "
                f"model was trained on {width:,}"
            )
    return features
