"""Telling edges from pairs of nodes without one.

Shapes: P positive edges, K pairs of a batch, H hidden edges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from torch.nn import functional

from weft.errors import WeftValueError
from weft.eval.metrics import auc
from weft.graph import Graph
from weft.loader import LinkNeighborLoader
from weft.sampling.holdout import hide_edges
from weft.train.task import Task

if TYPE_CHECKING:
    from collections.abc import Generator

    from torch import Tensor

    from weft.features import FeatureTable
    from weft.train.settings import Settings
    from weft.train.task import Batch, Net

__all__ = ["EdgeSplit", "LinkTask"]

I64 = npt.NDArray[np.int64]

_SHARES = (0.05, 0.1)  # of the edges that validate and that test
_MOST = 20_000  # of each: they leave a standard error of 0.002


@dataclass(frozen=True, slots=True, eq=False)
class EdgeSplit:
    """A graph without some of its edges, which say how well the others let them be told.

    Attributes:
        graph: without them, in memory.
        train: int64 ``[2, P]``: its edges, of an undirected one each in one direction.
        val: int64 ``[2, H]``: scored after each epoch.
        test: int64 ``[2, H]``: scored at the end.
    """

    graph: Graph
    train: I64
    val: I64
    test: I64

    @classmethod
    def of(cls, graph: Graph, seed: int) -> EdgeSplit:
        """Hide 5 % of the edges to validate and 10 % to test, 20,000 of each at most, but no node's last.

        Raises:
            WeftValueError: the graph has too few edges.
        """
        edges = graph.num_edges if graph.directed else graph.num_edges // 2
        counts = [min(_MOST, round(share * edges)) for share in _SHARES]
        if min(counts) < 1:
            raise WeftValueError(
                f"train: {edges:,} edges are too few to hide some of them; the task 'link' takes at least 10"
            )
        rest, hidden = hide_edges(graph, sum(counts), seed)
        # Fewer are hidden where most edges are the last of a node.
        val = max(1, round(len(hidden) * counts[0] / sum(counts)))
        source = np.repeat(np.arange(rest.num_nodes), rest.degree())
        target = rest.indices.astype(np.int64)
        once = source != target if rest.directed else source < target
        return cls(rest, np.stack([source[once], target[once]]), hidden[:val].T, hidden[val:].T)

    def turned(self) -> EdgeSplit:
        """The same edges, each the other way round."""
        return EdgeSplit(self.graph, self.train[::-1], self.val[::-1], self.test[::-1])


class LinkTask(Task):
    """Batches of edges and strangers with the neighbours of both, and how well a model tells them apart.

    A pair's score is the product of the two vectors. An edge that is to be told is kept out of what is
    sampled around it. Negatives are uniform, and no edges.

    Args:
        graph: as for :class:`weft.train.node.NodeTask`.
        table: rows of the nodes.
        split: edges as they stand in ``graph``.
        settings: of the training.
        clean: whether NaN and infinity in the rows are taken for 0.
    """

    def __init__(
        self, graph: Graph, table: FeatureTable, split: EdgeSplit, settings: Settings, *, clean: bool
    ) -> None:
        self._graph, self._table, self._split, self._settings = graph, table, split, settings
        super().__init__(
            self._loader_of(split.train, settings.negatives, shuffle=True),
            self._loader_of(split.val, 1, shuffle=False) if split.val.shape[1] else None,
            items=split.train.shape[1],
            out=settings.hidden,
            score_name="AUC",
            clean=clean,
        )

    def loss(self, net: Net, batch: Batch) -> tuple[Tensor, int]:
        """Mean over the pairs, and how many edges there are."""
        logit_K, label_K = _logits(net, batch)
        return functional.binary_cross_entropy_with_logits(logit_K, label_K), len(batch.input_id)

    def _test(self) -> LinkNeighborLoader | None:
        return self._loader_of(self._split.test, 1, shuffle=False) if self._split.test.shape[1] else None

    def _score(self, net: Net, batches: Generator[Batch]) -> float:
        """How often a hidden edge scores above a pair that is none."""
        positive: list[npt.NDArray[np.floating]] = []
        negative: list[npt.NDArray[np.floating]] = []
        for batch in batches:
            logit_K, label_K = _logits(net, batch)
            positive.append(logit_K[label_K > 0].numpy())
            negative.append(logit_K[label_K == 0].numpy())
        return auc(np.concatenate(positive), np.concatenate(negative))

    def _loader_of(self, edge_2P: I64, negatives: int, *, shuffle: bool) -> LinkNeighborLoader:
        settings = self._settings
        return LinkNeighborLoader(
            self._graph,
            self._table,
            settings.num_neighbors,
            edge_2P,
            batch_size=settings.batch_size,
            neg_sampling=("binary", negatives),
            strict=True,
            exclude_targets=True,
            direction="out",
            weighted=False,
            shuffle=shuffle,
            seed=settings.seed,
        )


def _logits(net: Net, batch: Batch) -> tuple[Tensor, Tensor]:
    """Of the pairs, and 1 for edges, 0 for others."""
    out = net(batch)
    source, target = batch.edge_label_index
    return (out[source] * out[target]).sum(dim=-1), batch.edge_label.float()
