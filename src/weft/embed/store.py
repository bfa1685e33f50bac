"""An embedding as a directory: vectors, the ids they belong to, and how they came about."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from weft.config import show_count
from weft.embed.factor import FactorPlan
from weft.embed.family import deciding
from weft.embed.methods import FACTOR, own
from weft.embed.neighbors import nearest
from weft.errors import NotFittedError, WeftTypeError, WeftValueError
from weft.graph.format import DirectoryReader, DirectoryWriter
from weft.graph.ids import Ids

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from weft.embed.node_embedding import NodeEmbedding
    from weft.graph import Graph

__all__ = ["Embedding"]

KIND = "weft.embedding"
F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class Embedding:
    """Vectors of N nodes and the ids of these nodes.

    Attributes:
        vectors: float32 ``[N, dim]``.
        ids: whose vectors they are.
        context: float32 ``[N, dim]``, the other table of skip-gram, if kept; ``vectors`` themselves where one
            table was both.
        holdout: int64 ``[H, 2]``, edges hidden from training, as node numbers, if any were.
        history: float64 ``[S, 2]``: pairs trained so far, mean loss since the row before.
        scores: float64 ``[K, 3]``: pairs trained so far, score on hidden edges, its standard error; if the
            run was scored.
        config: the parameters of the estimator, the seed among them.
        path: the directory it was opened from.
    """

    vectors: F32
    ids: Ids
    context: F32 | None = None
    holdout: I64 | None = None
    history: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))
    scores: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 3)))
    config: dict[str, Any] = field(default_factory=dict)
    path: Path | None = None

    @classmethod
    def of(
        cls,
        model: NodeEmbedding,
        graph: Graph,
        *,
        holdout: I64 | None = None,
        graph_path: Path | None = None,
    ) -> Embedding:
        """What ``model`` learned from ``graph``.

        Args:
            model: fitted.
            graph: what it was fitted on.
            holdout: int64 ``[H, 2]``, edges that ``graph`` lacks for the sake of link prediction.
            graph_path: where the whole graph is, to be noted; None: where ``graph`` was opened from.

        Raises:
            NotFittedError: the model is not fitted.
            WeftValueError: it was fitted on a graph of another size.
        """
        if not hasattr(model, "embedding_"):
            raise NotFittedError(f"{model!r} holds no vectors yet; call fit first")
        if len(model.embedding_) != graph.num_nodes:
            raise WeftValueError(
                f"the model has vectors of {len(model.embedding_):,} nodes, the graph has {graph.num_nodes:,}"
            )
        place = graph.path if graph_path is None else graph_path
        config = own(model.method, deciding(model) | {"memory": model.memory})
        return cls(
            vectors=model.embedding_,
            ids=graph.ids,
            context=model.context_,
            holdout=holdout,
            history=model.loss_history_,
            scores=model.score_history_,
            config={
                "estimator": type(model).__name__,
                **config,
                "updates": model.updates_,
                "window_used": model.plan_.window,
                **({"samples_used": model.plan_.samples} if isinstance(model.plan_, FactorPlan) else {}),
                "graph": None if place is None else str(place.resolve()),
            },
        )

    def model(self) -> NodeEmbedding:
        """The estimator as it was, to go on learning with ``partial_fit``.

        Raises:
            WeftValueError: another kind of estimator made the vectors, or the context vectors were not kept.
        """
        from weft.embed.node_embedding import NodeEmbedding

        kind, method = (self.config.get(name) for name in ("estimator", "method"))
        if kind != "NodeEmbedding" or self.context is None:
            why = "they lack context vectors" if kind == "NodeEmbedding" else f"their estimator is {kind!r}"
            if method in FACTOR:
                why = f"{method} computes vectors whole; embed the graph as it is now (weft embed)"
            raise WeftValueError(
                f"the vectors of {self.path or 'this embedding'} cannot be learned further: {why}"
            )
        names = own(str(method), NodeEmbedding().get_params())
        model = NodeEmbedding(**{name: value for name, value in self.config.items() if name in names})
        model.embedding_, model.context_, model.ids_ = self.vectors, self.context, self.ids
        model.loss_history_, model.score_history_ = self.history, self.scores
        model.updates_ = int(self.config.get("updates", 0))
        return model

    @property
    def num_nodes(self) -> int:
        """N."""
        return len(self.vectors)

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self.vectors.shape[1]

    def __repr__(self) -> str:
        made = f", {self.config['method']}" if "method" in self.config else ""
        return f"Embedding({show_count(self.num_nodes, 'node')}, dim {self.dim}{made})"

    def __getitem__(self, ids: int | str | Sequence[int | str] | npt.NDArray[Any]) -> F32:
        """The vector of an id, float32 ``[dim]``; of several ids, ``[B, dim]``.

        Raises:
            WeftKeyError: no node has the id.
            WeftTypeError: it is neither an id nor a list of ids.
        """
        if isinstance(ids, str | int | np.integer):
            return np.asarray(self.vectors[self.ids.node(ids)])
        asked = np.asarray(ids if isinstance(ids, np.ndarray) else np.array(ids, object))
        if asked.ndim != 1:
            raise WeftTypeError(f"embedding[...] takes an id or a list of ids (got {ids!r})")
        nodes = self.ids.find(asked)
        if (nodes < 0).any():
            self.ids.node(asked[nodes < 0][0])
        return np.asarray(self.vectors[nodes])

    def __contains__(self, node_id: object) -> bool:
        """Whether a node has this id."""
        if not isinstance(node_id, str | int | np.integer):
            return False
        return bool(self.ids.find(np.array([node_id], object))[0] >= 0)

    __iter__: ClassVar[None] = None  # by __getitem__, Python would ask for the ids 0, 1, 2 …

    def most_similar(self, node_id: int | str, k: int = 10) -> list[tuple[int | str, float]]:
        """The ids whose vectors are closest to that of ``node_id`` by cosine, and the cosines, best first.

        Exact; of equal ones the node that comes first. The table is read in blocks, from disk as well.

        Raises:
            WeftKeyError: no node has the id.
            WeftValueError: ``k`` is below 1, or vectors hold NaN or infinity.
        """
        node = self.ids.node(node_id)
        near, cosine = nearest(self.vectors, self.vectors[node][None], k, exclude_Q=np.array([node]))
        return list(zip(self.ids.take(near[0]).tolist(), cosine[0].tolist(), strict=True))

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Embedding:
        """Write a directory and open it.

        Raises:
            WeftValueError: ``path`` exists and ``overwrite`` is not set, or it holds something else.
            StorageError: the disk is full, or the system refuses otherwise.
        """
        with DirectoryWriter(path, KIND, overwrite=overwrite) as writer:
            writer.write_array("embedding", self.vectors)
            tied = self.context is self.vectors
            if self.context is not None and not tied:
                writer.write_array("context", self.context)
            if self.holdout is not None:
                writer.write_array("holdout", self.holdout)
            writer.write_array("history", self.history)
            if len(self.scores):
                writer.write_array("scores", self.scores)
            meta = {
                "num_nodes": self.num_nodes,
                "dim": self.dim,
                "tied": tied,
                "ids": self.ids.save(writer),
                "config": self.config,
            }
            writer.finish(meta)
        return Embedding.open(path)

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, verify: bool = False) -> Embedding:
        """Map a directory.

        Args:
            path: the directory.
            verify: read every byte and compare checksums.

        Raises:
            FormatError: the directory is damaged, foreign or of another version.
        """
        reader = DirectoryReader(path, KIND, verify=verify)
        nodes, dim = (reader.meta.get(name) for name in ("num_nodes", "dim"))
        ids, config = (reader.meta.get(name) for name in ("ids", "config"))
        if not (isinstance(nodes, int) and isinstance(dim, int) and isinstance(ids, dict)):
            raise reader.error("the manifest lacks num_nodes, dim or ids: it is damaged, copy it again")
        holdout = reader.get("holdout", np.int64) if "holdout" in reader.arrays else None
        history = reader.get("history", np.float64)
        scores = reader.get("scores", np.float64) if "scores" in reader.arrays else np.zeros((0, 3))
        for name, array, columns in (("holdout", holdout, 2), ("history", history, 2), ("scores", scores, 3)):
            if array is not None and (array.ndim != 2 or array.shape[1] != columns):
                raise reader.error(f"{name}.npy has shape {array.shape}, expected {columns} columns")
        if holdout is not None and len(holdout) and not (holdout.min() >= 0 and holdout.max() < nodes):
            raise reader.error(f"holdout.npy names node {int(holdout.max())}, there are {nodes:,} nodes")
        vectors = reader.get("embedding", np.float32, (nodes, dim))
        context = vectors if reader.meta.get("tied") else None
        return cls(
            vectors=vectors,
            ids=Ids.load(reader, ids, nodes),
            context=reader.get("context", np.float32, (nodes, dim))
            if "context" in reader.arrays
            else context,
            holdout=holdout,
            history=np.asarray(history),
            scores=np.asarray(scores),
            config=dict(config) if isinstance(config, dict) else {},
            path=Path(path),
        )
