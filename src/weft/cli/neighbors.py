"""List the nodes whose vectors are closest to a node's, by cosine; exact, equal ones in id order."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

__all__ = ["Args", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Options of ``weft neighbors``."""

    embedding: Annotated[Positional[Path], arg(metavar="EMBEDDING")]
    """Directory that weft embed wrote."""

    ids: Annotated[Positional[tuple[str, ...]], arg(metavar="ID [ID ...]")]
    """Ids of nodes, as in the edge list."""

    k: Annotated[int, arg(aliases=["-k"])] = 10
    """How many neighbours."""

    engine: Literal["auto", "numpy", "faiss"] = "auto"
    """Who searches; the answer is the same. auto takes faiss where it is installed and pays."""

    json: bool = False
    """Print JSON."""


def run(args: Args) -> int:
    """Print a table per id."""
    import numpy as np

    from weft.embed import Embedding
    from weft.errors import WeftValueError
    from weft.serve import nearest

    if not args.ids:
        raise WeftValueError("give at least one id")
    embedding = Embedding.open(args.embedding)
    nodes = np.array([embedding.ids.node(name) for name in args.ids], np.int64)
    vectors = embedding.vectors
    found, cosine = nearest(vectors, vectors[nodes], args.k, exclude_Q=nodes, engine=args.engine)
    names = [embedding.ids.take(row).tolist() for row in found]
    if args.json:
        rows = [
            {
                "id": embedding.ids[int(node)],
                "neighbors": [{"id": name, "cosine": score} for name, score in zip(*row, strict=True)],
            }
            for node, row in zip(nodes, zip(names, cosine.tolist(), strict=True), strict=True)
        ]
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
        return 0
    width = max((len(str(name)) for row in names for name in row), default=0)
    for asked, row, scores in zip(args.ids, names, cosine, strict=True):
        sys.stdout.write(f"{asked}\n")
        for rank, (name, score) in enumerate(zip(row, scores, strict=True), 1):
            sys.stdout.write(f"  {rank:>3}  {name!s:<{width}}  {score:.4f}\n")
    return 0
