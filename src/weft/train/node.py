"""Telling the labels of nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from torch.nn import functional

from weft.eval.metrics import f1
from weft.loader import NeighborLoader
from weft.train.task import Task

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    import numpy.typing as npt
    from torch import Tensor

    from weft.features import FeatureTable
    from weft.graph import Graph, HeteroGraph
    from weft.train.settings import Settings
    from weft.train.split import Split
    from weft.train.targets import Targets
    from weft.train.task import Batch, Net

__all__ = ["NodeTask"]


class NodeTask(Task):
    """Batches of labelled nodes with their neighbours, and how right a model is about them.

    Args:
        graph: where neighbours are drawn, uniformly, along edges that lead out: for messages that go along
            the edges of a directed graph, its reverse.
        table: rows of the nodes; of a graph of several types, by type.
        targets: their labels.
        split: which are learned from, which scored.
        settings: of the training.
        clean: whether NaN and infinity in the rows are taken for 0.
        kind: the type of the labelled nodes, of a graph of several types.
    """

    def __init__(
        self,
        graph: Graph | HeteroGraph,
        table: FeatureTable | Mapping[str, FeatureTable],
        targets: Targets,
        split: Split,
        settings: Settings,
        *,
        clean: bool,
        kind: str | None = None,
    ) -> None:
        self._kind = kind
        self._graph, self._table, self._targets, self._split = graph, table, targets, split
        self._settings = settings
        super().__init__(
            self._loader_of(split.train, shuffle=True),
            self._loader_of(split.val, shuffle=False) if len(split.val) else None,
            items=len(split.train),
            out=len(targets.classes),
            score_name="micro-F1" if targets.several else "accuracy",
            clean=clean,
        )

    def loss(self, net: Net, batch: Batch) -> tuple[Tensor, int]:
        """Mean over the seeds, and how many there are."""
        out_BC = net(batch)
        target = self._target(batch)
        if self._targets.several:
            return functional.binary_cross_entropy_with_logits(out_BC, target), len(target)
        return functional.cross_entropy(out_BC, target), len(target)

    def _test(self) -> NeighborLoader | None:
        return self._loader_of(self._split.test, shuffle=False) if len(self._split.test) else None

    def _score(self, net: Net, batches: Generator[Batch]) -> float:
        """Share of right classes, or micro-F1 where there may be several."""
        hit = true = predicted = np.zeros(self.out, np.int64)
        for batch in batches:
            out_BC, target = net(batch), self._target(batch)
            said_BC = out_BC > 0 if self._targets.several else _one_hot(out_BC.argmax(dim=1), self.out)
            true_BC = target > 0 if self._targets.several else _one_hot(target, self.out)
            hit = hit + (said_BC & true_BC).sum(dim=0).numpy()
            true = true + true_BC.sum(dim=0).numpy()
            predicted = predicted + said_BC.sum(dim=0).numpy()
        # With one class each, as many are said as are true, and micro-F1 is the share that is right.
        return f1(hit, true, predicted)[0]

    def _loader_of(self, nodes: npt.NDArray[np.int64], *, shuffle: bool) -> NeighborLoader:
        settings = self._settings
        return NeighborLoader(
            self._graph,
            self._table,
            settings.num_neighbors,
            nodes if self._kind is None else (self._kind, nodes),
            settings.batch_size,
            direction="out",
            weighted=False,
            shuffle=shuffle,
            seed=settings.seed,
        )

    def _target(self, batch: Batch) -> Tensor:
        store: Any = batch if self._kind is None else batch[self._kind]
        return self._targets.take(store.n_id[: store.batch_size].numpy())


def _one_hot(code_B: Tensor, classes: int) -> Tensor:
    return functional.one_hot(code_B, classes).bool()
