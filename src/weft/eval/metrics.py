"""Metrics in NumPy: F1 from counts, area under the ROC curve from ranks, rank metrics.

Shapes: ``P`` positives, ``M`` negatives, ``Q`` queries, ``C`` candidates per query, ``L`` labels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from weft.errors import WeftValueError

__all__ = ["auc", "average_precision", "f1", "hits_at", "mrr", "ranks"]

Scores = npt.NDArray[np.floating]
Counts = npt.NDArray[np.integer]


def f1(hit_L: Counts, true_L: Counts, predicted_L: Counts) -> tuple[float, float]:
    """Micro and macro F1 of a multi-label prediction.

    A label that is neither present nor predicted scores 0 and counts in the macro average, as in
    scikit-learn with ``zero_division=0``.

    Args:
        hit_L: int ``[L]``, items that have the label and were given it.
        true_L: int ``[L]``, items that have it.
        predicted_L: int ``[L]``, items that were given it.
    """
    if len(true_L) == 0:
        return 0.0, 0.0
    sum_L = true_L + predicted_L
    per_label_L = 2 * hit_L / np.maximum(sum_L, 1)
    return float(2 * hit_L.sum() / max(int(sum_L.sum()), 1)), float(per_label_L.mean())


def auc(positive_P: Scores, negative_M: Scores) -> float:
    """Probability that a positive scores above a negative; a tie counts one half.

    Args:
        positive_P: scores ``[P]``.
        negative_M: scores ``[M]``.

    Raises:
        WeftValueError: one of the two is empty, or a score is NaN.
    """
    if len(positive_P) == 0 or len(negative_M) == 0:
        raise WeftValueError(
            f"auc needs scores of both kinds (got {len(positive_P)} positive, {len(negative_M)} negative)"
        )
    _no_nan("auc", positive_P, negative_M)
    negative_M = np.sort(negative_M)
    below = np.searchsorted(negative_M, positive_P, side="left").sum(dtype=np.float64)
    below_or_equal = np.searchsorted(negative_M, positive_P, side="right").sum(dtype=np.float64)
    return float((below + below_or_equal) / 2 / len(positive_P) / len(negative_M))


def average_precision(positive_P: Scores, negative_M: Scores) -> float:
    """Area under the curve of precision over recall, as a sum of steps: the AP of scikit-learn.

    Scores that are equal make one step, whatever their order.

    Args:
        positive_P: scores ``[P]``.
        negative_M: scores ``[M]``.

    Raises:
        WeftValueError: one of the two is empty, or a score is NaN.
    """
    if len(positive_P) == 0 or len(negative_M) == 0:
        raise WeftValueError(
            f"average precision needs scores of both kinds (got {len(positive_P)} positive, "
            f"{len(negative_M)} negative)"
        )
    _no_nan("average precision", positive_P, negative_M)
    value, hits = np.unique(positive_P, return_counts=True)
    # Of a step, all with at least its score are told to be edges.
    told = hits[::-1].cumsum() + len(negative_M) - np.searchsorted(np.sort(negative_M), value[::-1])
    return float((hits[::-1] * (hits[::-1].cumsum() / told)).sum() / len(positive_P))


def ranks(positive_Q: Scores, negative_QC: Scores) -> npt.NDArray[np.float64]:
    """Rank of each positive among its own negatives, 1 the best; float64 ``[Q]``.

    Of equal scores the mean rank is taken: a model that scores everything alike must not look good. It is
    the mean of the optimistic and the pessimistic rank of TGB (Huang et al., NeurIPS 2023).

    Args:
        positive_Q: scores ``[Q]``.
        negative_QC: scores ``[Q, C]``; minus infinity where a query has no more negatives.

    Raises:
        WeftValueError: the shapes do not fit, or a score is NaN.
    """
    if negative_QC.ndim != 2 or len(negative_QC) != len(positive_Q):
        raise WeftValueError(
            f"ranks: negatives must have the shape [{len(positive_Q)}, C] (got {list(negative_QC.shape)})"
        )
    _no_nan("ranks", positive_Q, negative_QC)
    above_Q = (negative_QC > positive_Q[:, None]).sum(axis=1)
    equal_Q = (negative_QC == positive_Q[:, None]).sum(axis=1)
    return 1.0 + above_Q + equal_Q / 2


def mrr(ranks_Q: npt.NDArray[np.float64]) -> float:
    """Mean reciprocal rank."""
    return float(np.mean(1.0 / ranks_Q)) if len(ranks_Q) else 0.0


def hits_at(ranks_Q: npt.NDArray[np.float64], k: int) -> float:
    """Share of ranks that are at most ``k``."""
    return float(np.mean(ranks_Q <= k)) if len(ranks_Q) else 0.0


def _no_nan(operation: str, *scores: Scores) -> None:
    for array in scores:
        if np.isnan(array).any():
            raise WeftValueError(f"{operation}: {int(np.isnan(array).sum())} scores are NaN")
