"""How time differences become columns.

Shapes: D columns.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["TimeEncoding"]


class TimeEncoding(nn.Module):
    """``cos(w d + b)`` of a time difference d, as TGAT has it (Xu et al., ICLR 2020).

    Frequencies fall from 1 to ``10 ** -9`` in equal ratios, so that differences from one unit of time to
    10 ** 9 are told apart.

    Args:
        dim: D.
        learned: whether w and b are; GraphMixer (Cong et al., ICLR 2023) found fixed ones to learn more
            stably. Fixed ones also cost nothing on the way back, where nothing else of an event is learned.
    """

    def __init__(self, dim: int, *, learned: bool = False) -> None:
        super().__init__()
        rate_D = torch.from_numpy(10.0 ** -torch.linspace(0, 9, dim, dtype=torch.float64).numpy()).float()
        self.weight = nn.Parameter(rate_D, requires_grad=learned)
        self.bias = nn.Parameter(torch.zeros(dim), requires_grad=learned)

    def forward(self, delta: Tensor) -> Tensor:
        """Columns float32 ``[..., D]`` of differences, float32 ``[...]``, taken in int64."""
        return torch.addcmul(self.bias, delta.unsqueeze(-1), self.weight).cos_()
