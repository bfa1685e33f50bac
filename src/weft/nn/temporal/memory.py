"""What a node remembers of its events.

Shapes: N nodes, B events, U nodes of a batch, D columns of memory, T of time, F of an event.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from weft.nn.temporal.time import TimeEncoding

__all__ = ["NodeMemory"]

I64 = npt.NDArray[np.int64]


class NodeMemory(nn.Module):
    """The memory of TGN (Rossi et al., 2020): a GRU takes in the last event of each batch.

    The event that a node took in last is kept as it came (its mail): the memory before it, the other
    node's memory then, the time since the node's event before, the event's features. The memory after it is
    kept, too: it is what neighbours are read from. Where there is something to learn, :meth:`read` takes
    the mail in again, now with gradient; so the GRU learns from what a node's memory was good for one batch
    later, as in TGN, though only through nodes that are asked for and not through their neighbours.

    Of the nodes of a batch only those that had an event are written: never negatives or neighbours.
    Nodes come into being when they are first named. All state is in ``state_dict``, and of any number
    of nodes is taken from one.

    Args:
        dim: D.
        time_dim: T.
        event_dim: F, features of an event; 0: none.
    """

    after: Tensor
    before: Tensor
    other: Tensor
    features: Tensor
    since: Tensor
    last: Tensor
    seen: Tensor

    def __init__(self, dim: int = 100, time_dim: int = 100, event_dim: int = 0) -> None:
        super().__init__()
        self.dim = dim
        self.time = TimeEncoding(time_dim)
        self.gru = nn.GRUCell(2 * dim + time_dim + event_dim, dim)
        self._width = {"after": dim, "before": dim, "other": dim, "features": event_dim}
        self.reset()
        self.register_load_state_dict_pre_hook(self._sized)

    @property
    def num_nodes(self) -> int:
        """Nodes that there is room for."""
        return len(self.last) - 1

    def reset(self) -> None:
        """Forget all events."""
        self._resize(0)

    def _resize(self, nodes: int) -> None:
        # The last row stands for all nodes beyond, and is never written.
        for name, width in self._width.items():
            self.register_buffer(name, torch.zeros(nodes + 1, width))
        self.register_buffer("since", torch.zeros(nodes + 1, dtype=torch.int64))
        self.register_buffer("last", torch.zeros(nodes + 1, dtype=torch.int64))
        self.register_buffer("seen", torch.zeros(nodes + 1, dtype=torch.bool))

    def grow(self, nodes: int) -> None:
        """Make room for so many nodes at least; new ones have a memory of zeros."""
        have = self.num_nodes
        if nodes <= have:
            return
        old = {name: getattr(self, name) for name in (*self._width, "since", "last", "seen")}
        self._resize(max(nodes, have + have // 2))
        for name, rows in old.items():
            getattr(self, name)[:have] = rows[:have]

    def look(self, node: Tensor) -> Tensor:
        """Memory of nodes after their last event, float32 ``[..., D]``, without gradient."""
        return self.after.index_select(0, node.clamp(max=self.num_nodes))

    def _take_in(self, node_U: Tensor) -> Tensor:
        mail = [self.before[node_U], self.other[node_U], self.time(self.since[node_U].float())]
        if self._width["features"]:
            mail.append(self.features[node_U])
        return self.gru(torch.cat(mail, dim=1), mail[0])

    def read(self, node_U: Tensor) -> Tensor:
        """As :meth:`look`; with gradient, where there is one and the model is in training."""
        if not (self.training and torch.is_grad_enabled()):
            return self.look(node_U)
        node_U = node_U.clamp(max=self.num_nodes)
        # A node without an event has zeros, not what the GRU makes of nothing.
        return self._take_in(node_U) * self.seen[node_U].unsqueeze(1)

    @torch.no_grad()
    def observe(self, source: I64, target: I64, time: I64, features: Tensor | None = None) -> None:
        """Take in a batch of events: each node its last one.

        Args:
            source: int64 ``[B]``, in the order of time.
            target: likewise.
            time: int64 ``[B]``.
            features: float32 ``[B, F]``.
        """
        both = np.stack([source, target], axis=1).reshape(-1)  # target after source, event after event
        if not len(both):
            return
        self.grow(int(both.max()) + 1)
        node, back = np.unique(both[::-1], return_index=True)
        at = len(both) - 1 - back
        node_U, when_U = torch.from_numpy(node), torch.from_numpy(time[at // 2])
        other_U = torch.from_numpy(both[at ^ 1])
        # All is read before anything is written: the other node may be in the batch as well.
        others, befores = self.after[other_U], self.after[node_U]
        seen = self.seen[node_U]
        self.since[node_U] = torch.where(seen, when_U - self.last[node_U], 0)
        self.other[node_U], self.before[node_U], self.last[node_U] = others, befores, when_U
        self.seen[node_U] = True
        if features is not None and self._width["features"]:
            self.features[node_U] = features[torch.from_numpy(at // 2)]
        self.after[node_U] = self._take_in(node_U)

    def _sized(self, _: nn.Module, state_dict: dict[str, Any], prefix: str, *rest: object) -> None:
        if (last := state_dict.get(f"{prefix}last")) is not None and len(last) != len(self.last):
            self._resize(len(last) - 1)
