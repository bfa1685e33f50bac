"""Multi-label node classification by DeepWalk's protocol.

Vectors are scaled to length 1. Of the nodes that have labels, a portion trains one logistic
regression per label (liblinear, C = 1); every other one is then given as many labels as it truly has,
those with the highest scores. This is done for several shuffles; micro and macro F1 are averaged.

Perozzi, Al-Rfou, Skiena: "DeepWalk: online learning of social representations", KDD 2014.

Shapes: ``N`` nodes, ``D`` dimensions, ``B`` labelled nodes, ``R`` training nodes, ``T`` test nodes,
``L`` labels.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from weft.errors import WeftValueError
from weft.eval import _liblinear, metrics
from weft.graph import Labels
from weft.rng import Op, key

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ClassificationReport", "PortionScore", "classify_nodes", "unit_rows"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

_SCORE_BLOCK = 1 << 22  # scores held at a time: 32 MB


@dataclass(frozen=True, slots=True, kw_only=True)
class PortionScore:
    """F1 at one portion of training nodes; one value per trial.

    Attributes:
        portion: share of the labelled nodes that trained.
        train: how many nodes that was.
        test: how many were predicted.
        micro: micro F1 of each trial.
        macro: macro F1 of each trial.
    """

    portion: float
    train: int
    test: int
    micro: tuple[float, ...]
    macro: tuple[float, ...]

    @property
    def micro_mean(self) -> float:
        """Mean micro F1."""
        return float(np.mean(self.micro))

    @property
    def micro_std(self) -> float:
        """Standard deviation of micro F1 over the trials."""
        return float(np.std(self.micro))

    @property
    def macro_mean(self) -> float:
        """Mean macro F1."""
        return float(np.mean(self.macro))

    @property
    def macro_std(self) -> float:
        """Standard deviation of macro F1 over the trials."""
        return float(np.std(self.macro))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationReport:
    """The result of :func:`classify_nodes`.

    Attributes:
        scores: one entry per portion.
        nodes: labelled nodes; the others take no part.
        labels: distinct labels.
        trials: shuffles per portion.
        seed: what the shuffles were drawn from.
        seconds: how long it took.
    """

    scores: tuple[PortionScore, ...]
    nodes: int
    labels: int
    trials: int
    seed: int
    seconds: float

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "task": "classification",
            "nodes": self.nodes,
            "labels": self.labels,
            "trials": self.trials,
            "seed": self.seed,
            "seconds": round(self.seconds, 3),
            "portions": [
                {
                    "portion": score.portion,
                    "train": score.train,
                    "test": score.test,
                    "micro_f1": score.micro_mean,
                    "micro_f1_std": score.micro_std,
                    "macro_f1": score.macro_mean,
                    "macro_f1_std": score.macro_std,
                    "micro_f1_trials": list(score.micro),
                    "macro_f1_trials": list(score.macro),
                }
                for score in self.scores
            ],
        }


def classify_nodes(
    vectors_ND: npt.NDArray[np.floating],
    labels: Labels,
    *,
    portions: Sequence[float] = (0.1, 0.5, 0.9),
    trials: int = 10,
    seed: int = 0,
    workers: int | None = None,
    progress: bool = False,
) -> ClassificationReport:
    """Measure vectors by how well they tell the labels of nodes.

    Args:
        vectors_ND: float ``[N, D]``.
        labels: labels of the N nodes; nodes without any are left out.
        portions: shares of the labelled nodes to train with, each in (0, 1).
        trials: shuffles. Each is used for every portion, as in the published protocol.
        seed: of the shuffles; the result does not depend on ``workers``.
        workers: processes; the core's thread count when not given, and one where that is quicker.
        progress: show a bar.

    Raises:
        WeftValueError: an argument is out of range, there are no labels, vectors hold NaN or infinity, the
            two disagree in length, or there are too few labelled nodes to split.
        MissingExtraError: scikit-learn is not installed.
    """
    begun = time.perf_counter()
    _check(vectors_ND, labels, portions, trials)
    nodes_B = np.flatnonzero(np.diff(labels.indptr))
    if len(nodes_B) < 2:
        raise WeftValueError(
            f"classification needs at least 2 nodes with labels (got {len(nodes_B)} of "
            f"{len(vectors_ND)}); give labels with --labels"
        )
    vectors_BD, labels = unit_rows(vectors_ND[nodes_B]), labels.take(nodes_B)
    sizes = [min(max(1, int(portion * len(nodes_B))), len(nodes_B) - 1) for portion in portions]
    orders = [
        np.random.default_rng([key(seed, Op.EVALUATE), trial]).permutation(len(nodes_B))
        for trial in range(trials)
    ]
    splits = [order[:size] for size in sizes for order in orders]
    fits = _liblinear.fit_splits(vectors_BD, labels, splits, workers=workers, progress=progress)
    f1s = [
        _score(vectors_BD, labels, order[size:], weights_LD, bias_L)
        for (size, order), (weights_LD, bias_L) in zip(
            ((size, order) for size in sizes for order in orders), fits, strict=True
        )
    ]
    scores = tuple(
        PortionScore(
            portion=float(portion),
            train=size,
            test=len(nodes_B) - size,
            micro=tuple(micro for micro, _ in f1s[i * trials : (i + 1) * trials]),
            macro=tuple(macro for _, macro in f1s[i * trials : (i + 1) * trials]),
        )
        for i, (portion, size) in enumerate(zip(portions, sizes, strict=True))
    )
    return ClassificationReport(
        scores=scores,
        nodes=len(nodes_B),
        labels=len(labels.names),
        trials=trials,
        seed=seed,
        seconds=time.perf_counter() - begun,
    )


def unit_rows(vectors_ND: npt.NDArray[np.floating]) -> F64:
    """Rows scaled to length 1 in float64; a row of zeros stays."""
    vectors_ND = vectors_ND.astype(np.float64)
    norm_N1 = np.linalg.norm(vectors_ND, axis=1, keepdims=True)
    return vectors_ND / np.where(norm_N1 > 0, norm_N1, 1.0)


def _score(vectors_BD: F64, labels: Labels, test_T: I64, weights_LD: F64, bias_L: F64) -> tuple[float, float]:
    """Micro and macro F1 when each test node gets as many labels as it has."""
    count = len(labels.names)
    hit_L, true_L, predicted_L = (np.zeros(count, np.int64) for _ in range(3))
    block = max(1, _SCORE_BLOCK // count)
    for begin in range(0, len(test_T), block):
        part_T = test_T[begin : begin + block]
        truth = labels.take(part_T)
        owner, wanted = truth.pairs()
        scores_TL = vectors_BD[part_T] @ weights_LD.T + bias_L
        # Equal scores go to the lower label: the sort is stable.
        ranked_TL = np.argsort(-scores_TL, axis=1, kind="stable")
        rank_TL = np.empty_like(ranked_TL)
        np.put_along_axis(rank_TL, ranked_TL, np.arange(count)[None, :], axis=1)
        given_TL = rank_TL < np.diff(truth.indptr)[:, None]
        hit_L += np.bincount(wanted[given_TL[owner, wanted]], minlength=count)
        true_L += np.bincount(wanted, minlength=count)
        predicted_L += given_TL.sum(axis=0)
    return metrics.f1(hit_L, true_L, predicted_L)


def _check(
    vectors_ND: npt.NDArray[np.floating], labels: Labels, portions: Sequence[float], trials: int
) -> None:
    """Refuse arguments that cannot be used."""
    if vectors_ND.ndim != 2 or vectors_ND.dtype.kind != "f":
        raise WeftValueError(
            f"vectors must be float [N, D] (got {vectors_ND.dtype} {list(vectors_ND.shape)})"
        )
    if not isinstance(labels, Labels):
        raise WeftValueError(
            f"classify_nodes: labels must be a Labels (got {labels!r}); a graph has them if it was imported "
            "with labels (weft import --labels, labels= in Python); weft.graph.read_labels reads a file"
        )
    if len(labels.indptr) != len(vectors_ND) + 1:
        raise WeftValueError(
            f"there are {len(vectors_ND)} vectors but labels for {len(labels.indptr) - 1} nodes"
        )
    if not portions or not all(0 < portion < 1 for portion in portions):
        raise WeftValueError(f"portions must lie between 0 and 1, both excluded (got {list(portions)})")
    if trials < 1:
        raise WeftValueError(f"trials must be at least 1 (got {trials})")
    bad = len(vectors_ND) - int(np.isfinite(vectors_ND).all(axis=1).sum())
    if bad:
        raise WeftValueError(f"{bad} of {len(vectors_ND)} vectors hold NaN or infinity: training diverged")
