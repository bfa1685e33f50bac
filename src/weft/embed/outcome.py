"""Whether a run has learned anything."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from weft.embed.run import Settings

__all__ = ["blank_loss", "warn_untrained"]

# Shares of the blank loss at which runs ended, and the micro-F1 of their vectors at 10 % of labels.
# BlogCatalog, d=64: 10 epochs .996, 17 (as good as nothing); window 10, 300 epochs .970, 32. Planted
# partition of 5,000 nodes in 10 communities: 100 epochs 1.000, 20; 200 epochs .860, 100.
_BLANK = 0.98


def blank_loss(negative_weight: float) -> float:
    """The lowest mean loss of a pair for vectors whose products are all the same.

    With a product s, a pair costs ``softplus(-s)`` and its negatives ``negative_weight * softplus(s)``: least
    at ``sigmoid(s) = 1 / (1 + negative_weight)``. Vectors before training have s = 0 and cost more.
    """
    return math.log1p(negative_weight) + negative_weight * math.log1p(1 / negative_weight)


def warn_untrained(
    history_S2: npt.NDArray[np.float64], settings: Settings, epochs: float | str, *, stacklevel: int
) -> None:
    """Warn of a run whose loss says that its vectors tell no node from another.

    LINE's first order is left out, and with it both orders: with one table for both ends vectors can be good
    where the loss has hardly left its beginning (the planted partition after 50 epochs: 4.155 of 4.159,
    micro-F1 88).

    Args:
        history_S2: float64 ``[S, 2]``: pairs trained so far, mean loss of the last pool.
        settings: of the run.
        epochs: as the user gave them.
        stacklevel: of the warning, counted from the caller.
    """
    loss, blank = float(history_S2[-1, 1]), blank_loss(settings.negative_weight)
    # The loss of a single pool is the mean from the beginning on: only near that does it tell of the end.
    begin = (1 + settings.negative_weight) * math.log(2)
    bound = blank if len(history_S2) > 1 else begin
    if settings.order == 2 and loss > _BLANK * bound:
        given = epochs if isinstance(epochs, str) else f"{float(epochs):g}"
        warnings.warn(
            f"fit has learned next to nothing: the loss ended at {loss:.3f}. It begins at {begin:.3f}, and "
            f"vectors that tell no node from another come down to {blank:.3f}. Give more epochs than {given} "
            "(one is as many pairs as there are edges), or a larger learning_rate than "
            f"{settings.learning_rate:g}",
            UserWarning,
            stacklevel=stacklevel + 1,
        )
