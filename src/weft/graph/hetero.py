"""Graphs of several types of nodes and edges: immutable, in compressed rows, on disk or in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weft.config import show_count
from weft.errors import WeftKeyError
from weft.graph import _hetero_build, _hetero_pyg, _hetero_store
from weft.graph._checks import shape_of
from weft.graph._rows import EdgeType, Nodes, Rows, edge_name
from weft.kernels import memory

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    import numpy.typing as npt

    from weft.graph.graph import Duplicates
    from weft.graph.ids import Ids
    from weft.graph.labels import Labels

__all__ = ["HeteroGraph"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class HeteroGraph:
    """An immutable graph of several types of nodes, joined by several types of directed edges.

    A type of edges is a triple: the type of their sources, what they are called, the type of their targets.
    Nodes are numbered from 0 within their type. Types keep the order in which they were given.

    Attributes:
        nodes: what is known of the nodes of each type.
        rows: the edges of each type.
        path: the directory it was opened from.
    """

    nodes: Mapping[str, Nodes]
    rows: Mapping[EdgeType, Rows]
    path: Path | None = None

    @property
    def node_types(self) -> list[str]:
        """The types of nodes."""
        return list(self.nodes)

    @property
    def edge_types(self) -> list[EdgeType]:
        """The types of edges: (type of the source, relation, type of the target)."""
        return list(self.rows)

    @property
    def num_nodes(self) -> dict[str, int]:
        """How many nodes of each type there are."""
        return {name: len(nodes.ids) for name, nodes in self.nodes.items()}

    @property
    def num_edges(self) -> dict[EdgeType, int]:
        """How many edges of each type there are."""
        return {kind: len(rows.indices) for kind, rows in self.rows.items()}

    @property
    def ids(self) -> dict[str, Ids]:
        """How the ids of the input map to nodes, by type."""
        return {name: nodes.ids for name, nodes in self.nodes.items()}

    @property
    def labels(self) -> dict[str, Labels]:
        """Labels, of the types that have some."""
        return {name: n.labels for name, n in self.nodes.items() if n.labels is not None}

    @property
    def features(self) -> dict[str, npt.NDArray[Any]]:
        """Rows ``[N, F]``, or records ``[N]`` of a codec, of the types that have some."""
        return {name: n.features for name, n in self.nodes.items() if n.features is not None}

    @property
    def features_path(self) -> dict[str, Path]:
        """The files of the features of a graph that was opened, by type."""
        return _hetero_store.features_files(self)

    @property
    def nbytes(self) -> int:
        """Bytes of all indptr, indices and weights."""
        return sum(rows.nbytes for rows in self.rows.values())

    def __getitem__(self, kind: EdgeType) -> Rows:
        """The edges of a type.

        Raises:
            WeftKeyError: there is no such type.
        """
        if kind not in self.rows:
            raise WeftKeyError(
                f"no edges of type {kind!r}; there are {', '.join(map(edge_name, self.rows)) or 'none'}"
            )
        return self.rows[kind]

    def __repr__(self) -> str:
        nodes = (f"{name}: {len(some.ids):,}{_attached(some)}" for name, some in self.nodes.items())
        edges = (f"{edge_name(kind)}: {count:,}" for kind, count in self.num_edges.items())
        return (
            f"HeteroGraph({show_count(sum(self.num_nodes.values()), 'node')} ({', '.join(nodes)}), "
            f"{show_count(sum(self.num_edges.values()), 'edge')} ({', '.join(edges)}))"
        )

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, verify: bool = False) -> HeteroGraph:
        """Map a directory; checked as :meth:`weft.graph.Graph.open` does.

        Raises:
            FormatError: the directory is damaged, foreign or of another version.
        """
        nodes, rows = _hetero_store.load(path, verify=verify)
        return cls(nodes=nodes, rows=rows, path=Path(path))

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> HeteroGraph:
        """Write a directory and open it.

        Raises:
            WeftValueError: ``path`` exists and ``overwrite`` is not set.
            StorageError: the disk is full, or the system refuses otherwise.
        """
        _hetero_store.save(self, path, overwrite=overwrite)
        return HeteroGraph.open(path)

    @classmethod
    def from_edges(
        cls,
        edges: Mapping[EdgeType, Sequence[npt.ArrayLike]],
        num_nodes: Mapping[str, int] | None = None,
        *,
        ids: Mapping[str, npt.ArrayLike] | None = None,
        duplicates: Duplicates = "drop",
    ) -> HeteroGraph:
        """A graph in memory from arrays.

        Args:
            edges: for each type (source type, relation, target type) the integers ``(src, dst)`` or
                ``(src, dst, weight)``, each ``[E]``. Edges lead one way; see :meth:`with_reverse`.
            num_nodes: how many nodes of each type there are: edges give them as ``0 .. N-1``, and types
                without edges are named here alone. Of a type that is neither here nor in ``ids`` the distinct
                ids of all its edges are the nodes, in rising order.
            ids: of a type the id of each node ``0 .. N-1``: distinct strings, or integers that rise.
            duplicates: of several edges of one type with one source and target ``keep`` all, ``drop`` all but
                the first, or ``sum`` their weights.

        Raises:
            WeftValueError: a name cannot be one, lengths differ, an edge ends at no node, or a weight is
                negative, infinite or NaN.
        """
        nodes, rows = _hetero_build.build(edges, num_nodes or {}, ids or {}, duplicates)
        return cls(nodes=nodes, rows=rows)

    def with_reverse(self) -> HeteroGraph:
        """The graph with edges of type (target, ``rev_`` + relation, source) beside those of each type.

        Messages go along edges alone: without the reverse, what has no edges in learns of nobody. As
        ``torch_geometric.transforms.ToUndirected(merge=False)`` does.

        Raises:
            WeftValueError: there is such a type already.
        """
        return replace(self, rows=_hetero_build.with_reverse(self.num_nodes, self.rows), path=None)

    def in_memory(self) -> HeteroGraph:
        """The same graph with its rows copied to memory on huge pages, where random reads are fastest."""
        copy: Any = memory.copy_huge
        return replace(self, rows={kind: rows.map(copy) for kind, rows in self.rows.items()})

    def drop_pages(self) -> None:
        """Let go of the memory that reading a graph from disk took; it is read again when needed."""
        for rows in self.rows.values():
            for array in rows.arrays():
                memory.drop_pages(array)

    @classmethod
    def from_pyg(cls, data: Any, *, duplicates: Duplicates = "keep") -> HeteroGraph:  # noqa: ANN401
        """A graph in memory from ``torch_geometric.data.HeteroData``.

        Taken are each store's ``num_nodes`` and ``edge_index``; ``edge_weight``, or an ``edge_attr`` of one
        column, as the weight; a 2-D ``x`` as features; a ``y`` of one integer each, not negative, as label.

        Raises:
            WeftTypeError: it is no ``HeteroData``, or an ``edge_index`` is missing.
            WeftValueError: as in :meth:`from_edges`.
        """
        nodes, rows = _hetero_pyg.read(data, duplicates)
        return cls(nodes=nodes, rows=rows)

    def to_pyg(self) -> Any:  # noqa: ANN401
        """``torch_geometric.data.HeteroData`` with copies of everything, in memory.

        Edges stand in the order of the rows, so that an ``e_id`` of a sampler is a column of ``edge_index``.
        ``edge_weight``, ``x`` and ``y`` are there where weights, features and labels are; ``y`` is int64
        ``[N]``, the number of the label or -1, or of nodes with several labels bool ``[N, C]``.

        Raises:
            MissingExtraError: PyG is not installed.
        """
        return _hetero_pyg.write(self)


def _attached(nodes: Nodes) -> str:
    """What is attached to the nodes of a type, in words."""
    parts = [f"{len(nodes.labels.names):,} labels"] if nodes.labels is not None else []
    parts += [f"features {shape_of(nodes.features)}"] if nodes.features is not None else []
    parts += ["a split"] if nodes.split is not None else []
    return f" ({', '.join(parts)})" if parts else ""
