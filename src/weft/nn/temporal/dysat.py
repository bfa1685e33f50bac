"""DySAT: attention within snapshots, then over them.

Shapes: R roots, W snapshots, D columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from weft.nn.temporal.hops import GATLayer, Hops

if TYPE_CHECKING:
    from collections.abc import Sequence

    from weft.graph import TemporalGraph, TemporalSnapshot

__all__ = ["DySAT"]

I64 = npt.NDArray[np.int64]


class DySAT(Hops):
    """Dynamic self-attention (Sankar et al., WSDM 2020): to neighbours in each window, then to windows.

    As in TGL, windows end at each root's own time instead of at fixed dates; layers have residual
    connections.

    Args:
        graph: where neighbours are looked up.
        window: length of a snapshot, in the unit of the graph's times.
        dim: D.
        snapshots: W.
        num_neighbors: events of a root at most, for each hop and layer, drawn uniformly from a window.
        heads: of both attentions, a divisor of D.
        dropout: of attention weights.
        features: of :class:`TemporalEncoder`.
    """

    def __init__(
        self,
        graph: TemporalGraph | TemporalSnapshot,
        window: int,
        dim: int = 100,
        *,
        snapshots: int = 3,
        num_neighbors: Sequence[int] = (10, 10),
        heads: int = 2,
        dropout: float = 0.1,
        **features: Any,  # noqa: ANN401 - those of the base
    ) -> None:
        self._of = {"heads": heads, "dropout": dropout}
        sampling = {"how": "uniform", "window": window, "snapshots": snapshots, "prop_time": True}
        super().__init__(graph, dim, num_neighbors, sampling, **features)
        self.position = nn.Parameter(torch.zeros(snapshots, dim))
        self.over = nn.MultiheadAttention(dim, heads, dropout, batch_first=True)
        self.out = nn.Sequential(nn.Linear(2 * dim, dim), nn.ReLU(), nn.Linear(dim, dim))

    def layer(self) -> nn.Module:
        """As :meth:`Hops.layer`."""
        return GATLayer(self.dim, **self._of, residual=True)

    def forward(self, node: I64, time: I64) -> Tensor:
        """As :meth:`TemporalEncoder.forward`."""
        sampled = self._sampler().sample(node, time, seed=self.step)
        each = [self.gather(sampled.node, hops) for hops in sampled.snapshots]
        windows_RWD = torch.stack(each, dim=1) + self.position
        # Only what the newest window asks for goes on: that of the root's time.
        over_R1D, _ = self.over(windows_RWD[:, -1:], windows_RWD, windows_RWD, need_weights=False)
        vector = self.out(torch.cat([over_R1D.squeeze(1), each[-1]], dim=1))
        return vector.index_select(0, torch.from_numpy(sampled.of))
