"""What a model says of every node, layer by layer over the whole graph.

Shapes: N nodes, M nodes and S edges of a batch, B nodes whose rows are made, F and O columns in and out, C
classes.
"""

from __future__ import annotations

import contextlib
import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.checks import check_path
from weft.config import parse_bytes, show_bytes
from weft.embed.store import KIND
from weft.errors import StorageError, WeftTypeError, WeftValueError
from weft.eval.metrics import f1
from weft.graph import Graph, HeteroGraph, open_graph
from weft.graph._rows import edge_name
from weft.graph.format import DirectoryReader, DirectoryWriter, check_target
from weft.kernels.memory import drop_pages
from weft.progress import check_shown
from weft.train.inputs import Features, NodesOf
from weft.train.layerwise import Layers, PlainLayers
from weft.train.store import Trained
from weft.train.typed_layers import TypedLayers, check_types, features_for, rows_before

if TYPE_CHECKING:
    import os

    from weft.features import FeatureTable
    from weft.progress import Shown
    from weft.train.inputs import NodeSet, OnNan

    Given = str | os.PathLike[str] | npt.ArrayLike | FeatureTable

__all__ = ["Predictions", "predict"]

F32 = npt.NDArray[np.float32]

_ROWS = 1 << 16  # of predictions looked at at a time


class Predictions:
    """What :func:`predict` wrote; a directory of vectors too, which :class:`weft.embed.Embedding` opens.

    Args:
        path: the directory.

    Raises:
        FormatError: it is damaged or foreign.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        reader = DirectoryReader(path, KIND)
        self.path = Path(path)
        """The directory."""
        self.embedding: F32 = reader.get("embedding", np.float32)
        """float32 ``[N, hidden]``: rows of the last layer but one; of the last, where there is one or the
        task is ``link``. Mapped."""
        self.output: F32 = reader.get("output" if "output" in reader.arrays else "embedding", np.float32)
        """float32 ``[N, C]``: rows of the last layer, the logits of the classes. Mapped."""
        self.classes: tuple[str, ...] = tuple(reader.meta["config"].get("classes", ()))
        """Names of its columns."""
        self.scores: dict[str, float] = dict(reader.meta["config"].get("scores", {}))
        """What the model is worth with all neighbours: ``val`` and ``test``, where there are such."""
        self.unscored: str | None = reader.meta["config"].get("unscored")
        """Why there are no scores of a model that has learned labels; None: there are, or it has not."""
        if self.classes and self.output.shape[1:] != (len(self.classes),):
            raise reader.error(f"it has no output of a model for its {len(self.classes)} classes")


def predict(
    trained: Trained,
    out: str | os.PathLike[str],
    *,
    graph: Graph | HeteroGraph | None = None,
    features: Given | Mapping[str, Given] | None = None,
    memory: int | str = "2GiB",
    on_nan: OnNan = "fail",
    overwrite: bool = False,
    progress: Shown = False,
) -> Predictions:
    """Rows of all nodes, each from all of its neighbours, with no more than ``memory`` for features.

    Each layer is computed for all nodes before the next begins, so that no row is computed twice; the rows
    between layers lie in files. They are those of the model on the whole graph at once, up to the rounding of
    sums taken in another order. A directory is written beside its place and then renamed: what is killed
    leaves nothing under the final name.

    Args:
        trained: the model.
        out: a directory: ``embedding.npy``, ``output.npy``, and ``predictions.csv`` of the columns ``id``,
            ``label`` and ``probability`` (of nodes that may have several labels, a line for each).
        graph: None: the one it was trained on.
        features: row i being node i; None: those attached to a ``graph`` that is given, or else those it was
            trained on, if the nodes have the same ids in the same order. Of a graph of several types, by
            type; likewise of types that are not named.
        memory: for rows of features and what is made of them.
        on_nan: ``fail`` or ``zero``: whether NaN and infinity are refused or taken for 0.
        overwrite: replace what is there.
        progress: draw a bar; ``"lines"``: write a line every ten seconds.

    Raises:
        WeftKeyError: features are given for a type that the model takes none of.
        WeftTypeError: features are given by type for a graph of one type, or the other way round.
        WeftValueError: features are of other nodes, of another width, or broken; the graph has other types
            than the model; or ``out`` exists.
        BudgetError: the neighbours of one node alone do not fit.
        StorageError: a file cannot be read or written, or the disk has not the room.
    """
    if not isinstance(trained, Trained):
        raise WeftTypeError(
            f"predict: the model must be a weft.train.Trained (got {trained!r}); Trained.open(DIR) opens one"
        )
    if graph is not None and not isinstance(graph, Graph | HeteroGraph):
        raise WeftTypeError(
            f"predict: graph must be a weft.Graph (got {type(graph).__name__}); weft.Graph.open(DIR) opens "
            "one"
        )
    check_shown(progress)
    place = check_path("predict: out", out)
    check_target(place, overwrite=overwrite, kind=KIND)
    own = graph is None
    graph = _graph_of(trained) if graph is None else graph
    on_nan = "zero" if trained.source.get("clean") else on_nan
    nodes = _nodes(trained, graph)
    budget = parse_bytes(memory)
    with contextlib.ExitStack() as stack:
        writer = stack.enter_context(DirectoryWriter(place, KIND, overwrite=overwrite))
        if isinstance(graph, HeteroGraph):
            rows: Any = features
            by_type = features_for(trained, graph, rows, on_nan, own=own)
            _check_room(writer.temporary, trained, graph.num_nodes)
            layers: Layers = TypedLayers(writer, trained, graph, by_type, progress=progress)
        else:
            given = _features(trained, graph, features, on_nan, own=own)
            _check_room(writer.temporary, trained, {"": graph.num_nodes})
            incoming = graph.reverse()
            incoming = incoming if incoming.path is None else incoming.in_memory()
            net = trained.net(incoming)
            layers = PlainLayers(writer, trained, net, incoming, given, graph.degree(), progress=progress)
        output = stack.enter_context(layers).run(budget)
        unscored = _unscored(trained, nodes)
        scores = _scores(trained, output) if unscored is None else {}
        if trained.targets is not None:
            _write_csv(writer.temporary / "predictions.csv", nodes, trained, output)
        writer.write_array("history", np.zeros((0, 2)))
        made: dict[str, Any] = {"method": trained.settings.model, "scores": scores}
        if unscored is not None:
            made["unscored"] = unscored
        if trained.targets is not None:
            made["classes"] = list(trained.classes)
        source = {"graph": None if graph.path is None else str(graph.path.resolve())}
        writer.finish(
            {
                "num_nodes": nodes.num_nodes,
                "dim": layers.width,
                "tied": False,
                "ids": nodes.ids.save(writer),
                "config": {"estimator": "Trained", **source, **made},
            }
        )
    return Predictions(place)


def _graph_of(trained: Trained) -> Graph | HeteroGraph:
    path = trained.source.get("graph")
    if path is None:
        raise WeftValueError("predict: the model does not say which graph it was trained on; give graph=")
    return open_graph(path)


def _nodes(trained: Trained, graph: Graph | HeteroGraph) -> NodeSet:
    """The nodes that are told.

    Raises:
        WeftValueError: the graph has other types than the model.
    """
    if isinstance(graph, HeteroGraph) and trained.types is not None:
        check_types(trained.types, graph, trained.source.get("ids") or {})
        return NodesOf.type(graph, trained.types.target)
    if isinstance(graph, HeteroGraph):
        raise WeftValueError(
            f"predict: the model {trained.settings.model!r} was trained on a graph of one type, and this one "
            f"has several ({', '.join(graph.node_types)})"
        )
    if trained.types is not None:
        raise WeftValueError(
            "predict: the model was trained on a graph of several types, and this one has one; its types of "
            f"edges are {', '.join(map(edge_name, trained.types.edge_types))}"
        )
    return graph


def _features(
    trained: Trained,
    graph: Graph,
    given: Any,  # noqa: ANN401
    on_nan: OnNan,
    *,
    own: bool,
) -> Features:
    known = given is None
    if known:
        given = rows_before(trained.source.get("features"), graph, trained.source.get("ids"), own=own)
    if isinstance(given, Mapping):
        raise WeftTypeError("predict: features are given by type, and the graph has one type of nodes")
    features = Features.of(given, graph, on_nan, "predict", known=known)
    if features.shape[1] != trained.in_channels:
        raise WeftValueError(
            f"predict: features have {features.shape[1]:,} columns, the model was trained on "
            f"{trained.in_channels:,}"
        )
    return features


def _unscored(trained: Trained, nodes: NodeSet) -> str | None:
    """Why the labels that were learned say nothing of these nodes; None: they do, or there are none."""
    ids = trained.source.get("ids")
    if trained.types is not None:
        ids = (ids or {}).get(trained.types.target)
    if trained.targets is None or nodes.ids.digest() == ids:
        return None
    return "the nodes are not those of the training, or in another order: its labels are of others"


def _check_room(folder: Path, trained: Trained, nodes: Mapping[str, int]) -> None:
    """Refuse a disk that cannot take what will be written."""
    settings, told = trained.settings, "" if trained.types is None else trained.types.target
    size = 4 * nodes[told] * (settings.hidden * min(3, settings.layers) + trained.out)
    # Of other types two layers lie in files at once, and none is needed of the last.
    others = sum(nodes.values()) - nodes[told]
    size += 4 * others * settings.hidden * min(2, settings.layers - 1)
    free = shutil.disk_usage(folder).free
    if free < size:
        raise StorageError(
            f"predict: the rows of all nodes take {show_bytes(size)}, and {show_bytes(free)} are free beside "
            f"{folder.parent}; free some, or choose another place"
        )


def _scores(trained: Trained, output_NC: F32) -> dict[str, float]:
    """Micro-F1 of the validation and the test set, which is accuracy where each node has one class."""
    found: dict[str, float] = {}
    targets, split = trained.targets, trained.split
    if targets is None or split is None:
        return found
    for part in ("val", "test"):
        nodes, hit, true, said = getattr(split, part), *(np.zeros(trained.out, np.int64) for _ in range(3))
        for begin in range(0, len(nodes), _ROWS):
            some = nodes[begin : begin + _ROWS]
            said_BC = _said(output_NC[some], several=targets.several)
            target = targets.take(some).numpy()
            true_BC = target > 0 if targets.several else np.eye(trained.out, dtype=bool)[target]
            hit += (said_BC & true_BC).sum(axis=0)
            true += true_BC.sum(axis=0)
            said += said_BC.sum(axis=0)
        score = f1(hit, true, said)[0] if len(nodes) else math.nan
        if not math.isnan(score):
            found[part] = score
    return found


def _said(row_BC: npt.NDArray[np.floating], *, several: bool) -> npt.NDArray[np.bool_]:
    """Which classes the logits say."""
    if several:
        return row_BC > 0
    said_BC = np.zeros(row_BC.shape, bool)
    said_BC[np.arange(len(row_BC)), row_BC.argmax(axis=1)] = True
    return said_BC


def _write_csv(path: Path, nodes: NodeSet, trained: Trained, output_NC: F32) -> None:
    """A line for each node and label said of it."""
    import polars as pl

    assert trained.targets is not None
    names = np.array(trained.classes, object)
    several = trained.targets.several
    with path.open("wb") as file:
        for begin in range(0, len(output_NC), _ROWS):
            row_BC = np.asarray(output_NC[begin : begin + _ROWS], np.float64)
            node, code = np.nonzero(_said(row_BC, several=several))
            if several:
                share_BC = 1 / (1 + np.exp(-row_BC))
            else:
                power_BC = np.exp(row_BC - row_BC.max(axis=1, keepdims=True))
                share_BC = power_BC / power_BC.sum(axis=1, keepdims=True)
            table = pl.DataFrame(
                {
                    "id": nodes.ids.take(node + begin),
                    "label": names[code].tolist(),
                    "probability": share_BC[node, code].round(6),
                },
                schema_overrides={"label": pl.String},
            )
            table.write_csv(file, include_header=begin == 0)
            drop_pages(output_NC)
