"""Write vectors with the ids of the input as .npy, .parquet, or word2vec text (.txt, .vec)."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

__all__ = ["Args", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Options of ``weft export``."""

    embedding: Annotated[Positional[Path], arg(metavar="EMBEDDING")]
    """Directory that weft embed wrote."""

    to: Annotated[Path, arg(metavar="FILE")]
    """File to write; its ending says how. .npy puts the ids into a second file beside it."""


def run(args: Args) -> int:
    """Write the file and name it."""
    from weft.embed import Embedding
    from weft.serve import export_vectors

    embedding = Embedding.open(args.embedding)
    for path in export_vectors(embedding.vectors, embedding.ids, args.to):
        sys.stdout.write(f"{path}  {path.stat().st_size:,} bytes\n")
    return 0
