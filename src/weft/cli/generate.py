"""Make a synthetic graph: R-MAT (skewed degrees) or planted partition (known communities).

The ending of --out decides what is written: .parquet, .csv, .tsv or .txt hold the edges as a table; any other
name becomes a graph directory.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import OmitSubcommandPrefixes, arg, subcommand

if TYPE_CHECKING:
    from weft.graph.generate import Generated

__all__ = ["Args", "Planted", "Rmat", "run"]

_TABLES = (".parquet", ".csv", ".tsv", ".txt")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Common:
    out: Annotated[Path, arg(metavar="PATH")]
    """Where it goes."""

    seed: int = 0
    """Of everything that is drawn."""

    memory: Annotated[str | None, arg(metavar="SIZE")] = None
    """Graph directory: memory to use."""

    overwrite: bool = False
    """Replace what is at --out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rmat(_Common):
    """Skewed degrees."""

    scale: int
    """There are 2 to this power nodes, many without an edge."""

    edge_factor: int = 16
    """Edges for each node."""

    a: float = 0.57
    """Probability of the first quadrant at each level."""

    b: float = 0.19
    """Of the second."""

    c: float = 0.19
    """Of the third; the fourth has the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted(_Common):
    """Known communities."""

    nodes: int
    """How many."""

    communities: int
    """How many, of equal size."""

    degree: float = 20
    """Edges at a node, on average."""

    mixing: float = 0.1
    """Share of the edges that lead to another community."""

    labels: Annotated[Path | None, arg(metavar="CSV")] = None
    """Where a table of edges has its communities; a graph directory holds them itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Options of ``weft generate``."""

    model: OmitSubcommandPrefixes[
        Annotated[Rmat, subcommand("rmat")] | Annotated[Planted, subcommand("planted")]
    ]


def run(args: Args) -> int:
    """Make and write."""
    model = args.model
    source = _source(model)
    labels = model.labels if isinstance(model, Planted) else None
    if model.out.suffix in _TABLES:
        from weft.graph.tables import write_edges

        write_edges(source, model.out, overwrite=model.overwrite)
        sys.stdout.write(f"{model.out}: {source.name}, {source.num_edges:,} edges\n")
    else:
        from weft.graph.ingest import ingest

        graph = ingest(
            source,
            model.out,
            memory=model.memory,
            labels=None if source.labels is None else (range(len(source.labels)), source.labels.tolist()),
            overwrite=model.overwrite,
            progress=sys.stderr.isatty(),
        )
        sys.stdout.write(f"{model.out}: {graph!r}\n")
    if labels is not None and source.labels is not None:
        from weft.graph.ids import Ids
        from weft.graph.tables import write_labels

        write_labels(source.labels, Ids.range(len(source.labels)), labels, overwrite=model.overwrite)
        sys.stdout.write(f"{labels}: {len(source.labels):,} labels\n")
    return 0


def _source(model: Rmat | Planted) -> Generated:
    from weft.graph import generate

    if isinstance(model, Rmat):
        return generate.rmat(model.scale, model.edge_factor, a=model.a, b=model.b, c=model.c, seed=model.seed)
    return generate.planted_partition(
        model.nodes, model.communities, model.degree, model.mixing, seed=model.seed
    )
