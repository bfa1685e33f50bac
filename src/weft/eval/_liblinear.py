"""Many one-vs-rest logistic regressions with liblinear, in several processes where that pays.

liblinear holds the interpreter's lock while it trains, so threads would not help.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.errors import MissingExtraError, WeftValueError
from weft.kernels.threads import num_threads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from weft.graph import Labels

__all__ = ["fit_splits"]

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

# Seconds per training value (rows x dimensions x labels): 20,000 x 128 took 0.2 s a label.
_COST = 8e-8
_STARTUP = 3.0  # seconds until worker processes have imported what they need
_CHUNKS = 4  # tasks per worker and split, so that workers finish together


def fit_splits(
    vectors_BD: F64,
    labels: Labels,
    splits: Sequence[I64],
    *,
    workers: int | None = None,
    progress: bool = False,
) -> list[tuple[F64, F64]]:
    """Train one classifier per label on each split.

    Args:
        vectors_BD: float64 ``[B, D]``, unit rows.
        labels: of the B nodes.
        splits: of each, the nodes that train.
        workers: processes; chosen by the amount of work when not given.
        progress: show a bar.

    Returns:
        For each split weights float64 ``[L, D]`` and bias float64 ``[L]``. A label that no training
        node has scores -inf; one that all have, +inf.

    Raises:
        WeftValueError: ``workers`` is below 1.
        MissingExtraError: scikit-learn is not installed.
    """
    try:
        import joblib
        import sklearn.linear_model  # noqa: F401 - fail before the work is laid out
    except ImportError as error:
        raise MissingExtraError("node classification", "scikit-learn", "eval") from error
    from tqdm import tqdm

    if workers is not None and workers < 1:
        raise WeftValueError(f"workers must be at least 1 (got {workers})")
    count, dim = len(labels.names), vectors_BD.shape[1]
    work = _COST * dim * count * sum(len(split) for split in splits)
    if workers is None:
        workers = num_threads() if work > 4 * _STARTUP else 1
    chunks = [c for c in np.array_split(np.arange(count), min(count, _CHUNKS * workers)) if len(c)]
    tasks = [(i, chunk_L) for i in range(len(splits)) for chunk_L in chunks]
    weights = [np.empty((count, dim)) for _ in splits]
    bias = [np.empty(count) for _ in splits]
    # joblib maps large arrays into every worker instead of sending them.
    run = joblib.Parallel(n_jobs=workers, return_as="generator", max_nbytes="1M")
    results = run(
        joblib.delayed(_fit_chunk)(vectors_BD, labels.indptr, labels.indices, splits[i], chunk_L)
        for i, chunk_L in tasks
    )
    bar = tqdm(total=len(splits) * count, desc="classify", unit="fit", disable=not progress, leave=False)
    with bar:
        for (i, chunk_L), (weights_LD, bias_L) in zip(tasks, results, strict=True):
            weights[i][chunk_L], bias[i][chunk_L] = weights_LD, bias_L
            bar.update(len(chunk_L))
    return list(zip(weights, bias, strict=True))


def _fit_chunk(
    vectors_BD: F64,
    indptr: I64,
    indices: npt.NDArray[np.uint32],
    train_R: I64,
    chunk_L: I64,
) -> tuple[F64, F64]:
    """The classifiers of some labels on one split."""
    from sklearn.linear_model import LogisticRegression

    from weft.graph import Labels

    vectors_RD = vectors_BD[train_R]
    owner, label = Labels(indptr, indices, ()).take(train_R).pairs()
    weights_LD, bias_L = np.zeros((len(chunk_L), vectors_RD.shape[1])), np.empty(len(chunk_L))
    for row, number in enumerate(chunk_L):
        has_R = np.zeros(len(train_R), bool)
        has_R[owner[label == number]] = True
        if has_R.all() or not has_R.any():
            bias_L[row] = np.inf if has_R.any() else -np.inf
            continue
        model: Any = LogisticRegression(solver="liblinear")
        model.fit(vectors_RD, has_R)
        weights_LD[row], bias_L[row] = model.coef_[0], model.intercept_[0]
    return weights_LD, bias_L
