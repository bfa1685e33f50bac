"""TGN as a run keeps it: scores, and vectors of nodes. Needs torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from weft.nn.temporal import TGN, TemporalLinks

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from weft.graph import TemporalGraph

__all__ = ["LiveTGN"]


class LiveTGN(TemporalLinks):
    """:class:`weft.nn.temporal.TGN` with its decoder and optimiser.

    Args:
        graph: that the run keeps.
    """

    def __init__(self, graph: TemporalGraph) -> None:
        super().__init__(TGN(graph))

    @torch.no_grad()
    def embed(self, nodes: npt.NDArray[np.int64], time: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Vectors of nodes at times, float32 ``[K, D]``; changes nothing."""
        self.net.eval()
        return self.encoder(nodes, time).numpy()
