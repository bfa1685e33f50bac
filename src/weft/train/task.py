"""Telling the labels of nodes."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from weft.eval.metrics import f1
from weft.loader import NeighborLoader

if TYPE_CHECKING:
    from collections.abc import Generator

    import numpy.typing as npt
    from torch import Tensor
    from torch_geometric.data import Data

    from weft.features import FeatureTable
    from weft.graph import Graph
    from weft.nn import Batched
    from weft.train.settings import Settings
    from weft.train.split import Split
    from weft.train.targets import Targets

__all__ = ["NodeTask"]


class NodeTask:
    """Batches of labelled nodes with their neighbours, and how right a model is about them.

    Args:
        graph: where neighbours are drawn, uniformly, along edges that lead out: for messages that go along
            the edges of a directed graph, its reverse.
        table: rows of the nodes.
        targets: their labels.
        split: which are learned from, which scored.
        settings: of the training.
        clean: whether NaN and infinity in the rows are taken for 0.
    """

    def __init__(
        self,
        graph: Graph,
        table: FeatureTable,
        targets: Targets,
        split: Split,
        settings: Settings,
        *,
        clean: bool = False,
    ) -> None:
        self._graph, self._table, self._targets, self._split = graph, table, targets, split
        self._settings, self._clean = settings, clean
        self._loader = self._loader_of(split.train, shuffle=True)
        self._val = self._loader_of(split.val, shuffle=False) if len(split.val) else None
        self.out = len(targets.classes)
        """Columns that the model gives."""
        self.score_name = "micro-F1" if targets.several else "accuracy"
        """What :meth:`validate` gives."""
        self.items = len(split.train)
        """Nodes of an epoch."""
        self.steps = len(self._loader)
        """Batches of an epoch."""
        self.taken = 0
        """Batches that were learned from."""
        self.seconds: dict[str, float] = {}
        """What the stages of whole epochs took of these."""

    def close(self) -> None:
        """Let go of the loaders."""
        self._loader.close()
        if self._val is not None:
            self._val.close()

    def batches(self, epoch: int, start: int) -> Generator[Data]:
        """Those of an epoch, from number ``start`` on."""
        self._loader.epoch, self._loader.start = epoch, start
        computing, taken = 0.0, 0
        for batch in self._loader:
            begun = time.perf_counter()
            yield self._ready(batch)
            computing, taken = computing + time.perf_counter() - begun, taken + 1
        self.taken += taken
        for stage, seconds in {**self._loader.times, "compute": computing}.items():
            self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds

    def loss(self, net: Batched, batch: Data) -> tuple[Tensor, int]:
        """Mean over the seeds, and how many there are."""
        out_BC = net(batch)
        target = self._target(batch)
        if self._targets.several:
            return functional.binary_cross_entropy_with_logits(out_BC, target), len(target)
        return functional.cross_entropy(out_BC, target), len(target)

    def validate(self, net: Batched) -> float:
        """Score on the validation set; NaN where it is empty."""
        return math.nan if self._val is None else self._score(net, self._val)

    def test(self, net: Batched) -> float:
        """Score on the test set; NaN where it is empty."""
        if len(self._split.test) == 0:
            return math.nan
        with self._loader_of(self._split.test, shuffle=False) as loader:
            return self._score(net, loader)

    @torch.no_grad()
    def _score(self, net: Batched, loader: NeighborLoader) -> float:
        """Share of right classes, or micro-F1 where there may be several."""
        net.eval()
        loader.epoch = 0  # the same neighbours after every epoch: scores differ by the weights alone
        hit = true = predicted = np.zeros(self.out, np.int64)
        for batch in loader:
            out_BC, target = net(self._ready(batch)), self._target(batch)
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
            nodes,
            settings.batch_size,
            direction="out",
            weighted=False,
            shuffle=shuffle,
            seed=settings.seed,
        )

    def _ready(self, batch: Data) -> Data:
        """With features that a model can take."""
        assert batch.x is not None
        x = batch.x.float()
        if self._clean:
            x = torch.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0)
        batch.x = x
        return batch

    def _target(self, batch: Data) -> Tensor:
        return self._targets.take(batch.n_id[: batch.batch_size].numpy())


def _one_hot(code_B: Tensor, classes: int) -> Tensor:
    return functional.one_hot(code_B, classes).bool()
