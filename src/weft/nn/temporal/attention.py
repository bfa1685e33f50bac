"""Attention of a root to its events.

Shapes: R roots, K events of each, Q columns of a root, I of an event, H heads, D columns out, d = D / H.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from weft.errors import WeftValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["TemporalAttention"]


class TemporalAttention(nn.Module):
    """Multi-head attention whose keys and values are never made.

    The score of an event x is ``(W_q r) . (W_k x) = (W_k^T W_q r) . x``, and the sum of values is
    ``W_v (sum a x)``: both maps are taken from the K events of a root to the root itself, with the same
    result as Vaswani et al. (NeurIPS 2017). A bias of the keys would change no weight, one of the values is
    added once, as the weights a of a root sum to one. An event comes in parts that lie side by side: to
    put them together would move more memory than all else.

    Args:
        root: Q.
        event: I, of each part.
        out: D.
        heads: H, a divisor of D.
        dropout: of attention weights.

    Raises:
        WeftValueError: D is no multiple of H.
    """

    def __init__(
        self, root: int, event: Sequence[int], out: int, heads: int = 2, dropout: float = 0.1
    ) -> None:
        super().__init__()
        if heads < 1 or out % heads:
            raise WeftValueError(f"temporal attention: {out} columns are no multiple of {heads} heads")
        self.heads, self.each = heads, out // heads
        self.query = nn.Linear(root, out)
        self.parts, columns = list(event), sum(event)
        self.key = nn.Parameter(torch.empty(heads, self.each, columns))
        self.value = nn.Parameter(torch.empty(heads, columns, self.each))
        self.bias = nn.Parameter(torch.zeros(out))
        bound = math.sqrt(6 / (columns + out))  # Glorot and Bengio, AISTATS 2010
        nn.init.uniform_(self.key, -bound, bound)
        nn.init.uniform_(self.value, -bound, bound)
        self.dropout = nn.Dropout(dropout)

    def forward(self, root_RQ: Tensor, parts: Sequence[Tensor], there_RK: Tensor) -> Tensor:
        """What each root gathers from parts ``[R, K, I]``: float32 ``[R, D]``, zeros without events."""
        roots = len(root_RQ)
        query_HRd = self.query(root_RQ).view(roots, self.heads, self.each).transpose(0, 1)
        asked_RHI = torch.bmm(query_HRd, self.key).transpose(0, 1)
        asked = asked_RHI.split(self.parts, dim=2)
        each = [torch.bmm(a, p.transpose(1, 2)) for a, p in zip(asked, parts, strict=True)]
        score_RHK = torch.stack(each).sum(0) / math.sqrt(self.each)
        # Not -inf: a root without events would have NaN, on the way back too.
        score_RHK = score_RHK.masked_fill(~there_RK.unsqueeze(1), -1e9)
        weight_RHK = self.dropout(score_RHK.softmax(-1) * there_RK.unsqueeze(1))
        seen_RHI = torch.cat([torch.bmm(weight_RHK, p) for p in parts], dim=2)
        value_RD = torch.bmm(seen_RHI.transpose(0, 1), self.value).transpose(0, 1).reshape(roots, -1)
        return value_RD + self.bias * there_RK[:, :1]
