"""What a model learns: batches, a loss, and a score."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import torch

from weft.train.inputs import as_input

if TYPE_CHECKING:
    from collections.abc import Generator

    from torch import Tensor
    from torch_geometric.data import Data, HeteroData

    from weft.loader import LinkNeighborLoader, NeighborLoader
    from weft.nn import Batched, TypedBatched

    Loader = NeighborLoader | LinkNeighborLoader
    Batch = Data | HeteroData
    Net = Batched | TypedBatched

__all__ = ["Task"]


class Task:
    """Batches to learn from and to be scored by.

    Args:
        loader: of what is learned from.
        val: of what is scored after each epoch; None: nothing is.
        items: nodes or edges of an epoch.
        out: columns that the model gives.
        score_name: what is measured.
        clean: whether NaN and infinity in the rows are taken for 0.
    """

    def __init__(
        self, loader: Loader, val: Loader | None, *, items: int, out: int, score_name: str, clean: bool
    ) -> None:
        self._loader, self._val, self._clean = loader, val, clean
        self.items = items
        """Nodes or edges of an epoch."""
        self.steps = len(loader)
        """Batches of an epoch."""
        self.out = out
        """Columns that the model gives."""
        self.score_name = score_name
        """What :meth:`validate` gives."""
        self.taken = 0
        """Batches that were learned from."""
        self.seconds: dict[str, float] = {}
        """What the stages of whole epochs took of these."""

    def close(self) -> None:
        """Let go of the loaders."""
        self._loader.close()
        if self._val is not None:
            self._val.close()

    def batches(self, epoch: int, start: int) -> Generator[Batch]:
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

    def loss(self, net: Net, batch: Batch) -> tuple[Tensor, int]:
        """Mean over what is learned from, and how many these are."""
        raise NotImplementedError

    def validate(self, net: Net) -> float:
        """Score on the validation set; NaN where it is empty."""
        return math.nan if self._val is None else self._scored(net, self._val)

    def test(self, net: Net) -> float:
        """Score on the test set; NaN where it is empty."""
        loader = self._test()
        if loader is None:
            return math.nan
        with loader:
            return self._scored(net, loader)

    @torch.no_grad()
    def _scored(self, net: Net, loader: Loader) -> float:
        net.eval()
        loader.epoch = 0  # the same neighbours after every epoch: scores differ by the weights alone
        return self._score(net, (self._ready(batch) for batch in loader))

    def _test(self) -> Loader | None:
        """A loader of the test set; None where it is empty."""
        raise NotImplementedError

    def _score(self, net: Net, batches: Generator[Batch]) -> float:
        raise NotImplementedError

    def _ready(self, batch: Batch) -> Batch:
        """With features that a model can take."""
        for store in batch.node_stores:
            if "x" in store:
                store.x = as_input(store.x, clean=self._clean)
        return batch
