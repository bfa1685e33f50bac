"""PyG's TGN on a stream of events, by the rules of its documented example.

Memory, messages and the ring of newest neighbours are PyG's own classes; batches of 200 events in the order
of time; negatives drawn from the targets; neighbours and memory as they were before the batch; raw messages
are the features of an event, here one zero, as our copy has none.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from torch import nn
from torch_geometric.nn import TransformerConv
from torch_geometric.nn.models.tgn import IdentityMessage, LastAggregator, LastNeighborLoader, TGNMemory

__all__ = ["PygTGN"]

DIM, NEIGHBORS, BATCH = 100, 10, 200


class _Attention(nn.Module):
    def __init__(self, encoding: nn.Module) -> None:
        super().__init__()
        self.encoding = encoding
        self.conv = TransformerConv(DIM, DIM // 2, heads=2, dropout=0.1, edge_dim=1 + DIM)

    def forward(self, x: Any, last: Any, edges: Any, t: Any, message: Any) -> Any:  # noqa: ANN401
        ago = self.encoding((last[edges[0]] - t).to(x.dtype))
        return self.conv(x, edges, torch.cat([ago, message], dim=1))


class _Predictor(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.source, self.target, self.out = nn.Linear(DIM, DIM), nn.Linear(DIM, DIM), nn.Linear(DIM, 1)

    def forward(self, source: Any, target: Any) -> Any:  # noqa: ANN401
        return self.out((self.source(source) + self.target(target)).relu())


class PygTGN:
    """The model and its training on columns of events: source, target and time."""

    def __init__(self, source: Any, target: Any, when: Any, seed: int = 0) -> None:  # noqa: ANN401
        torch.manual_seed(seed)
        self.events = tuple(torch.from_numpy(np.ascontiguousarray(c)) for c in (source, target, when))
        self.message = torch.zeros(len(source), 1)
        nodes = int(max(source.max(), target.max())) + 1
        self.low, self.high = int(target.min()), int(target.max()) + 1
        self.memory = TGNMemory(nodes, 1, DIM, DIM, IdentityMessage(1, DIM, DIM), LastAggregator())
        self.near = LastNeighborLoader(nodes, size=NEIGHBORS)
        self.embed = _Attention(self.memory.time_enc)
        self.predict = _Predictor()
        parts = nn.ModuleList([self.memory, self.embed, self.predict])
        self.optimizer = torch.optim.Adam(set(parts.parameters()), lr=1e-4)
        self.place = torch.empty(nodes, dtype=torch.long)

    def reset(self) -> None:
        """Forget all events, as at the start of an epoch."""
        self.memory.reset_state()
        self.near.reset_state()

    def _scores(self, at: slice) -> tuple[Any, Any]:
        source, target, _ = (column[at] for column in self.events)
        wrong = torch.randint(self.low, self.high, (len(source),))
        nodes = torch.cat([source, target, wrong]).unique()
        nodes, edges, e_id = self.near(nodes)
        self.place[nodes] = torch.arange(len(nodes))
        memory, last = self.memory(nodes)
        vector = self.embed(memory, last, edges, self.events[2][e_id], self.message[e_id])
        mine = vector[self.place[source]]
        return self.predict(mine, vector[self.place[target]]), self.predict(mine, vector[self.place[wrong]])

    def _observe(self, at: slice) -> None:
        source, target, when = (column[at] for column in self.events)
        self.memory.update_state(source, target, when, self.message[at])
        self.near.insert(source, target)

    def train(self, first: int, end: int) -> float:
        """Learn from events ``first .. end``; seconds."""
        for part in (self.memory, self.embed, self.predict):
            part.train()
        start, loss_of = time.perf_counter(), nn.BCEWithLogitsLoss()
        for begin in range(first, end, BATCH):
            at = slice(begin, min(begin + BATCH, end))
            self.optimizer.zero_grad()
            right, wrong = self._scores(at)
            loss = loss_of(right, torch.ones_like(right)) + loss_of(wrong, torch.zeros_like(wrong))
            self._observe(at)
            loss.backward()
            self.optimizer.step()
            self.memory.detach()
        return time.perf_counter() - start

    @torch.no_grad()
    def test(self, first: int, end: int) -> float:
        """Average precision on events ``first .. end`` together, with negatives of a fixed seed."""
        from sklearn.metrics import average_precision_score

        for part in (self.memory, self.embed, self.predict):
            part.eval()
        torch.manual_seed(12345)
        right: list[Any] = []
        wrong: list[Any] = []
        for begin in range(first, end, BATCH):
            at = slice(begin, min(begin + BATCH, end))
            scores = self._scores(at)
            right.append(scores[0][:, 0])
            wrong.append(scores[1][:, 0])
            self._observe(at)
        score = torch.cat(right + wrong).numpy()
        truth = np.arange(len(score)) < len(score) // 2
        return float(average_precision_score(truth, score))
