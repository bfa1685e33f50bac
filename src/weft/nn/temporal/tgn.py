"""TGN: a memory for each node, and attention to its newest events.

Shapes: R roots, K events of each, U nodes, D columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from weft.checks import check_choice, check_int
from weft.nn.temporal.attention import TemporalAttention
from weft.nn.temporal.encoder import TemporalEncoder
from weft.nn.temporal.memory import NodeMemory
from weft.nn.temporal.near import rectangle
from weft.nn.temporal.time import TimeEncoding
from weft.sampling import TemporalNeighborSampler

if TYPE_CHECKING:
    from weft.graph import TemporalGraph, TemporalSnapshot

__all__ = ["TGN"]

I64 = npt.NDArray[np.int64]


class TGN(TemporalEncoder):
    """Temporal graph network (Rossi et al., 2020), with :class:`weft.nn.temporal.NodeMemory`.

    Args:
        graph: where neighbours are looked up.
        dim: D, of memory and output.
        neighbors: K, the newest events of a node that are looked at.
        embedding: ``attention`` to these; ``identity``: the memory alone, as JODIE nearly has it.
        heads: of the attention.
        dropout: of attention weights.
        features: ``node_features``, ``event_features`` and ``seed`` of :class:`TemporalEncoder`.
    """

    def __init__(
        self,
        graph: TemporalGraph | TemporalSnapshot,
        dim: int = 100,
        *,
        neighbors: int = 10,
        embedding: Literal["attention", "identity"] = "attention",
        heads: int = 2,
        dropout: float = 0.1,
        **features: Any,  # noqa: ANN401 - those of the base
    ) -> None:
        super().__init__(graph, dim, **features)
        check_choice("TGN: embedding", embedding, ("attention", "identity"))
        self.neighbors = check_int("TGN: neighbors", neighbors, 1)
        self.memory = NodeMemory(dim, dim, self.event_dim)
        self.attends = embedding == "attention"
        if self.attends:
            self.time = TimeEncoding(dim)
            event = 2 * dim + self.node_dim + self.event_dim
            self.attention = TemporalAttention(dim + self.node_dim, event, dim, heads, dropout)
        self.out = nn.Sequential(
            nn.Linear((2 if self.attends else 1) * dim + self.node_dim, dim), nn.ReLU(), nn.Linear(dim, dim)
        )

    def forward(self, node: I64, time: I64) -> Tensor:
        """As :meth:`TemporalEncoder.forward`."""
        node_U, of_R = np.unique(node, return_inverse=True)
        own_R = self.memory.read(torch.from_numpy(node_U)).index_select(0, torch.from_numpy(of_R))
        root_R = torch.cat([own_R, self.nodes(node)], dim=1)
        if not self.attends:
            return self.out(root_R)
        sampler = TemporalNeighborSampler(self.graph, [self.neighbors], dedup=False)
        near = rectangle(sampler.sample(node, time).hops[0], len(node), self.neighbors)
        event_RKI = torch.cat(
            [
                self.memory.look(torch.from_numpy(near.node)),
                self.nodes(near.node),
                self.time(near.delta),
                self.events(near.eid),
            ],
            dim=2,
        )
        return self.out(torch.cat([self.attention(root_R, event_RKI, near.there), root_R], dim=1))

    def observe(self, source: I64, target: I64, time: I64, eid: I64 | None = None) -> None:
        """Take in events in the order of time; those of a call see the memory from before all of them."""
        self.memory.observe(source, target, time, None if eid is None else self.events(eid))

    def reset(self) -> None:
        """Forget all events."""
        self.memory.reset()
