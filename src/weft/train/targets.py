"""What a model shall say of each node: one class, or several.

Shapes: N nodes, C classes, B nodes asked for.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from weft.errors import WeftTypeError, WeftValueError
from weft.graph import Labels

if TYPE_CHECKING:
    from weft.train.inputs import NodeSet

__all__ = ["Targets"]

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """Labels of nodes to be told.

    Attributes:
        labels: of the nodes; a node without has none that is known.
        several: a node may have more than one.
    """

    labels: Labels
    several: bool

    @classmethod
    def of(cls, given: Labels | npt.ArrayLike, num_nodes: int) -> Targets:
        """From labels or arrays.

        Args:
            given: labels; or integers ``[N]``, the class of each node, -1 for unknown; or ``[N, C]`` of 0 and
                1, which classes each node has, a row of zeros being unknown.
            num_nodes: N.

        Raises:
            WeftValueError: they are of another number of nodes, out of range, or there are fewer than two
                classes.
        """
        labels = given if isinstance(given, Labels) else _from_array(_array(given), num_nodes)
        if len(labels.indptr) != num_nodes + 1:
            raise WeftValueError(
                f"train: labels of {len(labels.indptr) - 1:,} nodes for a graph of {num_nodes:,}; attach "
                "them to the graph, or read them by its ids (weft.graph.read_labels)"
            )
        if len(labels.names) < 2:
            raise WeftValueError(
                f"train: there is nothing to tell apart with {len(labels.names)} class(es); give labels of "
                "at least two"
            )
        return cls(labels, bool((np.diff(labels.indptr) > 1).any()))

    @classmethod
    def of_graph(cls, graph: NodeSet, given: Labels | npt.ArrayLike | None) -> Targets:
        """Those given, or else attached to the graph; see :meth:`of`.

        Raises:
            WeftValueError: there are none, or they cannot be told.
        """
        given = graph.labels if given is None else given
        if given is None:
            raise WeftValueError(
                "train: the graph has no labels; give --labels FILE (labels= in Python), or import it with "
                "some"
            )
        return cls.of(given, graph.num_nodes)

    @property
    def classes(self) -> tuple[str, ...]:
        """Their names; C of them."""
        return self.labels.names

    def known(self) -> I64:
        """The nodes that have a label, rising."""
        return np.flatnonzero(np.diff(self.labels.indptr))

    def take(self, nodes_B: npt.NDArray[np.integer]) -> torch.Tensor:
        """Int64 ``[B]``, the class of each; where there may be several, float32 ``[B, C]`` of 0 and 1."""
        taken = self.labels.take(np.asarray(nodes_B, np.int64))
        if not self.several:
            return torch.from_numpy(taken.indices.astype(np.int64))
        owner, code = taken.pairs()
        rows = np.zeros((len(nodes_B), len(self.classes)), np.float32)
        rows[owner, code] = 1
        return torch.from_numpy(rows)

    def digest(self) -> str:
        """What tells these labels from others."""
        digest = hashlib.sha256()
        for array in (self.labels.indptr, self.labels.indices):
            digest.update(np.ascontiguousarray(array).view(np.uint8).data)
        digest.update("\0".join(self.classes).encode())
        return digest.hexdigest()


def _array(given: npt.ArrayLike) -> npt.NDArray[Any]:
    try:
        return np.asarray(given.detach().cpu() if hasattr(given, "detach") else given)  # pyrefly: ignore
    except (TypeError, ValueError, RuntimeError) as error:
        raise WeftTypeError(
            f"train: labels as a {type(given).__name__} are no array ({error}); give integers [N], -1 for "
            "unknown"
        ) from None


def _from_array(given: npt.NDArray[Any], num_nodes: int) -> Labels:
    if given.ndim not in (1, 2) or (given.dtype.kind not in "iub" and given.size):
        raise WeftValueError(
            "train: labels must be integers [N], -1 for unknown, or 0 and 1 as integers [N, C] "
            f"(got {given.dtype} {list(given.shape)})"
        )
    if len(given) != num_nodes:
        raise WeftValueError(
            f"train: labels of {len(given):,} nodes for a graph of {num_nodes:,}; give one for each node, -1 "
            "for unknown"
        )
    low = int(given.min(initial=0))
    if given.ndim == 2:
        if low < 0 or int(given.max(initial=0)) > 1:
            raise WeftValueError(f"train: labels [N, C] must be 0 or 1 (got {low} … {int(given.max())})")
        owner, code = np.nonzero(given)
        classes = given.shape[1]
    else:
        if low < -1:
            at = int(np.argmin(given))
            raise WeftValueError(
                f"train: the label of node {at} is {low}; classes are numbered from 0, -1 is for unknown"
            )
        owner = np.flatnonzero(given >= 0)
        code, classes = given[owner], int(given.max(initial=-1)) + 1
        if classes > max(1000, 2 * num_nodes):
            at = int(np.argmax(given))
            raise WeftValueError(
                f"train: the label of node {at} is {classes - 1:,}, more classes than nodes; number classes "
                "from 0"
            )
    indptr = np.zeros(num_nodes + 1, np.int64)
    np.cumsum(np.bincount(owner, minlength=num_nodes), out=indptr[1:])
    return Labels(indptr, code.astype(np.uint32), tuple(str(c) for c in range(classes)))
