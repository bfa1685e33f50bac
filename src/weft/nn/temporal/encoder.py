"""What all temporal encoders can do.

Shapes: R roots, S events, D columns out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from weft.errors import WeftValueError
from weft.nn.temporal.identity import Identity, Rows

if TYPE_CHECKING:
    from weft.graph import TemporalGraph, TemporalSnapshot

__all__ = ["TemporalEncoder"]

I64 = npt.NDArray[np.int64]


class TemporalEncoder(nn.Module):
    """Vectors of nodes at times, from what a graph holds of the time before.

    Args:
        graph: where events are looked up; strictly before each root's time, whatever else it holds.
        dim: D.
        node_features: rows by node; None: :class:`weft.nn.temporal.Identity`.
        event_features: rows by event id; None: none.
        seed: of the identities.
    """

    def __init__(
        self,
        graph: TemporalGraph | TemporalSnapshot,
        dim: int,
        node_features: Rows | None = None,
        event_features: Rows | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if dim < 1:
            raise WeftValueError(f"temporal encoder: dim must be at least 1 (got {dim})")
        self.graph, self.dim, self.seed = graph, dim, seed
        self.step = 0
        """Steps of learning so far: the seed of what is sampled at random."""
        self.node_features, self.event_features = node_features, event_features
        self._identity = Identity(dim, seed) if node_features is None else None
        self.given = nn.Identity() if node_features is None else nn.Linear(node_features.shape[1], dim)

    @property
    def event_dim(self) -> int:
        """Columns of :meth:`events`."""
        return 0 if self.event_features is None else self.event_features.shape[1]

    def nodes(self, node: I64) -> Tensor:
        """Features of nodes, float32 ``[..., D]``: identities, or a map of those that were given."""
        if self._identity is not None:
            return self._identity.take(node)
        return self.given(_taken(self.node_features, node))

    def events(self, eid: I64) -> Tensor:
        """Features of events, float32 ``[..., event_dim]``."""
        if self.event_features is None:
            return torch.empty(*eid.shape, 0)
        return _taken(self.event_features, eid)

    def forward(self, node: I64, time: I64) -> Tensor:
        """Vectors float32 ``[R, D]`` of nodes int64 ``[R]`` at times int64 ``[R]``."""
        raise NotImplementedError

    def observe(self, source: I64, target: I64, time: I64, eid: I64 | None = None) -> None:
        """Take in events, after they were told; nothing where the graph alone is remembered."""

    def reset(self) -> None:
        """Forget all that was observed; what was learned stays."""


def _taken(rows: Rows | None, ids: I64) -> Tensor:
    assert rows is not None
    found = np.asarray(rows.take(ids.reshape(-1)), np.float32)
    return torch.from_numpy(found).view(*ids.shape, -1)
