"""Encoders that gather from neighbours' neighbours, layer by layer.

Shapes: R roots, K events of each, M pairs of the next hop, S events, D columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from weft.nn.temporal.attention import TemporalAttention
from weft.nn.temporal.encoder import TemporalEncoder
from weft.nn.temporal.near import Near, rectangle
from weft.nn.temporal.time import TimeEncoding
from weft.sampling import TemporalNeighborSampler

if TYPE_CHECKING:
    from collections.abc import Sequence

    from weft.graph import TemporalGraph, TemporalSnapshot
    from weft.sampling import TemporalHop

__all__ = ["GAT", "SAGE", "TGAT", "GATLayer", "Hops"]

I64 = npt.NDArray[np.int64]


class Hops(TemporalEncoder):
    """One layer for each hop of :class:`weft.sampling.TemporalNeighborSampler`.

    Args:
        graph: where neighbours are looked up.
        dim: D.
        num_neighbors: events of a root at most, for each hop.
        sampling: of the sampler: ``how``, ``window``, ``snapshots`` …
        features: of :class:`TemporalEncoder`.
    """

    def __init__(
        self,
        graph: TemporalGraph | TemporalSnapshot,
        dim: int,
        num_neighbors: Sequence[int],
        sampling: dict[str, Any],
        **features: Any,  # noqa: ANN401 - those of the base
    ) -> None:
        super().__init__(graph, dim, **features)
        self.num_neighbors, self.sampling = tuple(num_neighbors), sampling
        self._sampler()  # what is wrong with it is said now
        self.layers = nn.ModuleList(self.layer() for _ in self.num_neighbors)

    def layer(self) -> nn.Module:
        """A layer, called with vectors of roots and of the next hop's, and events and their features."""
        raise NotImplementedError

    def _sampler(self) -> TemporalNeighborSampler:
        return TemporalNeighborSampler(self.graph, self.num_neighbors, **self.sampling)

    def forward(self, node: I64, time: I64) -> Tensor:
        """As :meth:`TemporalEncoder.forward`."""
        # Other steps draw others, and the same step the same: the step is what learning has counted so far.
        sampled = self._sampler().sample(node, time, seed=self.step)
        vector = self.gather(sampled.node, sampled.hops)
        return vector.index_select(0, torch.from_numpy(sampled.of))

    def gather(self, node: I64, hops: list[TemporalHop]) -> Tensor:
        """Vectors of the roots of the first hop."""
        of_hop = [node, *(hop.node for hop in hops)]
        below = [self.nodes(nodes) for nodes in of_hop]
        nears = [
            rectangle(hop, len(roots), width)
            for hop, roots, width in zip(hops, of_hop, self.num_neighbors, strict=False)
        ]
        for number, layer in enumerate(self.layers):
            left = len(self.layers) - number
            below = [layer(below[k], below[k + 1], nears[k], self.events(nears[k].eid)) for k in range(left)]
        return below[0]


def spread(below_MD: Tensor, near: Near) -> Tensor:
    """Vectors of the nodes at the other end, float32 ``[R, K, D]``."""
    if not len(below_MD):
        return below_MD.new_zeros(*near.col.shape, below_MD.shape[1])
    return below_MD.index_select(0, near.col.view(-1)).view(*near.col.shape, -1)


class _TGATLayer(nn.Module):
    def __init__(self, dim: int, time_dim: int, event_dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.time = TimeEncoding(time_dim, learned=True)
        event = [dim, time_dim, *([event_dim] if event_dim else [])]
        self.attention = TemporalAttention(dim, event, dim, heads, dropout)
        self.out = nn.Sequential(nn.Linear(2 * dim, dim), nn.ReLU(), nn.Linear(dim, dim))

    def forward(self, own_RD: Tensor, below_MD: Tensor, near: Near, event: Tensor) -> Tensor:
        parts = [spread(below_MD, near), self.time(near.delta), *([event] if event.shape[-1] else [])]
        return self.out(torch.cat([self.attention(own_RD, parts, near.there), own_RD], dim=1))


class TGAT(Hops):
    """Temporal graph attention (Xu et al., ICLR 2020): to events by what they were and how long ago.

    Args:
        graph: where neighbours are looked up.
        dim: D.
        num_neighbors: events of a root at most, for each hop and layer.
        how: which; the paper draws them uniformly, and found the newest no better.
        heads: of the attention.
        dropout: of attention weights.
        time_dim: columns of a time difference, of learned frequencies.
        features: of :class:`TemporalEncoder`.
    """

    def __init__(
        self,
        graph: TemporalGraph | TemporalSnapshot,
        dim: int = 100,
        *,
        num_neighbors: Sequence[int] = (10, 10),
        how: str = "recent",
        heads: int = 2,
        dropout: float = 0.1,
        time_dim: int = 32,
        **features: Any,  # noqa: ANN401
    ) -> None:
        self._of = {"time_dim": time_dim, "heads": heads, "dropout": dropout}
        super().__init__(graph, dim, num_neighbors, {"how": how}, **features)

    def layer(self) -> nn.Module:
        """As :meth:`Hops.layer`."""
        return _TGATLayer(self.dim, event_dim=self.event_dim, **self._of)


class _SAGELayer(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.out = nn.Sequential(nn.Linear(2 * dim, dim), nn.ReLU(), nn.Linear(dim, dim))

    def forward(self, own_RD: Tensor, below_MD: Tensor, near: Near, event: Tensor) -> Tensor:
        there = near.there.unsqueeze(2)
        mean_RD = (spread(below_MD, near) * there).sum(1) / there.sum(1).clamp(min=1)
        return self.out(torch.cat([mean_RD, own_RD], dim=1))


class GATLayer(nn.Module):
    """A layer of GAT on events as rectangles."""

    def __init__(self, dim: int, heads: int, dropout: float, *, residual: bool = False) -> None:
        super().__init__()
        self.residual = nn.Linear(dim, dim, bias=False) if residual else None
        self.heads, self.map = heads, nn.Linear(dim, dim, bias=False)
        self.sends, self.hears = nn.Linear(dim, heads), nn.Linear(dim, heads)
        self.bias, self.dropout = nn.Parameter(torch.zeros(dim)), nn.Dropout(dropout)

    def forward(self, own_RD: Tensor, below_MD: Tensor, near: Near, event: Tensor) -> Tensor:
        """As :meth:`Hops.layer` says."""
        own, below = self.map(own_RD), self.map(below_MD)
        # A node is its own neighbour, too.
        here_RKD = torch.cat([own.unsqueeze(1), spread(below, near)], dim=1)
        sent_RKH = torch.cat([self.sends(own).unsqueeze(1), spread(self.sends(below), near)], dim=1)
        score_RKH = nn.functional.leaky_relu(sent_RKH + self.hears(own).unsqueeze(1), 0.2)
        there_RK1 = torch.cat([near.there.new_ones(len(own), 1), near.there], dim=1).unsqueeze(2)
        weight_RKH = self.dropout(score_RKH.masked_fill(~there_RK1, -1e9).softmax(1))
        each = here_RKD.unflatten(2, (self.heads, -1))
        gathered_RD = (weight_RKH.unsqueeze(3) * each).sum(1).flatten(1) + self.bias
        if self.residual is not None:
            return nn.functional.elu(gathered_RD) + self.residual(own_RD)
        return nn.functional.elu(gathered_RD)


class SAGE(Hops):
    """GraphSAGE's mean (Hamilton et al., NeurIPS 2017) of events drawn uniformly: a static model on a stream.

    It knows which nodes met before, and not when.

    Args:
        graph: where neighbours are looked up.
        dim: D.
        num_neighbors: events of a root at most, for each hop and layer.
        features: of :class:`TemporalEncoder`.
    """

    def __init__(
        self,
        graph: TemporalGraph | TemporalSnapshot,
        dim: int = 100,
        *,
        num_neighbors: Sequence[int] = (15, 10),
        **features: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(graph, dim, num_neighbors, {"how": "uniform"}, **features)

    def layer(self) -> nn.Module:
        """As :meth:`Hops.layer`."""
        return _SAGELayer(self.dim)


class GAT(Hops):
    """Graph attention (Veličković et al., ICLR 2018) to events drawn uniformly: a static model on a stream.

    Args:
        graph: where neighbours are looked up.
        dim: D, of all heads together.
        num_neighbors: events of a root at most, for each hop and layer.
        heads: of the attention, a divisor of D.
        dropout: of attention weights.
        features: of :class:`TemporalEncoder`.
    """

    def __init__(
        self,
        graph: TemporalGraph | TemporalSnapshot,
        dim: int = 100,
        *,
        num_neighbors: Sequence[int] = (10, 10),
        heads: int = 2,
        dropout: float = 0.1,
        **features: Any,  # noqa: ANN401
    ) -> None:
        self._of = {"heads": heads, "dropout": dropout}
        super().__init__(graph, dim, num_neighbors, {"how": "uniform"}, **features)

    def layer(self) -> nn.Module:
        """As :meth:`Hops.layer`."""
        return GATLayer(self.dim, **self._of)
