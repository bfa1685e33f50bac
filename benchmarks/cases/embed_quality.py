"""How long each method trains, and how well its vectors tell labels, beside DeepWalk by gensim."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from benchmarks.case import Case, Row
from benchmarks.cases.gensim_peer import INSTALLED, NAME, train, vectors, write_walks

if TYPE_CHECKING:
    from weft.graph import Graph
    from weft.graph.labels import Labels

__all__ = ["CASE"]

DATA = Path(os.environ.get("WEFT_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
DIM, THREADS, TRIALS = 128, 2, 5
COMMUNITIES, LABELLED = 50, 20_000  # of map_of_github: the largest communities, and nodes drawn from them
PORTIONS = (0.1, 0.5, 0.9)

Evaluate = Callable[[npt.NDArray[np.float32]], str]


def _f1(labels: Labels, nodes: npt.NDArray[np.int64] | None, trials: int) -> Evaluate:
    from weft.eval.classification import classify_nodes

    def evaluate(vectors_ND: npt.NDArray[np.float32]) -> str:
        chosen = vectors_ND if nodes is None else vectors_ND[nodes]
        scores = classify_nodes(chosen, labels, portions=PORTIONS, trials=trials).scores
        return "/".join(f"{100 * score.micro_mean:.1f}" for score in scores)

    return evaluate


class Measured:
    """One way to vectors: calls are timed; F1 is taken outside of the time and told in the note."""

    def __init__(
        self, evaluate: Evaluate, learn: Callable[[], tuple[npt.NDArray[np.float32], float]]
    ) -> None:
        self._evaluate, self._learn = evaluate, learn
        self.seconds: list[float] = []
        self.f1: list[str] = []

    def __call__(self) -> float:
        found, seconds = self._learn()
        self.seconds.append(seconds)
        if len(self.f1) < 2:  # the seed is the same every time; gensim's threads race
            self.f1.append(self._evaluate(found))
        return 60 / seconds

    def text(self) -> str:
        return f"{', '.join(dict.fromkeys(self.f1))} in {np.median(self.seconds):.1f} s"


def _weft(graph: Graph, evaluate: Evaluate, **settings: Any) -> Measured:  # noqa: ANN401
    from weft.embed import NodeEmbedding

    def learn() -> tuple[npt.NDArray[np.float32], float]:
        begun = time.perf_counter()
        found = NodeEmbedding(dim=DIM, **settings).fit(graph).embedding_
        return found, time.perf_counter() - begun

    return Measured(evaluate, learn)


def _gensim(graph: Graph, evaluate: Evaluate, path: Path, *, walks: int, window: int) -> Measured | None:
    if not INSTALLED:
        return None
    starts = np.tile(np.arange(graph.num_nodes), walks).astype(graph.indices.dtype)
    np.random.default_rng(0).shuffle(starts)
    write_walks(graph, path, length=40, window=window, starts=starts)

    def learn() -> tuple[npt.NDArray[np.float32], float]:
        model, seconds = train(path, dim=DIM, window=window, negatives=5, workers=THREADS, shrink=True)
        return vectors(model, graph.num_nodes, DIM), seconds

    return Measured(evaluate, learn)


def _row(name: str, ours: Measured, peer: Measured | None) -> Row:
    def note() -> str:
        theirs = f"; {NAME} {peer.text()}" if peer is not None and peer.f1 else ""
        return f"micro-F1 at 10/50/90 %: {ours.text()}{theirs}"

    return Row(name=name, ours=ours, peer=peer, peer_name=NAME if peer else None, note=note)


def _blogcatalog(folder: Path) -> list[Row]:
    from weft.graph.ingest import ingest

    graph = ingest(DATA / "blogcatalog" / "blogcatalog.mat", folder / "blogcatalog")
    assert graph.labels is not None
    evaluate = _f1(graph.labels, None, TRIALS)
    # DeepWalk as its authors run it on this graph, with as many walks as training for 75 s allows.
    peer = _gensim(graph, evaluate, folder / "blogcatalog.txt", walks=40, window=10)
    others: tuple[tuple[str, dict[str, object]], ...] = (
        ("line", {"method": "line"}),
        ("node2vec, p = q = 1/4", {"method": "node2vec", "p": 0.25, "q": 0.25}),
        ("prone", {"method": "prone"}),
        ("lightne", {"method": "lightne"}),
    )
    return [
        _row("BlogCatalog, defaults", _weft(graph, evaluate), peer),
        _row("BlogCatalog, epochs=400", _weft(graph, evaluate, epochs=400), peer),
        *(_row(f"BlogCatalog, {name}", _weft(graph, evaluate, **given), None) for name, given in others),
    ]


def _map_of_github(folder: Path) -> list[Row]:
    from weft.graph.ingest import ingest

    source = DATA / "map_of_github"
    graph = ingest(source / "edges.csv.gz", folder / "map", labels=source / "labels.csv.gz")
    assert graph.labels is not None
    owner, code = graph.labels.pairs()
    largest = np.argsort(-np.bincount(code), kind="stable")[:COMMUNITIES]
    members = owner[np.isin(code, largest)]
    nodes = np.sort(np.random.default_rng(0).choice(members, LABELLED, replace=False))
    evaluate = _f1(graph.labels.take(nodes), nodes, 1)
    peer = _gensim(graph, evaluate, folder / "map.txt", walks=1, window=5)
    return [_row("map_of_github, epochs=300", _weft(graph, evaluate, epochs=300), peer)]


def _rows(folder: Path) -> list[Row]:
    from weft.kernels.threads import set_num_threads

    if not DATA.is_dir():
        raise SystemExit(f"embed.quality needs the graphs in {DATA}; set WEFT_DATA")
    set_num_threads(THREADS)
    return _blogcatalog(folder) + _map_of_github(folder)


CASE = Case(
    name="embed.quality",
    summary="Time to vectors, and their micro-F1 (in the files)",
    unit="runs/min",
    rows=_rows,
    config={
        "dim": DIM,
        "threads": THREADS,
        "weft": "NodeEmbedding.fit from the graph to the vectors, walks and all",
        "peer": "gensim Word2Vec.train(corpus_file) alone, 5 negatives: walks and vocabulary are ready. "
        "BlogCatalog: 40 walks of length 40 a node, window 10; map_of_github: 1 walk, window 5",
        "map_of_github": f"{LABELLED:,} nodes of the {COMMUNITIES} largest communities",
        "trials": f"{TRIALS}, 1 on map_of_github",
    },
    repeat=2,
    warmup=False,
    slow=True,
    packages=("gensim", "numpy", "scipy", "scikit-learn"),
)
