"""GraphMixer: times of the newest events through an MLP-Mixer, and the mean of their nodes.

Shapes: R roots, K events of each, D columns, T of time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from weft.checks import check_int
from weft.nn.temporal.encoder import TemporalEncoder
from weft.nn.temporal.near import rectangle
from weft.nn.temporal.time import TimeEncoding
from weft.sampling import TemporalNeighborSampler

if TYPE_CHECKING:
    from weft.graph import TemporalGraph, TemporalSnapshot

__all__ = ["GraphMixer"]

I64 = npt.NDArray[np.int64]


class GraphMixer(TemporalEncoder):
    """GraphMixer (Cong et al., ICLR 2023): no attention and no memory.

    Its link encoder mixes the newest K events, of which it sees the time and the features, along events and
    along columns (Tolstikhin et al., NeurIPS 2021); its node encoder adds the mean of the nodes met within a
    window.

    Args:
        graph: where neighbours are looked up.
        dim: D.
        neighbors: K.
        window: how long before the root's time nodes count in the mean; None: those of the K newest events.
        time_dim: T, of fixed frequencies.
        dropout: within the mixer.
        features: of :class:`TemporalEncoder`.
    """

    def __init__(
        self,
        graph: TemporalGraph | TemporalSnapshot,
        dim: int = 100,
        *,
        neighbors: int = 20,
        window: int | None = None,
        time_dim: int = 100,
        dropout: float = 0.1,
        **features: Any,  # noqa: ANN401 - those of the base
    ) -> None:
        super().__init__(graph, dim, **features)
        self.neighbors = check_int("GraphMixer: neighbors", neighbors, 1)
        self.window = None if window is None else check_int("GraphMixer: window", window, 1)
        self.time = TimeEncoding(time_dim)
        self.event = nn.Linear(time_dim + self.event_dim, dim)
        self.along_events = nn.Sequential(
            nn.LayerNorm(dim), _Turned(_mlp(neighbors, max(neighbors // 2, 1), dropout))
        )
        self.along_columns = nn.Sequential(nn.LayerNorm(dim), _mlp(dim, 4 * dim, dropout))
        self.norm = nn.LayerNorm(dim)
        self.out = nn.Linear(2 * dim, dim)

    def forward(self, node: I64, time: I64) -> Tensor:
        """As :meth:`TemporalEncoder.forward`."""
        sampler = TemporalNeighborSampler(self.graph, [self.neighbors], dedup=False)
        near = rectangle(sampler.sample(node, time).hops[0], len(node), self.neighbors)
        there_RK1 = near.there.unsqueeze(2)
        event_RKD = self.event(torch.cat([self.time(near.delta), self.events(near.eid)], dim=2)) * there_RK1
        event_RKD = event_RKD + self.along_events(event_RKD)
        event_RKD = event_RKD + self.along_columns(event_RKD)
        link_RD = self.norm(event_RKD.mean(dim=1))
        met_RK1 = there_RK1 if self.window is None else there_RK1 & (near.delta <= self.window).unsqueeze(2)
        mean_RD = (self.nodes(near.node) * met_RK1).sum(1) / met_RK1.sum(1).clamp(min=1)
        return self.out(torch.cat([link_RD, self.nodes(node) + mean_RD], dim=1))


class _Turned(nn.Module):
    """A module along the last but one dimension."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        return self.module(x.transpose(1, 2)).transpose(1, 2)


def _mlp(width: int, inner: int, dropout: float) -> nn.Module:
    # No dropout between: to draw as many numbers again as the layer has outputs takes longer than the layer.
    return nn.Sequential(nn.Linear(width, inner), nn.GELU(), nn.Linear(inner, width), nn.Dropout(dropout))
