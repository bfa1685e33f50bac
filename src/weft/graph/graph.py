"""The graph: immutable, in compressed rows, on disk or in memory."""

from __future__ import annotations

import operator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from weft.checks import check_int
from weft.config import show_count
from weft.errors import WeftKeyError, WeftTypeError, WeftValueError
from weft.graph import _store
from weft.graph._checks import integers, shape_of, weights
from weft.graph.ids import Ids
from weft.graph.labels import Labels
from weft.kernels import components, csr, memory

if TYPE_CHECKING:
    import os

__all__ = ["Graph"]

Duplicates = Literal["keep", "drop", "sum"]
SelfLoops = Literal["keep", "drop"]
I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class Graph:
    """An immutable graph of N nodes and E stored edges.

    The neighbours of node i are ``indices[indptr[i]:indptr[i+1]]``, in rising order. An undirected graph
    stores both directions of each edge, and a self-loop once.

    Attributes:
        indptr: int64 ``[N+1]``.
        indices: uint32 ``[E]``, or int64 where N > 2**32.
        weight: float32 ``[E]``, or None: every edge weighs 1.
        directed: whether an edge says nothing of its reverse.
        ids: how the ids of the input map to nodes.
        labels: labels of nodes, if attached.
        features: ``[N, F]``, if attached; of a codec, records ``[N]``: :func:`weft.features.open` decodes the
            file at :attr:`features_path`.
        split: what nodes are for (train, val, test), as labels, if attached.
        path: the directory it was opened from.
    """

    indptr: I64
    indices: npt.NDArray[np.uint32] | I64
    weight: npt.NDArray[np.float32] | None
    directed: bool
    ids: Ids
    labels: Labels | None = None
    features: npt.NDArray[Any] | None = None
    split: Labels | None = None
    path: Path | None = None

    @property
    def num_nodes(self) -> int:
        """N."""
        return len(self.indptr) - 1

    @property
    def num_edges(self) -> int:
        """E, the number of stored edges: an undirected edge counts twice, a self-loop once."""
        return len(self.indices)

    @property
    def features_path(self) -> Path | None:
        """The file of the features of a graph that was opened, for :mod:`weft.features`."""
        return self.path / "features.npy" if self.path is not None and self.features is not None else None

    @property
    def nbytes(self) -> int:
        """Bytes of indptr, indices and weight."""
        return self.indptr.nbytes + self.indices.nbytes + (0 if self.weight is None else self.weight.nbytes)

    def __repr__(self) -> str:
        parts = [
            show_count(self.num_nodes, "node"),
            show_count(self.num_edges, "edge"),
            "directed" if self.directed else "undirected",
        ]
        parts += ["weighted"] if self.weight is not None else []
        parts += [f"{len(self.labels.names):,} labels"] if self.labels is not None else []
        parts += [f"features {shape_of(self.features)}"] if self.features is not None else []
        return f"Graph({', '.join(parts)})"

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, verify: bool = False) -> Graph:
        """Map a graph directory.

        Sizes, headers, the manifest's checksum and the row offsets are checked; with ``verify`` every
        byte is read, checksums are compared, and neighbours must be nodes and rise within a row.

        Raises:
            FormatError: the directory is damaged, foreign or of another version.
        """
        return cls(**_store.load(path, verify=verify))

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Graph:
        """Write a graph directory and open it.

        Raises:
            WeftValueError: ``path`` exists and ``overwrite`` is not set.
            StorageError: the disk is full, or the system refuses otherwise.
        """
        _store.save(self, path, overwrite=overwrite)
        return Graph.open(path)

    @classmethod
    def from_edges(
        cls,
        src: npt.ArrayLike,
        dst: npt.ArrayLike,
        weight: npt.ArrayLike | None = None,
        *,
        num_nodes: int | None = None,
        directed: bool = False,
        duplicates: Duplicates = "drop",
        self_loops: SelfLoops = "keep",
    ) -> Graph:
        """A graph in memory from arrays.

        Args:
            src: integer ids ``[E]``.
            dst: integer ids ``[E]``.
            weight: ``[E]``, finite and not negative; None for an unweighted graph.
            num_nodes: N; ids are then ``0 .. N-1``. By default the distinct ids are
                the nodes, in rising order.
            directed: store edges as given; otherwise also in reverse.
            duplicates: of several edges with one source and target ``keep`` all, ``drop`` all but the first,
                or ``sum`` their weights.
            self_loops: ``keep`` or ``drop`` edges from a node to itself.

        Raises:
            WeftValueError: lengths differ, an id is out of range, or a weight is negative, infinite or NaN.
        """
        if num_nodes is not None:
            check_int("from_edges: num_nodes", num_nodes, -(1 << 62))
        if num_nodes is not None and num_nodes < 0:
            raise WeftValueError(f"from_edges: num_nodes must not be negative (got {num_nodes})")
        src_E, dst_E = integers("src", src), integers("dst", dst)
        if len(src_E) != len(dst_E):
            raise WeftValueError(f"from_edges: src has {len(src_E)} values, dst has {len(dst_E)}")
        ids, (src_E, dst_E) = _dense(src_E, dst_E, num_nodes)
        weight_E = None if weight is None else weights(weight, len(src_E))
        indptr, indices, merged = csr.edges_to_csr(
            src_E, dst_E, weight_E, len(ids), directed=directed, duplicates=duplicates, self_loops=self_loops
        )
        return cls(indptr=indptr, indices=indices, weight=merged, directed=directed, ids=ids)

    def degree(self) -> I64:
        """Number of stored edges that leave each node; int64 ``[N]``."""
        return np.diff(self.indptr)

    def neighbors(self, node: int) -> npt.NDArray[np.uint32] | I64:
        """Targets of the edges that leave ``node``, rising.

        Raises:
            WeftKeyError: there is no such node.
            WeftTypeError: it is no whole number.
        """
        try:
            node = operator.index(node)
        except TypeError:
            raise WeftTypeError(
                f"neighbors: node must be a whole number (got {node!r}); of an id it is graph.ids.node(ID)"
            ) from None
        if not 0 <= node < self.num_nodes:
            raise WeftKeyError(f"neighbors: node {node} is not in 0 .. {self.num_nodes - 1}")
        return self.indices[self.indptr[node] : self.indptr[node + 1]]

    def has_edges(self, src: npt.ArrayLike, dst: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Whether edges src → dst are stored; bool ``[B]``.

        Args:
            src: nodes, int64 ``[B]``.
            dst: nodes, int64 ``[B]``.
        """
        src_B, dst_B = integers("src", src), integers("dst", dst)
        if src_B.shape != dst_B.shape:
            raise WeftValueError(f"has_edges: src has {len(src_B)} values, dst has {len(dst_B)}")
        return csr.has_edges(self.indptr, self.indices, src_B, dst_B)

    def in_memory(self) -> Graph:
        """The same graph with its rows copied to memory on huge pages, where random reads are fastest."""
        copy: Any = memory.copy_huge
        weight = None if self.weight is None else copy(self.weight)
        return replace(self, indptr=copy(self.indptr), indices=copy(self.indices), weight=weight)

    def drop_pages(self) -> None:
        """Let go of the memory that reading a graph from disk took; it is read again when needed."""
        for array in (self.indptr, self.indices, self.weight):
            if array is not None:
                memory.drop_pages(array)

    def reverse(self) -> Graph:
        """The graph with every edge turned round; an undirected graph is its own reverse."""
        if not self.directed:
            return self
        indptr, indices, weight = csr.transpose(self.indptr, self.indices, self.weight)
        return replace(self, indptr=indptr, indices=indices, weight=weight, path=None)

    def turned(self) -> tuple[Graph, npt.NDArray[Any]]:
        """As :meth:`reverse`, and where each of its edges is in this graph: uint32 or int64 ``[E]``."""
        indptr, indices, places = csr.transpose_places(self.indptr, self.indices)
        weight = None if self.weight is None else self.weight[places]
        return replace(self, indptr=indptr, indices=indices, weight=weight, path=None), places

    def subgraph(self, nodes: npt.ArrayLike) -> Graph:
        """The graph that ``nodes`` induce: these nodes, in this order, and the edges among them.

        Ids, labels and features come along.

        Args:
            nodes: int64 ``[M]``, distinct; or bool ``[N]``.

        Raises:
            WeftValueError: a node is out of range or given twice.
        """
        chosen = np.asarray(nodes)
        if chosen.dtype == bool and chosen.shape != (self.num_nodes,):
            raise WeftValueError(
                f"subgraph: a mask must have the shape [{self.num_nodes}] (got {list(chosen.shape)})"
            )
        chosen = np.flatnonzero(chosen) if chosen.dtype == bool else integers("nodes", chosen)
        new_of_old = np.full(self.num_nodes, -1, np.int64)
        if len(chosen) and not (chosen.min() >= 0 and chosen.max() < self.num_nodes):
            raise WeftValueError(
                f"subgraph: nodes must be in 0 .. {self.num_nodes - 1} (got {int(chosen.max())})"
            )
        new_of_old[chosen] = np.arange(len(chosen))
        if len(chosen) != np.count_nonzero(new_of_old >= 0):
            raise WeftValueError("subgraph: a node is given twice; nodes must be distinct")
        counts = self.indptr[chosen + 1] - self.indptr[chosen]
        begin = np.cumsum(counts) - counts
        at = np.repeat(self.indptr[chosen] - begin, counts) + np.arange(int(counts.sum()))
        reached = self.indices[at]
        if len(reached) and int(reached.max()) >= self.num_nodes:
            raise WeftValueError(
                f"subgraph: the graph is damaged: indices hold node {int(reached.max())} of "
                f"{self.num_nodes}; import the graph again"
            )
        src, dst = np.repeat(np.arange(len(chosen)), counts), new_of_old[reached]
        kept = dst >= 0
        weight = None if self.weight is None else np.ascontiguousarray(self.weight[at][kept])
        # Both directions are stored already: nothing to add, nothing to merge.
        indptr, indices, weight = csr.edges_to_csr(
            src[kept], dst[kept], weight, len(chosen), directed=True, duplicates="keep", self_loops="keep"
        )
        return Graph(
            indptr=indptr,
            indices=indices,
            weight=weight,
            directed=self.directed,
            ids=_take_ids(self.ids, chosen),
            labels=None if self.labels is None else self.labels.take(chosen),
            features=None if self.features is None else self.features[chosen],
            split=None if self.split is None else self.split.take(chosen),
        )

    def largest_component(self) -> Graph:
        """The subgraph of the largest weakly connected component (of several, the first)."""
        if self.num_nodes == 0:
            return self
        root = components.connected_components(self.indptr, self.indices)
        largest = int(np.argmax(np.bincount(root, minlength=self.num_nodes)))
        return self.subgraph(np.flatnonzero(root == largest))


def _dense(src: I64, dst: I64, num_nodes: int | None) -> tuple[Ids, tuple[I64, I64]]:
    if num_nodes is not None:
        for name, ids in (("src", src), ("dst", dst)):
            wrong = (ids < 0) | (ids >= num_nodes)
            if wrong.any():
                at = int(wrong.argmax())
                raise WeftValueError(
                    f"{name}[{at}] is {ids[at]}, past the declared {num_nodes} nodes (0 .. {num_nodes - 1})"
                )
        return Ids.range(num_nodes), (src, dst)
    distinct = np.unique(np.concatenate([src, dst]))
    if len(distinct) == 0 or (distinct[0] == 0 and distinct[-1] == len(distinct) - 1):
        return Ids.range(len(distinct)), (src, dst)
    return Ids.integers(distinct), (np.searchsorted(distinct, src), np.searchsorted(distinct, dst))


def _take_ids(ids: Ids, nodes: I64) -> Ids:
    """Ids of a subgraph. Integers out of order become strings, because integer ids are kept sorted."""
    taken = ids.take(nodes)
    if ids.kind == "string" or np.any(taken[1:] <= taken[:-1]):
        from weft.graph.ids import Strings

        packed = Strings.of(str(value) for value in taken)
        return Ids.strings(packed.data, packed.offsets)
    return Ids.integers(taken)
