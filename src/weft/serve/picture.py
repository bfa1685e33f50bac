"""Vectors drawn in the plane: t-SNE of a sample of nodes, coloured by label.

Shapes: ``N`` nodes, ``D`` dimensions, ``S`` nodes drawn.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.errors import MissingExtraError, WeftValueError
from weft.rng import Op, key

if TYPE_CHECKING:
    from weft.graph import Labels

__all__ = ["Picture", "check_drawable", "draw"]

_ITERATIONS = 400  # 250 of them exaggerated; more sharpens the groups little
_PERPLEXITY = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Points in the plane.

    Attributes:
        xy: float ``[S, 2]``.
        group: int64 ``[S]``, which colour a point has; -1 is grey. Groups are numbered around the
            centre of the picture, so that a circle of hues over them runs smoothly.
        groups: how many there are.
        nodes: int64 ``[S]``, the nodes drawn.
        caption: what is seen.
    """

    xy: npt.NDArray[np.floating]
    group: npt.NDArray[np.int64]
    groups: int
    nodes: npt.NDArray[np.int64]
    caption: str


def check_drawable(nodes: int | None = None) -> None:
    """Whether ``draw`` can work, before the vectors are there.

    Args:
        nodes: how many vectors there will be; None: not known yet.

    Raises:
        WeftValueError: there are fewer than 5.
        MissingExtraError: scikit-learn is not installed.
    """
    if nodes is not None and nodes < 5:
        raise WeftValueError(f"a picture needs at least 5 finite vectors (got {nodes})")
    if importlib.util.find_spec("sklearn") is None:
        raise MissingExtraError("a picture of the vectors", "scikit-learn", "eval")


def draw(
    vectors_ND: npt.NDArray[np.floating],
    labels: Labels | None = None,
    *,
    points: int = 1500,
    max_groups: int = 60,
    seed: int = 0,
) -> Picture:
    """Lay out a sample of the nodes in the plane by t-SNE of their cosines.

    van der Maaten, Hinton: "Visualizing data using t-SNE", JMLR 9, 2008.

    Args:
        vectors_ND: float ``[N, D]``.
        labels: colours the nodes by their first label; nodes with labels are preferred.
        points: how many nodes to draw at most.
        max_groups: labels past the most frequent so many are grey.
        seed: of the sample and the layout.

    Raises:
        WeftValueError: there are fewer than 5 vectors, or they hold NaN or infinity.
        MissingExtraError: scikit-learn is not installed.
    """
    if len(vectors_ND) < 5 or not np.isfinite(vectors_ND).all():
        raise WeftValueError(f"a picture needs at least 5 finite vectors (got {len(vectors_ND)})")
    count = len(vectors_ND)
    shown = np.arange(count) if labels is None else np.flatnonzero(np.diff(labels.indptr))
    shown = shown if len(shown) >= 5 else np.arange(count)
    rng = np.random.default_rng([key(seed, Op.EVALUATE), 2])
    nodes_S = np.sort(rng.choice(shown, min(points, len(shown)), replace=False))
    xy_S2 = _tsne(vectors_ND[nodes_S], key(seed, Op.EVALUATE) % (1 << 32))
    group_S = np.full(len(nodes_S), -1, np.int64) if labels is None else _first(labels, nodes_S, max_groups)
    caption = f"{len(nodes_S):,} of {count:,} nodes in the plane (t-SNE)"
    if labels is not None:
        several = bool((np.diff(labels.indptr) > 1).any())
        caption += f", coloured by {'the first of their labels' if several else 'label'}"
    group_S, groups = _around(xy_S2, group_S)
    return Picture(xy=xy_S2, group=group_S, groups=groups, nodes=nodes_S, caption=caption)


def _tsne(vectors_SD: npt.NDArray[np.floating], seed: int) -> npt.NDArray[np.floating]:
    """t-SNE from the principal components."""
    try:
        from sklearn.manifold import TSNE
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        raise MissingExtraError("a picture of the vectors", "scikit-learn", "eval") from error

    norm = np.linalg.norm(vectors_SD, axis=1, keepdims=True)
    unit = (vectors_SD / np.where(norm > 0, norm, 1.0)).astype(np.float32)
    # PCA cannot scale directions without spread: a trace of noise keeps equal vectors apart.
    unit += np.random.default_rng(seed).normal(scale=1e-6, size=unit.shape).astype(np.float32)
    perplexity = min(_PERPLEXITY, (len(unit) - 1) / 3)
    model: Any = TSNE(perplexity=perplexity, max_iter=_ITERATIONS, init="pca", random_state=seed, n_jobs=1)
    # Its OpenMP threads wait for each other in every step: beside other work one is quicker.
    with threadpool_limits(1):
        return np.asarray(model.fit_transform(unit))


def _first(labels: Labels, nodes_S: npt.NDArray[np.int64], most: int) -> npt.NDArray[np.int64]:
    """The first label of each node; -1 for none and for labels past the most frequent."""
    group_S = np.full(len(nodes_S), -1, np.int64)
    begin, end = labels.indptr[nodes_S], labels.indptr[nodes_S + 1]
    group_S[end > begin] = labels.indices[begin[end > begin]]
    counts = np.bincount(group_S[group_S >= 0], minlength=len(labels.names))
    frequent = np.argsort(-counts, kind="stable")[:most]
    return np.where(np.isin(group_S, frequent), group_S, -1)


def _around(
    xy_S2: npt.NDArray[np.floating], group_S: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], int]:
    """Groups numbered by the angle of their middle around the middle of all."""
    present = np.unique(group_S[group_S >= 0])
    if len(present) == 0:
        return group_S, 0
    centre = xy_S2.mean(axis=0)
    middle = np.array([np.median(xy_S2[group_S == g], axis=0) for g in present]) - centre
    order = np.argsort(np.arctan2(middle[:, 1], middle[:, 0]), kind="stable")
    number = {int(present[g]): i for i, g in enumerate(order)}
    return np.array([number.get(int(g), -1) for g in group_S], np.int64), len(present)
