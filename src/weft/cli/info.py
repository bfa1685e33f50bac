"""Describe a graph directory; --verify also reads every byte and compares it with its checksum."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from weft.graph import Graph

__all__ = ["Args", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Options of ``weft info``."""

    graph: Annotated[Positional[Path], arg(metavar="DIR")]
    """Directory that weft import wrote."""

    verify: bool = False
    """Read everything and check it."""

    json: bool = False
    """Print JSON."""


def run(args: Args) -> int:
    """Print what there is to know."""
    from weft.graph import Graph

    facts = _facts(Graph.open(args.graph, verify=args.verify))
    if args.verify:
        facts["verified"] = True
    if args.json:
        sys.stdout.write(json.dumps(facts, indent=1) + "\n")
        return 0
    for name, value in facts.items():
        shown = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else _plain(value)
        sys.stdout.write(f"{name.replace('_', ' '):16} {shown}\n")
    return 0


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "none" if value is None else str(value)


def _facts(graph: Graph) -> dict[str, Any]:
    import numpy as np

    from weft.config import show_bytes

    degree = graph.degree()
    busiest = int(degree.argmax()) if len(degree) else None
    labels_N = degree[:0] if graph.labels is None else np.diff(graph.labels.indptr)
    return {
        "nodes": graph.num_nodes,
        "stored_edges": graph.num_edges,
        "directed": graph.directed,
        "weighted": graph.weight is not None,
        "ids": graph.ids.kind,
        "first_ids": [graph.ids[i] for i in range(min(3, graph.num_nodes))],
        "isolated_nodes": int((degree == 0).sum()),
        "mean_degree": round(float(degree.mean()), 2) if len(degree) else 0.0,
        "largest_degree": 0 if busiest is None else int(degree[busiest]),
        "at": None if busiest is None else graph.ids[busiest],
        "labels": None if graph.labels is None else len(graph.labels.names),
        "labelled_nodes": int(np.count_nonzero(labels_N)),
        "assignments": int(labels_N.sum()),
        "features": None if graph.features is None else list(graph.features.shape),
        "rows": show_bytes(graph.nbytes),
    }
