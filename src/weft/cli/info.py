"""Describe a directory that weft wrote: a graph, vectors, a model, predictions, a checkpoint, a stream.

--verify also reads every byte and compares it with its checksum.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from weft.graph import Graph, HeteroGraph, Labels

__all__ = ["Args", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Options of ``weft info``."""

    directory: Annotated[Positional[Path], arg(metavar="DIR")]
    """What weft import, embed, train, predict or stream wrote, or TemporalGraph.save."""

    verify: bool = False
    """Read everything and check it."""

    json: bool = False
    """Print JSON."""


def run(args: Args) -> int:
    """Print what there is to know."""
    facts = _described(args.directory, verify=args.verify)
    if args.verify:
        facts["verified"] = True
    if args.json:
        sys.stdout.write(json.dumps(facts, indent=1) + "\n")
        return 0
    for name, value in facts.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            sys.stdout.writelines(f"{name.replace('_', ' '):16} {_line(one)}\n" for one in value)
            continue
        shown = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else _plain(value)
        sys.stdout.write(f"{name.replace('_', ' '):16} {shown}\n")
    return 0


def _described(directory: Path, *, verify: bool) -> dict[str, Any]:
    from weft.cli._described import FACTS, describe
    from weft.graph import Graph, open_graph
    from weft.graph.format import DirectoryReader, format_of

    if not (directory / "manifest.json").is_file() and (directory / "state" / "manifest.json").is_file():
        directory /= "state"  # of a folder of weft stream
    kind = format_of(directory)
    if kind in FACTS:
        reader = DirectoryReader(directory, kind, verify=verify)
        try:
            return describe(reader)
        except (KeyError, TypeError, AttributeError) as error:
            raise reader.error(f"the manifest lacks what it must say ({error})") from None
    graph = open_graph(directory, verify=verify)
    return _facts(graph) if isinstance(graph, Graph) else _typed_facts(graph)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        inner = {
            name: f"[{_plain(one)}]" if isinstance(one, list) else _plain(one) for name, one in value.items()
        }
        return ", ".join(f"{name}={one}" for name, one in inner.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
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
        "features": _shape(graph.features),
        "split": _parts(graph.split),
        "rows": show_bytes(graph.nbytes),
    }


def _shape(features: Any) -> list[int | str] | None:  # noqa: ANN401
    """How many rows and columns features have, and how they are stored."""
    from weft.kernels.codec import said_by

    if features is None:
        return None
    said = said_by(features.dtype)
    return [*features.shape, str(features.dtype)] if said is None else [len(features), said[1], said[0]]


def _parts(split: Labels | None) -> list[str] | None:
    """How many nodes each part of a split has."""
    import numpy as np

    if split is None:
        return None
    counts = np.bincount(split.indices, minlength=len(split.names)).tolist()
    return [f"{name} {count:,}" for name, count in zip(split.names, counts, strict=True)]


def _typed_facts(graph: HeteroGraph) -> dict[str, Any]:
    import numpy as np

    from weft.config import show_bytes
    from weft.graph._rows import edge_name

    node_types = [
        {
            "name": name,
            "nodes": len(nodes.ids),
            "ids": nodes.ids.kind,
            "labels": 0 if nodes.labels is None else len(nodes.labels.names),
            "features": _shape(nodes.features),
            "split": _parts(nodes.split),
        }
        for name, nodes in graph.nodes.items()
    ]
    edge_types = [
        {
            "name": edge_name(kind),
            "edges": len(rows.indices),
            "weighted": rows.weight is not None,
            "largest_degree": int(np.diff(rows.indptr).max(initial=0)),
        }
        for kind, rows in graph.rows.items()
    ]
    return {
        "nodes": sum(graph.num_nodes.values()),
        "stored_edges": sum(graph.num_edges.values()),
        "node_type": node_types,
        "edge_type": edge_types,
        "rows": show_bytes(graph.nbytes),
    }


def _line(facts: dict[str, Any]) -> str:
    """One type of nodes or edges."""
    rest = []
    for name, value in facts.items():
        if name == "name" or value is None or value is False or (name == "labels" and value == 0):
            continue
        shown = f"{value:,}" if isinstance(value, int) and value is not True else _plain(value)
        rest.append(f"{name.replace('_', ' ')} {shown}" if value is not True else name)
    return f"{facts['name']}: {', '.join(rest)}"
