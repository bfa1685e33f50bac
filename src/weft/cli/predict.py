"""What a trained network says of every node: computed layer by layer, from all neighbours, out of core.

The directory holds vectors, which weft neighbors and weft export take, the output of the last layer, and
predictions.csv: id, label, probability.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, UseAppendAction, arg

from weft.cli._typed import check_kind, features_of
from weft.progress import shown_here

__all__ = ["Args", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Options of ``weft predict``."""

    model: Annotated[Positional[Path], arg(metavar="MODEL")]
    """Directory that weft train wrote."""

    out: Annotated[Path, arg(metavar="DIR")]
    """Where the predictions go."""

    graph: Annotated[Path | None, arg(metavar="GRAPH")] = None
    """The graph; the one it was trained on when not given."""

    features: Annotated[UseAppendAction[tuple[str, ...]], arg(metavar="[TYPE=]NPY")] = ()
    """A row for each node; those it was trained on when not given. Of a graph of several types once for each
    type."""

    memory: Annotated[str, arg(metavar="SIZE")] = "2GiB"
    """For features and what is made of them."""

    on_nan: Literal["fail", "zero"] = "fail"
    """Features that are NaN or infinite: refuse them, or take them for 0."""

    threads: Annotated[int | None, arg(metavar="INT")] = None
    """Threads to use; torch's sums depend on them."""

    overwrite: bool = False
    """Replace what is at --out."""


def run(args: Args) -> int:
    """Open, predict, tell."""
    from weft.cli._training import notes
    from weft.cli.train import set_threads
    from weft.config import show_rows, show_seconds
    from weft.graph import open_graph
    from weft.graph._lock import locked
    from weft.train import Trained, predict

    set_threads(args.threads)
    begun = time.perf_counter()
    trained, features = Trained.open(args.model), features_of(args.features)
    check_kind(None if trained.types is None else list(trained.types.in_channels), features)
    with locked(args.out), notes():
        made = predict(
            trained,
            args.out,
            graph=None if args.graph is None else open_graph(args.graph),
            features=features,
            memory=args.memory,
            on_nan=args.on_nan,
            overwrite=args.overwrite,
            progress=shown_here(),
        )
    rows = {
        "vectors": f"{len(made.embedding):,} of {made.embedding.shape[1]} dimensions in {made.path}",
        "time": show_seconds(time.perf_counter() - begun),
    }
    if made.classes:
        rows["labels"] = f"{made.path / 'predictions.csv'}, logits in output.npy"
    named = {"val": "validation", "test": "test"}
    found = [f"{made.scores[part]:.4f} ({name})" for part, name in named.items() if part in made.scores]
    if found:
        rows[trained.score_name] = ", ".join(found) + ", with all neighbours"
    elif made.unscored is not None:
        rows[trained.score_name] = f"none: {made.unscored}"
    sys.stdout.write(show_rows(rows))
    return 0
