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
        time_dim: columns of a time difference.
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
        time_dim: int = 100,
        **features: Any,  # noqa: ANN401 - those of the base
    ) -> None:
        super().__init__(graph, dim, **features)
        check_choice("TGN: embedding", embedding, ("attention", "identity"))
        self.neighbors = check_int("TGN: neighbors", neighbors, 1)
        self.memory = NodeMemory(dim, time_dim, self.event_dim)
        self._shown: Tensor | None = None  # memory and identity of every node, while they are as they were
        self.register_load_state_dict_post_hook(self._forget)
        self.attends = embedding == "attention"
        if self.attends:
            self.time = TimeEncoding(time_dim)
            event = [dim, time_dim, *([self.event_dim] if self.event_dim else [])]
            self.attention = TemporalAttention(dim, event, dim, heads, dropout)
        self.out = nn.Sequential(nn.Linear((1 + self.attends) * dim, dim), nn.ReLU(), nn.Linear(dim, dim))

    def forward(self, node: I64, time: I64) -> Tensor:
        """As :meth:`TemporalEncoder.forward`."""
        node_U, of_R = np.unique(node, return_inverse=True)
        memory_UD = self.memory.read(torch.from_numpy(node_U)) + self.nodes(node_U)
        root_RD = memory_UD.index_select(0, torch.from_numpy(of_R))
        if not self.attends:
            return self.out(root_RD)
        sampler = TemporalNeighborSampler(self.graph, [self.neighbors], dedup=False)
        near = rectangle(sampler.sample(node, time).hops[0], len(node), self.neighbors)
        parts = [self._neighbors(near.node), self.time(near.delta)]
        if self.event_dim:
            parts.append(self.events(near.eid))
        return self.out(torch.cat([self.attention(root_RD, parts, near.there), root_RD], dim=1))

    def _neighbors(self, node: I64) -> Tensor:
        """Memory and features of nodes ``[R, K]``: float32 ``[R, K, D]``."""
        if self.node_features is None:
            # Nothing of this is learned, so the sums are kept, and few of them change from batch to batch.
            if self._shown is None or len(self._shown) < self.graph.num_nodes:
                every = np.arange(max(self.graph.num_nodes, 1))
                self._shown = self.memory.look(torch.from_numpy(every)) + self.nodes(every)
            return self._shown.index_select(0, torch.from_numpy(node.reshape(-1))).view(*node.shape, -1)
        node_V, of = np.unique(node, return_inverse=True)
        memory_VD = self.memory.look(torch.from_numpy(node_V)) + self.nodes(node_V)
        return memory_VD.index_select(0, torch.from_numpy(of.reshape(-1))).view(*node.shape, -1)

    def observe(self, source: I64, target: I64, time: I64, eid: I64 | None = None) -> None:
        """Take in events in the order of time; those of a call see the memory from before all of them."""
        self.memory.observe(source, target, time, None if eid is None else self.events(eid))
        named = np.concatenate([source, target])
        if self._shown is not None and named.max(initial=-1) < len(self._shown):
            at = torch.from_numpy(named)
            self._shown[at] = self.memory.look(at) + self.nodes(named)
        else:
            self._shown = None

    def reset(self) -> None:
        """Forget all events."""
        self.memory.reset()
        self._shown = None

    def _forget(self, *_: object) -> None:
        self._shown = None
