"""Labels of nodes: none, one or several each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.errors import WeftValueError
from weft.graph.ids import Strings, check_offsets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from weft.graph._part import Reads, Writes

__all__ = ["Labels"]


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Node i has the labels ``names[indices[indptr[i]:indptr[i+1]]]``.

    Attributes:
        indptr: int64 ``[N+1]``.
        indices: uint32 ``[L]``, rising within a node.
        names: the label of each number.
    """

    indptr: npt.NDArray[np.int64]
    indices: npt.NDArray[np.uint32]
    names: tuple[str, ...]

    @classmethod
    def from_pairs(cls, nodes: npt.NDArray[np.int64], labels: Sequence[str], num_nodes: int) -> Labels:
        """From (node, label) pairs in any order; a pair given twice counts once.

        Label numbers follow the sorted names: by value where all are integers, else as text.

        Args:
            nodes: int64 ``[L]`` in ``0 .. num_nodes-1``.
            labels: ``[L]``.
            num_nodes: N.
        """
        if len(nodes) != len(labels):
            raise WeftValueError(f"labels: {len(nodes)} nodes but {len(labels)} labels")
        if len(nodes) and not (nodes.min() >= 0 and nodes.max() < num_nodes):
            raise WeftValueError(f"labels: node {int(nodes.max())} is not in 0 .. {num_nodes - 1}")
        distinct = sorted(set(labels), key=_order(labels))
        number = {name: i for i, name in enumerate(distinct)}
        codes = np.array([number[label] for label in labels], np.int64)
        pairs = np.unique(nodes * max(1, len(distinct)) + codes)
        owner, code = np.divmod(pairs, max(1, len(distinct)))
        indptr = np.zeros(num_nodes + 1, np.int64)
        np.cumsum(np.bincount(owner, minlength=num_nodes), out=indptr[1:])
        return cls(indptr, code.astype(np.uint32), tuple(distinct))

    def __getitem__(self, node: int) -> tuple[str, ...]:
        return tuple(self.names[i] for i in self.indices[self.indptr[node] : self.indptr[node + 1]])

    def pairs(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32]]:
        """(node, label number) of every assignment; int64 ``[L]``, uint32 ``[L]``."""
        return np.repeat(np.arange(len(self.indptr) - 1), np.diff(self.indptr)), self.indices

    def take(self, nodes: npt.NDArray[np.int64]) -> Labels:
        """The labels of ``nodes``, in their order, under the same names."""
        counts = self.indptr[nodes + 1] - self.indptr[nodes]
        indptr = np.zeros(len(nodes) + 1, np.int64)
        np.cumsum(counts, out=indptr[1:])
        at = np.repeat(self.indptr[nodes] - indptr[:-1], counts) + np.arange(indptr[-1])
        return Labels(indptr, self.indices[at], self.names)

    def save(self, writer: Writes) -> dict[str, object]:
        """Write the arrays; gives what the manifest says of them."""
        writer.write_array("label_indptr", self.indptr)
        writer.write_array("label_indices", self.indices)
        Strings.of(self.names).save(writer, "label_names")
        return {"count": len(self.names)}

    @classmethod
    def load(cls, reader: Reads, meta: dict[str, Any], num_nodes: int) -> Labels:
        """Read what ``save`` wrote."""
        count = meta.get("count")
        if not isinstance(count, int) or count < 0:
            raise reader.error(f"the manifest gives {count!r} as the number of labels")
        names = Strings.load(reader, "label_names", count)
        indptr = np.asarray(reader.get("label_indptr", np.int64, (num_nodes + 1,)), np.int64)
        indices = np.asarray(reader.get("label_indices", np.uint32), np.uint32)
        check_offsets(reader, "label_indptr", indptr, len(indices))
        if len(indices) and int(indices.max()) >= count:
            raise reader.error(f"label_indices.npy holds {int(indices.max())}, there are {count} labels")
        return cls(indptr, indices, tuple(names.take(np.arange(count))))


def _order(labels: Sequence[str]) -> Any:  # noqa: ANN401
    try:
        for label in labels:
            int(label)
    except ValueError:
        return str

    def by_value(label: str) -> tuple[int, str]:
        return int(label), label

    return by_value
