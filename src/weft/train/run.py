"""A training that goes batch by batch: it can stop after any of them and go on from there.

Shapes: E epochs done.
"""

from __future__ import annotations

import copy
import io
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from weft.errors import FormatError, WeftValueError
from weft.kernels.philox import philox_fill
from weft.nn import TypedBatched
from weft.rng import Op, key

if TYPE_CHECKING:
    from weft.graph.format import DirectoryReader, DirectoryWriter
    from weft.train.settings import Settings
    from weft.train.task import Batch, Net, Task

__all__ = ["Run", "pack", "unpack"]

HISTORY = ("epoch", "loss", "score", "seconds")
"""Columns of the history."""


class Run:
    """All that a training changes: the weights, the optimiser's moments, where it stands, what came of it.

    No generator has a state that outlives a batch: dropout draws from one that is seeded by (seed, epoch,
    batch), and the order of an epoch and its neighbours depend on (seed, epoch) alone.

    Args:
        net: the model, its weights drawn.
        task: what it learns.
        settings: what else decides it.
    """

    def __init__(self, net: Net, task: Task, settings: Settings) -> None:
        self.net, self.task, self.settings = net, task, settings
        self._optimizers = _optimizers(net, settings)
        self.epoch = 0
        """Epochs done."""
        self.batch = 0
        """Batches done of the one in work."""
        self.loss = math.nan
        """Mean of the last batch."""
        self._sum, self._items = 0.0, 0
        self._history: list[tuple[float, ...]] = []
        self.seconds = 0.0
        """Spent on the epoch in work, by this process and those before it."""
        self.best_epoch = 0
        """The epoch whose weights are kept, from 1; 0: none is done."""
        self._best: dict[str, Any] | None = None

    @property
    def history(self) -> npt.NDArray[np.float64]:
        """float64 ``[E, 4]``: epoch, mean loss, score on the validation set (NaN without one), seconds."""
        return np.array(self._history, np.float64).reshape(-1, len(HISTORY))

    @property
    def steps(self) -> int:
        """Batches done since the beginning."""
        return self.epoch * self.task.steps + self.batch

    @property
    def done(self) -> bool:
        """Whether the last epoch is over, or the score has stopped rising."""
        patience = self.settings.patience
        waited = patience is not None and self._scored and self.epoch - self.best_epoch >= patience
        return self.epoch >= self.settings.epochs or waited

    @property
    def _scored(self) -> bool:
        return bool(self._history) and not math.isnan(self._history[-1][2])

    def step(self, batch: Batch) -> None:
        """Learn from a batch.

        Raises:
            WeftValueError: the loss is no number any more.
        """
        self.net.train()
        torch.manual_seed(step_seed(self.settings.seed, self.epoch, self.batch))
        for optimizer in self._optimizers:
            optimizer.zero_grad(set_to_none=True)
        loss, items = self.task.loss(self.net, batch)
        self.loss = loss.item()
        if not math.isfinite(self.loss):
            raise WeftValueError(
                f"training diverged: the loss is {self.loss} in batch {self.batch + 1} of epoch "
                f"{self.epoch + 1}; give a lower learning_rate than {self.settings.learning_rate:g}, and "
                "look at the scale of the features"
            )
        loss.backward()
        for optimizer in self._optimizers:
            optimizer.step()
        self._sum += self.loss * items
        self._items += items
        self.batch += 1

    def end_epoch(self) -> None:
        """Score, keep the weights if they are the best, and turn to the next epoch."""
        score = self.task.validate(self.net)
        self.epoch, self.batch = self.epoch + 1, 0
        self._history.append((self.epoch, self._sum / max(1, self._items), score, self.seconds))
        self._sum, self._items, self.seconds = 0.0, 0, 0.0
        if math.isnan(score):
            self.best_epoch = self.epoch
        elif self._best is None or score > self._history[self.best_epoch - 1][2]:
            self.best_epoch, self._best = self.epoch, copy.deepcopy(self.net.gnn.state_dict())

    def best(self) -> dict[str, Any]:
        """The weights that are kept."""
        return self.net.gnn.state_dict() if self._best is None else self._best

    def save(self, writer: DirectoryWriter) -> None:
        """Write the state."""
        state = {
            "net": self.net.gnn.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
            "best": self._best,
            "at": [self.epoch, self.batch, self._items, self.best_epoch],
            "sum": [self._sum, self.seconds],
            "history": torch.from_numpy(self.history),
        }
        writer.write_array("state", pack(state))

    def load(self, reader: DirectoryReader) -> None:
        """Take the state back."""
        state = unpack(reader)
        self.net.gnn.load_state_dict(state["net"])
        for optimizer, held in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(held)
        self._best = state["best"]
        self.epoch, self.batch, self._items, self.best_epoch = state["at"]
        self._sum, self.seconds = state["sum"]
        self._history = [tuple(row) for row in state["history"].tolist()]


def _optimizers(net: Net, settings: Settings) -> list[torch.optim.Optimizer]:
    """Adam; and one that touches only the rows of a batch, for vectors of nodes, which may be very many."""
    vectors = list(net.gnn.vectors.parameters()) if isinstance(net, TypedBatched) else []
    apart = {id(vector) for vector in vectors}
    rest = [weight for weight in net.parameters() if id(weight) not in apart]
    made: list[torch.optim.Optimizer] = [
        torch.optim.Adam(rest, lr=settings.learning_rate, weight_decay=settings.weight_decay)
    ]
    if vectors:
        made.append(torch.optim.SparseAdam(vectors, lr=settings.learning_rate))
    return made


def step_seed(seed: int, epoch: int, batch: int) -> int:
    """What torch's generator is seeded by for a batch; 32 bits, all that its Mersenne Twister takes."""
    return int(philox_fill(1, key(seed, Op.DROPOUT), first=epoch, index=batch)[0, 0])


def pack(state: dict[str, Any]) -> npt.NDArray[np.uint8]:
    """Tensors and numbers as bytes."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return np.frombuffer(buffer.getbuffer(), np.uint8)


def unpack(reader: DirectoryReader) -> dict[str, Any]:
    """What :func:`pack` gave, from the array ``state``; nothing but tensors and numbers is let in.

    Raises:
        FormatError: they are no such bytes.
    """
    held = reader.get("state", np.uint8).tobytes()
    try:
        return torch.load(io.BytesIO(held), weights_only=True)
    # A damaged archive fails in torch with whatever the damage leads to.
    except Exception as error:
        raise FormatError(f"{reader.path}: state.npy cannot be read ({error}); it is damaged") from None
