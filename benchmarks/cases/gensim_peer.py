"""gensim's Word2Vec on walks of ours: the peer of the embedding cases."""

from __future__ import annotations

import time
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from pathlib import Path

    from weft.graph import Graph

__all__ = ["INSTALLED", "NAME", "train", "train_seconds", "vectors", "write_walks"]

_WALKS = 20_000  # written at a time

try:
    NAME = f"gensim {version('gensim')}"
    INSTALLED = True
except PackageNotFoundError:
    NAME, INSTALLED = "gensim is not installed", False


def pairs_of_walk(length: int, window: int) -> int:
    """Gensim takes both directions of a pair, weft the one from the earlier to the later node."""
    from weft.kernels.pairs import pairs_per_walk

    return 2 * pairs_per_walk(length, window)


def write_walks(
    graph: Graph,
    path: Path,
    *,
    length: int,
    window: int,
    pairs: int | None = None,
    starts: npt.NDArray[Any] | None = None,
) -> tuple[Path | None, int]:
    """Walks as lines of text, gensim's fastest input, and how many pairs they hold; None without gensim."""
    from weft.sampling.walks import WalkSampler

    if not INSTALLED:
        return None, 0
    each = pairs_of_walk(length, window)
    count = len(starts) if starts is not None else -(-(pairs or 0) // each)
    sampler = WalkSampler.of(graph)
    with path.open("w") as file:
        for first in range(0, count, _WALKS):
            some = min(_WALKS, count - first)
            begin = some if starts is None else starts[first : first + some]
            for walk in sampler.walks(begin, length, seed=1, first=first).tolist():
                file.write(" ".join(map(str, walk)) + "\n")
    return path, count * each


def _model(
    path: Path | None, *, dim: int, window: int, negatives: int, workers: int, shrink: bool = False
) -> Any:  # noqa: ANN401
    from gensim.models import Word2Vec  # pyrefly: ignore[missing-import]

    model = Word2Vec(
        sg=1,
        hs=0,
        negative=negatives,
        vector_size=dim,
        window=window,
        workers=workers,
        min_count=0,
        sample=0,
        shrink_windows=shrink,  # without: all pairs within the window, as ours
        seed=1,
    )
    model.build_vocab(corpus_file=str(path))
    return model


def train(path: Path | None, **settings: Any) -> tuple[Any, float]:  # noqa: ANN401
    """A trained model, and the seconds that the training alone took."""
    model = _model(path, **settings)
    begun = time.perf_counter()
    model.train(
        corpus_file=str(path),
        total_words=model.corpus_total_words,
        total_examples=model.corpus_count,
        epochs=1,
    )
    return model, time.perf_counter() - begun


def train_seconds(path: Path | None, **settings: Any) -> float:  # noqa: ANN401
    """Seconds of one pass over the walks."""
    return train(path, **settings)[1]


def vectors(model: Any, num_nodes: int, dim: int) -> npt.NDArray[np.float32]:  # noqa: ANN401
    """Float32 ``[N, dim]`` in graph order; nodes in no walk have zeros."""
    out = np.zeros((num_nodes, dim), np.float32)
    out[np.array(model.wv.index_to_key, np.int64)] = model.wv.vectors
    return out
