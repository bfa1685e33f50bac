"""From two nodes to whether they meet.

Shapes: P pairs, D columns of a node.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["LinkDecoder"]


class LinkDecoder(nn.Module):
    """A layer over both nodes and what agrees between them, and one number of it.

    TGN's decoder, a layer over both nodes side by side, and beside it the product of a map of each: that a
    node is among those the other met is a matter of agreement, which no layer over the sum of both can see.

    Args:
        dim: D.
        extra: columns that are known of a pair.
    """

    def __init__(self, dim: int, extra: int = 0) -> None:
        super().__init__()
        self.source, self.target = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.mine, self.yours = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.out = nn.Sequential(nn.Linear(2 * dim + extra, dim), nn.ReLU(), nn.Linear(dim, 1))

    def forward(self, source_PD: Tensor, target_PD: Tensor, extra: Tensor | None = None) -> Tensor:
        """Scores (logits), float32 ``[P]``."""
        side = self.source(source_PD) + self.target(target_PD)
        seen = [side.relu_(), self.mine(source_PD) * self.yours(target_PD)]
        if extra is not None:
            seen.append(extra)
        return self.out(torch.cat(seen, dim=1)).squeeze(1)
