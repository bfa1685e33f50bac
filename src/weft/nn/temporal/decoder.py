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
        self.source, self.target = nn.Linear(dim, 2 * dim), nn.Linear(dim, 2 * dim)
        self.out = nn.Sequential(nn.Linear(2 * dim + extra, dim), nn.ReLU(), nn.Linear(dim, 1))

    def forward(
        self, source: Tensor, target: Tensor, at: tuple[Tensor, Tensor], extra: Tensor | None = None
    ) -> Tensor:
        """Scores of pairs.

        Args:
            source: float32 ``[S, D]``, different sources.
            target: float32 ``[T, D]``, different targets.
            at: of each pair the numbers of source and target, int64 ``[P]``.
            extra: float32 ``[P, E]``.

        Returns:
            Logits, float32 ``[P]``.
        """
        # Maps of nodes, not of pairs: one source is mostly compared with several targets.
        one, mine = self.source(source).index_select(0, at[0]).chunk(2, dim=1)
        other, yours = self.target(target).index_select(0, at[1]).chunk(2, dim=1)
        seen = [(one + other).relu(), mine * yours]
        if extra is not None:
            seen.append(extra)
        return self.out(torch.cat(seen, dim=1)).squeeze(1)
