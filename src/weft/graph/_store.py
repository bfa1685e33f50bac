"""A graph as a directory: which arrays, under which names, checked how."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.errors import FormatError
from weft.graph._part import ReaderPart, WriterPart
from weft.graph.format import DirectoryReader, DirectoryWriter, format_of
from weft.graph.ids import Ids, check_offsets
from weft.graph.labels import Labels
from weft.kernels.codec import said_by

if TYPE_CHECKING:
    import os

    from weft.graph._part import Reads, Writes
    from weft.graph.graph import Graph

__all__ = [
    "KIND",
    "TYPED_KIND",
    "count_of",
    "index_dtype",
    "load",
    "load_features",
    "load_rows",
    "load_split",
    "object_of",
    "save",
    "split_meta",
]

Array = npt.NDArray[Any]

KIND = "weft.graph"
TYPED_KIND = "weft.heterograph"


def index_dtype(num_nodes: int) -> np.dtype[Any]:
    """uint32 while every node number fits, int64 beyond."""
    return np.dtype(np.uint32 if num_nodes <= 1 << 32 else np.int64)


def save(graph: Graph, path: str | os.PathLike[str], *, overwrite: bool) -> None:
    """Write ``graph`` to a directory."""
    with DirectoryWriter(path, KIND, overwrite=overwrite) as writer:
        writer.write_array("indptr", graph.indptr)
        writer.write_array("indices", graph.indices)
        if graph.weight is not None:
            writer.write_array("weight", graph.weight)
        if graph.features is not None:
            writer.write_array("features", graph.features)
        writer.finish(meta_of(writer, graph))


def meta_of(writer: DirectoryWriter, graph: Graph) -> dict[str, object]:
    """The manifest's ``meta``; ids and labels are written on the way."""
    return {
        "num_nodes": graph.num_nodes,
        "num_edges": graph.num_edges,
        "directed": graph.directed,
        "ids": graph.ids.save(writer),
        "labels": None if graph.labels is None else graph.labels.save(writer),
    } | split_meta(writer, graph.split)


def load(path: str | os.PathLike[str], *, verify: bool) -> dict[str, Any]:
    """The fields of the graph in a directory."""
    try:
        reader = DirectoryReader(path, KIND, verify=verify)
    except FormatError as error:
        if format_of(Path(path)) != TYPED_KIND:
            raise
        raise FormatError(
            f"{error}; it has several types of nodes and edges, and weft.HeteroGraph opens it"
        ) from None
    nodes, edges = count_of(reader, reader.meta, "num_nodes"), count_of(reader, reader.meta, "num_edges")
    directed = reader.meta.get("directed")
    if not isinstance(directed, bool):
        raise reader.error(f"the manifest gives directed as {directed!r}")
    indptr, indices, weight = load_rows(reader, nodes, nodes, index_dtype(nodes), edges, verify=verify)
    labels = reader.meta.get("labels")
    return {
        "indptr": indptr,
        "indices": indices,
        "weight": weight,
        "directed": directed,
        "ids": Ids.load(reader, object_of(reader, reader.meta, "ids"), nodes),
        "labels": None
        if labels is None
        else Labels.load(reader, object_of(reader, reader.meta, "labels"), nodes),
        "features": load_features(reader, nodes),
        "split": load_split(reader, reader.meta, nodes),
        "path": reader.path,
    }


def load_rows(
    reader: Reads, sources: int, targets: int, dtype: np.dtype[Any], edges: int, *, verify: bool
) -> tuple[Array, Array, Array | None]:
    """``indptr``, ``indices`` and ``weight``, if there is one, of edges between two sets of nodes."""
    indptr = reader.get("indptr", np.int64, (sources + 1,))
    indices = reader.get("indices", dtype, (edges,))
    check_offsets(reader, "indptr", indptr, edges)
    weight = reader.get("weight", np.float32, (edges,)) if "weight" in reader.arrays else None
    if verify:
        _verify_rows(reader, np.asarray(indptr), np.asarray(indices), weight, targets)
    return indptr, indices, weight


def split_meta(writer: Writes, split: Labels | None) -> dict[str, object]:
    """What ``meta`` says of a split, which is written; nothing if there is none."""
    return {} if split is None else {"split": split.save(WriterPart(writer, "split_"))}


def load_split(reader: Reads, meta: dict[str, Any], nodes: int) -> Labels | None:
    """The split, if there is one."""
    if meta.get("split") is None:
        return None
    return Labels.load(ReaderPart(reader, "split_"), object_of(reader, meta, "split"), nodes)


def load_features(reader: Reads, nodes: int) -> Array | None:
    """The rows of features, if there are any."""
    features = reader.get("features") if "features" in reader.arrays else None
    rows = 1 if features is not None and said_by(features.dtype) else 2
    if features is not None and (features.ndim != rows or len(features) != nodes):
        raise reader.error(f"features.npy has shape {features.shape}, expected {nodes:,} rows of features")
    return features


def count_of(reader: Reads, meta: dict[str, Any], name: str) -> int:
    """A number that the manifest gives."""
    value = meta.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise reader.error(f"the manifest gives {name} as {value!r}")
    return value


def object_of(reader: Reads, meta: dict[str, Any], name: str) -> dict[str, Any]:
    """An object that the manifest gives."""
    value = meta.get(name)
    if not isinstance(value, dict):
        raise reader.error(f"the manifest gives {name} as {value!r}")
    return value


def _verify_rows(reader: Reads, indptr: Array, indices: Array, weight: Array | None, targets: int) -> None:
    block = 1 << 22
    inside_row = np.ones(len(indices) + 1, bool)
    inside_row[indptr] = False  # the first edge of a row has nothing before it
    for begin in range(0, len(indices), block):
        part = indices[max(0, begin - 1) : begin + block].astype(np.int64)
        if part.max() >= targets or part.min() < 0:
            raise reader.error(f"indices.npy names node {int(part.max()):,}, there are {targets:,}")
        first = 1 if begin == 0 else begin
        falls = (part[1:] < part[:-1]) & inside_row[first : first + len(part) - 1]
        if falls.any():
            raise reader.error(
                f"indices.npy is not sorted within a row at position {first + int(falls.argmax()):,}"
            )
        if weight is not None:
            values = weight[begin : begin + block]
            if not (np.isfinite(values).all() and (values >= 0).all()):
                raise reader.error("weight.npy holds a value that is negative, infinite or NaN")
