"""Graphs: R-MAT, and real ones with features, labels and a split, read as their publishers ship them."""

from __future__ import annotations

import json
import os
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from weft.graph import Graph
    from weft.train import Split

__all__ = ["DATA", "Problem", "github", "musae", "planetoid", "rmat"]

DATA = Path(os.environ.get("WEFT_DATA", Path(__file__).parents[1].parent / "shared" / "data"))
F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]


def rmat(
    scale: int, edge_factor: int = 16, seed: int = 1, duplicates: Literal["drop", "keep"] = "drop"
) -> Graph:
    """R-MAT, undirected, ids shuffled so that hubs do not lie side by side; on huge pages."""
    from weft.graph import Graph
    from weft.kernels.rmat import rmat_edges
    from weft.rng import Op, key

    src, dst = rmat_edges(scale, edge_factor << scale, key(seed, Op.RMAT))
    shuffled = np.random.default_rng(seed).permutation(1 << scale).astype(np.uint32)
    edges = shuffled[src], shuffled[dst]
    return Graph.from_edges(*edges, num_nodes=1 << scale, duplicates=duplicates).in_memory()


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Nodes to be told apart.

    Attributes:
        graph: undirected, without loops.
        x: float32 ``[N, F]``.
        y: int64 ``[N]``, the class of each node, -1 for none.
        split: what is learned from and measured.
    """

    graph: "Graph"
    x: F32
    y: I64
    split: "Split"


def planetoid(name: str) -> Problem:
    """Cora or CiteSeer with the public split: 20 nodes of each class train, 500 validate, 1,000 test.

    Yang, Cohen, Salakhutdinov: "Revisiting semi-supervised learning with graph embeddings", ICML 2016.
    Features are divided by their sum, as is usual.
    """
    from weft.graph import Graph
    from weft.train import Split

    folder = DATA / "planetoid"
    parts: dict[str, Any] = {}
    for part in ("x", "y", "tx", "ty", "allx", "ally", "graph"):
        with (folder / f"ind.{name}.{part}").open("rb") as file:
            parts[part] = pickle.load(file, encoding="latin1")
    test = np.loadtxt(folder / f"ind.{name}.test.index", dtype=np.int64)
    nodes = len(parts["graph"])
    x = np.zeros((nodes, parts["allx"].shape[1]), np.float32)
    y = np.zeros((nodes, parts["ally"].shape[1]), np.int64)
    known = parts["allx"].shape[0]
    # Rows of the test nodes come in the order of their index; of CiteSeer's, 15 are missing and stay zero.
    x[:known], x[test] = parts["allx"].toarray(), parts["tx"].toarray()
    y[:known], y[test] = parts["ally"], parts["ty"]
    x /= np.maximum(x.sum(axis=1, keepdims=True), 1)
    pairs = np.array([(u, v) for u, others in parts["graph"].items() for v in others])
    graph = Graph.from_edges(pairs[:, 0], pairs[:, 1], num_nodes=nodes, self_loops="drop")
    few = len(parts["y"])
    split = Split(train=np.arange(few), val=np.arange(few, few + 500), test=np.sort(test))
    # Those 15 have no class either; they are not measured, as no index names them.
    return Problem(graph, x, np.where(y.any(axis=1), y.argmax(axis=1), -1), split)


def musae(folder: str, stem: str, label: str, columns: int = 32) -> Problem:
    """A graph of Rozemberczki et al., "Multi-scale attributed node embedding": 60/20/20 % by seed 0.

    Its sparse binary features are taken to their first principal directions: in full, the messages of one
    layer of the full-batch peer would take 6 GB.
    """
    import polars as pl
    from scipy.sparse import csr_matrix
    from sklearn.decomposition import TruncatedSVD

    from weft.graph import Graph
    from weft.train import Split

    place = DATA / folder
    pairs = pl.read_csv(place / f"{stem}_edges.csv").to_numpy()
    target = pl.read_csv(place / f"{stem}_target.csv")
    at = target["new_id" if "new_id" in target.columns else "id"].to_numpy()
    nodes = len(target)
    said = target[label].cast(pl.String).to_list()
    names = sorted(set(said))
    y = np.full(nodes, -1)
    y[at] = [names.index(name) for name in said]
    held: dict[str, list[int]] = json.loads((place / f"{stem}.json").read_text())
    row = np.concatenate([np.full(len(v), int(k)) for k, v in held.items()])
    column = np.concatenate([np.array(v, np.int64) for v in held.values()])
    sparse = csr_matrix((np.ones(len(row), np.float32), (row, column)), shape=(nodes, column.max() + 1))
    x = TruncatedSVD(columns, random_state=0).fit_transform(sparse).astype(np.float32)
    x /= x.std()
    graph = Graph.from_edges(pairs[:, 0], pairs[:, 1], num_nodes=nodes, self_loops="drop")
    return Problem(graph, x, y, Split.random(np.flatnonzero(y >= 0), 0))


def github(folder: Path, columns: int = 128, least: int = 100) -> tuple[Graph, Path, I64]:
    """map_of_github: its graph, features in a file, and classes.

    Args:
        folder: where the features go.
        columns: of the features: hashed character n-grams of the repositories' names.
        least: nodes of a community that counts.

    Returns:
        The graph; a ``.npy`` file float32 ``[N, columns]``; int64 ``[N]``, -1 for none.
    """
    from sklearn.feature_extraction.text import HashingVectorizer

    from weft.graph.ingest import ingest
    from weft.npy import npy_header

    source = DATA / "map_of_github"
    graph = ingest(source / "edges.csv.gz", folder / "map", labels=source / "labels.csv.gz")
    assert graph.labels is not None
    owner, code = graph.labels.pairs()
    large = np.flatnonzero(np.bincount(code) >= least)
    kept = np.isin(code, large)
    y = np.full(graph.num_nodes, -1)
    y[owner[kept]] = np.searchsorted(large, code[kept])
    hashing = HashingVectorizer(analyzer="char", ngram_range=(3, 4), n_features=columns, dtype=np.float32)
    path = folder / "names.npy"
    with path.open("wb") as file:
        file.write(npy_header(np.dtype(np.float32), (graph.num_nodes, columns)))
        for begin in range(0, graph.num_nodes, 1 << 16):
            names = graph.ids.take(np.arange(begin, min(begin + (1 << 16), graph.num_nodes)))
            sparse: Any = hashing.transform(names)
            file.write(np.ascontiguousarray(sparse.toarray(), np.float32).data)
    return graph, path, y
