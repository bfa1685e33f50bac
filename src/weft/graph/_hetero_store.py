"""A graph of several types as a directory: which arrays, under which names, checked how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from weft.errors import WeftTypeError, WeftValueError
from weft.graph._hetero_build import check_names
from weft.graph._part import ReaderPart, WriterPart
from weft.graph._rows import EdgeType, Nodes, Rows
from weft.graph._store import (
    TYPED_KIND,
    count_of,
    index_dtype,
    load_features,
    load_rows,
    load_split,
    object_of,
    split_meta,
)
from weft.graph.format import DirectoryReader, DirectoryWriter
from weft.graph.ids import Ids
from weft.graph.labels import Labels

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from pathlib import Path

    from weft.graph.hetero import HeteroGraph

__all__ = ["KIND", "edge_part", "features_files", "load", "meta_of", "node_part", "save"]

KIND = TYPED_KIND


def node_part(number: int) -> str:
    """What the names of the arrays of a type of nodes begin with; names of types may not suit as files'."""
    return f"node_{number}_"


def edge_part(number: int) -> str:
    """What the names of the arrays of a type of edges begin with."""
    return f"edge_{number}_"


def features_files(graph: HeteroGraph) -> dict[str, Path]:
    """Where the features of the types that have some are."""
    if graph.path is None:
        return {}
    numbers = {name: number for number, name in enumerate(graph.nodes)}
    return {name: graph.path / f"{node_part(numbers[name])}features.npy" for name in graph.features}


def save(graph: HeteroGraph, path: str | os.PathLike[str], *, overwrite: bool) -> None:
    """Write ``graph`` to a directory."""
    check_names(graph.rows, graph.nodes)
    with DirectoryWriter(path, KIND, overwrite=overwrite) as writer:
        node_types: list[dict[str, object]] = []
        for number, (name, nodes) in enumerate(graph.nodes.items()):
            part = WriterPart(writer, node_part(number))
            node_types.append(
                {
                    "name": name,
                    "num_nodes": len(nodes.ids),
                    "ids": nodes.ids.save(part),
                    "labels": None if nodes.labels is None else nodes.labels.save(part),
                }
                | split_meta(part, nodes.split)
            )
            if nodes.features is not None:
                part.write_array("features", nodes.features)
        edge_types: list[dict[str, object]] = []
        for number, (kind, rows) in enumerate(graph.rows.items()):
            part = WriterPart(writer, edge_part(number))
            for array, values in (
                ("indptr", rows.indptr),
                ("indices", rows.indices),
                ("weight", rows.weight),
            ):
                if values is not None:
                    part.write_array(array, values)
            edge_types.append({"type": list(kind), "num_edges": len(rows.indices)})
        writer.finish({"node_types": node_types, "edge_types": edge_types})


def meta_of(
    writer: DirectoryWriter, ids: Mapping[str, Ids], num_edges: Mapping[EdgeType, int]
) -> dict[str, object]:
    """The manifest's ``meta`` of nodes without labels; ids are written on the way."""
    node_types = [
        {
            "name": name,
            "num_nodes": len(one),
            "ids": one.save(WriterPart(writer, node_part(number))),
            "labels": None,
        }
        for number, (name, one) in enumerate(ids.items())
    ]
    edge_types = [{"type": list(kind), "num_edges": count} for kind, count in num_edges.items()]
    return {"node_types": node_types, "edge_types": edge_types}


def load(path: str | os.PathLike[str], *, verify: bool) -> tuple[dict[str, Nodes], dict[EdgeType, Rows]]:
    """The nodes and edges of the graph in a directory."""
    reader = DirectoryReader(path, KIND, verify=verify)
    nodes: dict[str, Nodes] = {}
    for number, meta in enumerate(_objects(reader, "node_types")):
        part, count, labels = ReaderPart(reader, node_part(number)), count_of(reader, meta, "num_nodes"), None
        if meta.get("labels") is not None:
            labels = Labels.load(part, object_of(reader, meta, "labels"), count)
        ids = Ids.load(part, object_of(reader, meta, "ids"), count)
        name = _names(reader, [meta.get("name")])[0]
        if name in nodes:
            raise reader.error(f"the manifest gives the type {name!r} of nodes twice")
        nodes[name] = Nodes(
            ids=ids,
            labels=labels,
            features=load_features(part, count),
            split=load_split(part, meta, count),
        )
    dtype = index_dtype(max((len(one.ids) for one in nodes.values()), default=0))
    rows: dict[EdgeType, Rows] = {}
    for number, meta in enumerate(_objects(reader, "edge_types")):
        given = meta.get("type")
        if not isinstance(given, list) or len(given) != 3:
            raise reader.error(f"the manifest gives {given!r} as a type of edges")
        source, relation, target = _names(reader, given)
        kind = source, relation, target
        if kind in rows or source not in nodes or target not in nodes:
            what = "twice" if kind in rows else "between types of nodes that there are not"
            raise reader.error(f"the manifest gives the type {kind!r} of edges {what}")
        indptr, indices, weight = load_rows(
            ReaderPart(reader, edge_part(number)),
            len(nodes[source].ids),
            len(nodes[target].ids),
            dtype,
            count_of(reader, meta, "num_edges"),
            verify=verify,
        )
        rows[kind] = Rows(indptr=indptr, indices=indices, weight=weight)
    return nodes, rows


def _objects(reader: DirectoryReader, name: str) -> list[dict[str, Any]]:
    value = reader.meta.get(name)
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise reader.error(f"the manifest gives {name} as {value!r}")
    return value


def _names(reader: DirectoryReader, names: list[Any]) -> list[str]:
    try:
        check_names([], names)
    except (WeftTypeError, WeftValueError) as error:
        raise reader.error(f"the manifest is wrong: {error}") from None
    return names
