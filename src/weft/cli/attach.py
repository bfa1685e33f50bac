"""Put features, labels and a split into a graph directory, in place of those it has.

Rows are read and written a piece at a time; the old directory stands until the new one is whole.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from weft.cli.import_ import columns_of

__all__ = ["Args", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Options of ``weft attach``."""

    graph: Annotated[Positional[Path], arg(metavar="DIR")]
    """Directory that weft import wrote."""

    features: Annotated[str | None, arg(metavar="FILE[:COLUMNS]")] = None
    """.npy, Parquet, or separated text, plain, gzip or zstd. Columns of a table by name, pattern (f*) or
    number, separated by commas; by default all that hold numbers and are not the ids."""

    feature_ids: Annotated[str | None, arg(metavar="FILE|COLUMN")] = None
    """Which id each row is for: a file, or a column, by name or by number from 0. By default the column of a
    table that is called id, node or the like; without one, rows are in the order of the nodes."""

    codec: Literal["float32", "float16", "bfloat16", "int8"] | None = None
    """How rows are stored; by default as they are given. int8 has a scale for each row."""

    on_nan: Literal["fail", "zero"] = "fail"
    """Numbers that are missing or NaN: fail, or put zeros. Both count them."""

    labels: Annotated[Path | None, arg(metavar="FILE")] = None
    """Lines of id and label; an id may have several."""

    label_columns: Annotated[tuple[str, str] | None, arg(metavar="ID LABEL")] = None
    """The columns of id and label in that file, by name or by number from 0."""

    split: Annotated[Path | None, arg(metavar="FILE")] = None
    """Lines of id and train, val or test."""

    type: Annotated[str | None, arg(metavar="NAME")] = None
    """The type of the nodes, where the graph has several."""


def run(args: Args) -> int:
    """Attach and describe."""
    from weft.features import attach

    begun = time.perf_counter()
    ids = args.feature_ids
    graph = attach(
        args.graph,
        args.features,
        feature_ids=int(ids) if ids is not None and ids.isdigit() else ids,
        codec=args.codec,
        on_nan=args.on_nan,
        labels=args.labels,
        label_columns=columns_of(args.label_columns),
        split=args.split,
        type=args.type,
        say=lambda text: print(text, file=sys.stderr),
    )
    sys.stdout.write(f"{args.graph}: {graph!r}, {time.perf_counter() - begun:.1f} s\n")
    return 0
