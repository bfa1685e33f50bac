"""The vectors closest to a vector by cosine, exactly.

A float32 pass finds every row that can be among the k best; those few are scored again in float64 and
equal scores go to the lower node. The answer is therefore the same whoever makes the first pass.

Shapes: ``N`` vectors, ``Q`` queries, ``D`` dimensions, ``K`` answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from weft.errors import MissingExtraError, WeftValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["nearest"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

_BLOCK_ROWS = 1 << 16
_QUERIES = 256  # queries at a time: their scores with one block of rows take 64 MB
_FAISS_FROM = 1024  # queries; of 200,000 x 128 rows 256 took NumPy half the time, 4,096 three times
_SLACK = 32  # rows asked of faiss past k, so that ties at the border are seen


def nearest(
    vectors_ND: npt.NDArray[np.floating],
    query_QD: npt.NDArray[np.floating],
    k: int,
    *,
    exclude_Q: I64 | None = None,
    engine: Literal["auto", "numpy", "faiss"] = "auto",
) -> tuple[I64, F64]:
    """The k rows with the highest cosine to each query, best first; of equal ones the lower row first.

    A row of zeros has the cosine 0 with everything.

    Args:
        vectors_ND: float ``[N, D]``.
        query_QD: float ``[Q, D]``.
        k: how many.
        exclude_Q: int64 ``[Q]``, a row that is no answer to this query, such as the query itself.
        engine: who makes the first pass; ``auto`` takes faiss where it is installed and many ask.

    Returns:
        Rows int64 ``[Q, K]`` and cosines float64 ``[Q, K]``; K is k, or all there are if fewer.

    Raises:
        WeftValueError: the shapes do not fit, k is below 1, or a vector holds NaN or infinity.
        MissingExtraError: faiss is asked for and not installed.
    """
    _check(vectors_ND, query_QD, k, exclude_Q)
    excluded_Q = np.full(len(query_QD), -1, np.int64) if exclude_Q is None else exclude_Q
    k = min(k, len(vectors_ND) - (exclude_Q is not None))
    nodes_QK = np.empty((len(query_QD), k), np.int64)
    cosine_QK = np.empty((len(query_QD), k))
    if k == 0 or len(query_QD) == 0:
        return nodes_QK, cosine_QK
    candidates = _candidates(engine, len(query_QD))
    for row, near in enumerate(candidates(vectors_ND, _unit(query_QD), k, excluded_Q)):
        cosine = _cosine(vectors_ND[near], query_QD[row])
        order = np.lexsort((near, -cosine))[:k]
        nodes_QK[row], cosine_QK[row] = near[order], cosine[order]
    return nodes_QK, cosine_QK


def _candidates(
    engine: str, queries: int
) -> Callable[[npt.NDArray[np.floating], F32, int, I64], Iterator[I64]]:
    """Who finds the rows that may be among the best."""
    if engine not in ("auto", "numpy", "faiss"):
        raise WeftValueError(f"engine must be 'auto', 'numpy' or 'faiss' (got {engine!r})")
    if engine == "numpy" or (engine == "auto" and queries < _FAISS_FROM):
        return _by_numpy
    try:
        import faiss  # noqa: F401 - only whether it is there
    except ImportError as error:
        if engine == "auto":
            return _by_numpy
        raise MissingExtraError("engine='faiss'", "faiss-cpu", "ann") from error
    return _by_faiss


def _by_numpy(vectors_ND: npt.NDArray[np.floating], unit_QD: F32, k: int, excluded_Q: I64) -> Iterator[I64]:
    """For each query the rows within rounding of the k-th best score, ascending."""
    for begin in range(0, len(unit_QD), _QUERIES):
        rows = slice(begin, begin + _QUERIES)
        yield from _scan(vectors_ND, unit_QD[rows], k, excluded_Q[rows])


def _scan(vectors_ND: npt.NDArray[np.floating], unit_QD: F32, k: int, excluded_Q: I64) -> Iterator[I64]:
    margin = _margin(unit_QD.shape[1])
    best_QK = np.full((len(unit_QD), k), -np.inf, np.float32)
    found: list[tuple[I64, I64, F32]] = []
    for begin in range(0, len(vectors_ND), _BLOCK_ROWS):
        block_BD = _unit(vectors_ND[begin : begin + _BLOCK_ROWS])
        score_QB = unit_QD @ block_BD.T
        here = np.flatnonzero((excluded_Q >= begin) & (excluded_Q < begin + len(block_BD)))
        score_QB[here, excluded_Q[here] - begin] = -np.inf
        if begin == 0:
            top = min(k, score_QB.shape[1])
            best_QK[:, k - top :] = np.partition(score_QB, -top, axis=1)[:, -top:]
        # After the first block few scores pass, so the search costs little more than the product.
        query, at = np.nonzero(score_QB >= best_QK.min(axis=1, keepdims=True) - margin)
        score = score_QB[query, at]
        found.append((query, at + begin, score))
        if begin > 0 and len(query):
            joined_QC = np.concatenate([best_QK, _padded(query, score, len(unit_QD))], axis=1)
            best_QK = np.partition(joined_QC, -k, axis=1)[:, -k:]
    query, node, score = (np.concatenate(parts) for parts in zip(*found, strict=True))
    kept = (score >= best_QK.min(axis=1)[query] - margin) & (node != excluded_Q[query])
    order = np.argsort(query[kept], kind="stable")
    counts = np.bincount(query[kept], minlength=len(unit_QD))
    yield from np.split(node[kept][order], np.cumsum(counts)[:-1])


def _padded(query: I64, score: F32, queries: int) -> F32:
    """The scores of each query in a row of its own, filled up with -inf; ``query`` rises."""
    counts = np.bincount(query, minlength=queries)
    begin = np.cumsum(counts) - counts
    rows = np.full((queries, int(counts.max())), -np.inf, np.float32)
    rows[query, np.arange(len(query)) - begin[query]] = score
    return rows


def _by_faiss(vectors_ND: npt.NDArray[np.floating], unit_QD: F32, k: int, excluded_Q: I64) -> Iterator[I64]:
    """As :func:`_by_numpy`; queries with more ties than faiss was asked for are scanned again."""
    import faiss

    margin = _margin(unit_QD.shape[1])
    asked = min(k + 1 + _SLACK, len(vectors_ND))
    scores, nodes = faiss.knn(unit_QD, _unit(vectors_ND), asked, metric=faiss.METRIC_INNER_PRODUCT)
    for row in range(len(unit_QD)):
        mine = nodes[row] != excluded_Q[row]
        score, node = scores[row][mine], nodes[row][mine]
        near = score >= score[k - 1] - margin
        if near.all() and asked < len(vectors_ND):
            yield from _scan(vectors_ND, unit_QD[row : row + 1], k, excluded_Q[row : row + 1])
        else:
            yield np.sort(node[near])


def _margin(dim: int) -> float:
    """Twice what rounding can move a float32 dot product of two unit vectors."""
    return 2 * (dim + 4) * float(np.finfo(np.float32).eps)


def _unit(rows_BD: npt.NDArray[np.floating]) -> F32:
    norm_B1 = np.linalg.norm(rows_BD.astype(np.float64), axis=1, keepdims=True)
    return np.ascontiguousarray(rows_BD / np.where(norm_B1 > 0, norm_B1, 1.0), np.float32)


def _cosine(rows_BD: npt.NDArray[np.floating], query_D: npt.NDArray[np.floating]) -> F64:
    """In float64, and summed row by row, so that equal rows have equal scores to the last bit."""
    rows, query = rows_BD.astype(np.float64), query_D.astype(np.float64)
    norm_B = np.sqrt((rows * rows).sum(axis=1)) * np.sqrt((query * query).sum())
    return (rows * query).sum(axis=1) / np.where(norm_B > 0, norm_B, 1.0)


def _check(
    vectors_ND: npt.NDArray[np.floating],
    query_QD: npt.NDArray[np.floating],
    k: int,
    exclude_Q: I64 | None,
) -> None:
    """Refuse arguments that cannot be used."""
    if vectors_ND.ndim != 2 or query_QD.ndim != 2 or vectors_ND.shape[1] != query_QD.shape[1]:
        raise WeftValueError(
            "nearest: vectors [N, D] and queries [Q, D] must agree in D "
            f"(got {list(vectors_ND.shape)} and {list(query_QD.shape)})"
        )
    if k < 1:
        raise WeftValueError(f"k must be at least 1 (got {k})")
    if exclude_Q is not None and exclude_Q.shape != (len(query_QD),):
        raise WeftValueError(
            f"nearest: exclude must have the shape [{len(query_QD)}] (got {list(exclude_Q.shape)})"
        )
    for name, array in (("vectors", vectors_ND), ("queries", query_QD)):
        for begin in range(0, len(array), _BLOCK_ROWS):  # a mapped table is larger than memory
            if not np.isfinite(array[begin : begin + _BLOCK_ROWS]).all():
                raise WeftValueError(f"nearest: {name} hold NaN or infinity")
