"""From an edge list to vectors, in Python: import, embed, evaluate, ask for neighbours.

    python examples/edge_list_to_vectors.py [FOLDER]

The edge list is made here, so that the example runs by itself: four clubs whose members mostly know each
other. Put your own CSV in its place.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from weft.embed import Embedding, NodeEmbedding
from weft.eval import classify_nodes
from weft.graph.ingest import ingest
from weft.serve import nearest

CLUBS = ("chess", "rowing", "choir", "tennis")


def write_people(folder: Path, members: int = 100) -> tuple[Path, Path]:
    """Who knows whom, and who is in which club, as CSV files."""
    rng = np.random.default_rng(0)
    names = [f"{club}-{number}" for club in CLUBS for number in range(members)]
    club = np.repeat(np.arange(len(CLUBS)), members)
    one = rng.integers(0, len(names), 12 * len(names))
    fellow = club[one] * members + rng.integers(0, members, len(one))
    other = np.where(rng.random(len(one)) < 0.2, rng.integers(0, len(names), len(one)), fellow)
    edges, labels = folder / "knows.csv", folder / "clubs.csv"
    edges.write_text("".join(f"{names[a]},{names[b]}\n" for a, b in zip(one, other, strict=True)))
    labels.write_text("".join(f"{name},{name.split('-')[0]}\n" for name in names))
    return edges, labels


def main(folder: Path) -> float:
    """Micro-F1 of clubs told from vectors with a tenth of the people known."""
    edges, labels = write_people(folder)
    graph = ingest(edges, folder / "graph", labels=labels, self_loops="drop", overwrite=True)
    print(graph)

    model = NodeEmbedding(dim=32, epochs=300, window=5, seed=1).fit(graph)
    embedding = Embedding.of(model, graph).save(folder / "vectors", overwrite=True)
    print(embedding)

    assert graph.labels is not None
    report = classify_nodes(embedding.vectors, graph.labels, portions=(0.1,), trials=3)
    micro = report.scores[0].micro_mean
    print(f"micro-F1 with 10 % of the clubs known: {micro:.3f}")

    node = embedding.ids.node("choir-7")
    vectors = embedding.vectors
    found, cosine = nearest(vectors, vectors[[node]], 5, exclude_Q=np.array([node]))
    for name, score in zip(embedding.ids.take(found[0]), cosine[0], strict=True):
        print(f"  {name}  {score:.3f}")
    return micro


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            main(Path(scratch))
