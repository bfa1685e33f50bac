"""What a model says of every node, layer by layer over the whole graph.

Shapes: N nodes, M nodes and S edges of a batch, B nodes whose rows are made, F and O columns in and out, C
classes.
"""

from __future__ import annotations

import contextlib
import math
import shutil
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

import weft.features
from weft.config import parse_bytes, show_bytes
from weft.embed.store import KIND
from weft.errors import BudgetError, StorageError, WeftValueError
from weft.eval.metrics import f1
from weft.graph import Graph
from weft.graph.format import ArrayWriter, DirectoryReader, DirectoryWriter, check_target
from weft.kernels.memory import drop_pages
from weft.progress import bar
from weft.sampling import NeighborSampler
from weft.train.inputs import Features, as_input

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from weft.features import FeatureTable, Ticket
    from weft.nn import Batched
    from weft.progress import Shown
    from weft.sampling import Sampled
    from weft.train.inputs import OnNan
    from weft.train.store import Trained

__all__ = ["Predictions", "predict"]

F32 = npt.NDArray[np.float32]

_NODES = 1 << 14  # of a batch: more make it no faster
_AHEAD = 2  # batches whose rows are in memory at once
_KNOWN = 16  # batches announced: a cache with the rows of two would do little, and edges take memory too
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
        if self.classes and self.output.shape[1:] != (len(self.classes),):
            raise reader.error(f"it has no output of a model for its {len(self.classes)} classes")


def predict(
    trained: Trained,
    out: str | os.PathLike[str],
    *,
    graph: Graph | None = None,
    features: str | os.PathLike[str] | npt.ArrayLike | FeatureTable | None = None,
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
        features: row i being node i; None: those it was trained on.
        memory: for rows of features and what is made of them.
        on_nan: ``fail`` or ``zero``: whether NaN and infinity are refused or taken for 0.
        overwrite: replace what is there.
        progress: draw a bar; ``"lines"``: write a line every ten seconds.

    Raises:
        WeftValueError: features are of other nodes, of another width, or broken; or ``out`` exists.
        BudgetError: the neighbours of one node alone do not fit.
        StorageError: a file cannot be read or written, or the disk has not the room.
    """
    place = Path(out)
    check_target(place, overwrite=overwrite, kind=KIND)
    graph = _graph_of(trained) if graph is None else graph
    if features is None and trained.source.get("features") is not None:
        features = Path(trained.source["features"])
    on_nan = "zero" if trained.source.get("clean") else on_nan
    given = Features.of(features, graph, on_nan, "predict")
    if given.shape[1] != trained.in_channels:
        raise WeftValueError(
            f"predict: features have {given.shape[1]:,} columns, the model was trained on "
            f"{trained.in_channels:,}"
        )
    incoming = graph.reverse()
    incoming = incoming if incoming.path is None else incoming.in_memory()
    net = trained.net(incoming)
    budget = parse_bytes(memory)
    with contextlib.ExitStack() as stack:
        writer = stack.enter_context(DirectoryWriter(place, KIND, overwrite=overwrite))
        _check_room(writer.temporary, trained, graph.num_nodes)
        layers = _Layers(writer, net, incoming, trained, progress=progress)
        stack.enter_context(layers)
        layers.run(given, budget, graph.degree())
        output = layers.output()
        scores = _scores(trained, output) if _same_nodes(trained, graph) else {}
        if trained.targets is not None:
            _write_csv(writer.temporary / "predictions.csv", graph, trained, output)
        writer.write_array("history", np.zeros((0, 2)))
        made: dict[str, Any] = {"method": trained.settings.model, "scores": scores}
        if trained.targets is not None:
            made["classes"] = list(trained.classes)
        source = {"graph": None if graph.path is None else str(graph.path.resolve())}
        writer.finish(
            {
                "num_nodes": graph.num_nodes,
                "dim": layers.width,
                "tied": False,
                "ids": graph.ids.save(writer),
                "config": {"estimator": "Trained", **source, **made},
            }
        )
    return Predictions(place)


class _Layers:
    """Computes layer after layer, from one file into the next."""

    def __init__(
        self, writer: DirectoryWriter, net: Batched, graph: Graph, trained: Trained, *, progress: Shown
    ) -> None:
        self._writer, self._net, self._graph, self._trained = writer, net, graph, trained
        self._bar = bar(
            progress,
            total=graph.num_nodes * net.layers,
            unit=" nodes",
            unit_scale=True,
            desc="predict",
        )
        self._sampler = NeighborSampler.of(graph, [-1], weighted=False, direction="out")
        self._path = Path()
        hidden = trained.settings.hidden
        self.width = trained.out if trained.targets is None or net.layers == 1 else hidden
        """Columns of the vectors."""

    def __enter__(self) -> _Layers:
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.close()

    def run(self, features: Features, memory: int, hotness: npt.NDArray[np.int64]) -> None:
        """All layers; ``hotness``, int64 ``[N]``, says how often a node's row is asked for in each."""
        columns, last = features.shape[1], self._net.layers - 1
        for i in range(last + 1):
            made = self._trained.out if i == last else self._trained.settings.hidden
            # Half for the cache, half for batches: rows as read, as float32, messages, what comes of them.
            edges = memory // 2 // (_AHEAD * 3 * 4 * (columns + made))
            if edges < int(self._graph.degree().max(initial=0)):
                raise BudgetError(
                    f"predict: a node has {int(self._graph.degree().max()):,} neighbours, and within "
                    f"{show_bytes(memory)} there is room for {edges:,} at a time; give more memory"
                )
            table, ours = (
                features.open(memory // 2, hotness) if i == 0 else (self._rows(memory // 2, hotness), True)
            )
            before = self._path
            try:
                self._layer(i, table, made, edges, clean=i == 0 and features.broken > 0)
            finally:
                if ours:
                    table.close()
            if before.name.startswith("layer"):
                before.unlink()
            columns = made

    def _rows(self, memory: int, hotness: npt.NDArray[np.int64]) -> FeatureTable:
        """Those of the layer before."""
        return weft.features.open(self._path, memory, hotness=hotness, verbose=False)

    def output(self) -> F32:
        """Rows of the last layer, mapped."""
        return np.load(self._path, mmap_mode="r")

    def _layer(self, i: int, table: FeatureTable, made: int, edges: int, *, clean: bool) -> None:
        write, close = self._file(i, made)
        with torch.no_grad():
            for seeds, found, x_MF in _batches(self._sampler, self._graph, table, edges):
                x = as_input(torch.from_numpy(x_MF), clean=clean)
                out_BO = self._net.layer(
                    i,
                    x,
                    torch.from_numpy(found.n_id),
                    torch.from_numpy(found.edge_index),
                    torch.from_numpy(found.e_id),
                    seeds,
                )
                write(out_BO.numpy())
                self._bar.update(seeds)
        self._path = close()

    def _file(self, i: int, made: int) -> tuple[Callable[[F32], None], Callable[[], Path]]:
        """Where the rows of a layer go."""
        last = self._net.layers - 1
        shape = (self._graph.num_nodes, made)
        if i < last - 1 or (i < last and self._trained.targets is None):
            path = self._writer.temporary / f"layer{i}.npy"
            scratch = ArrayWriter(path, np.float32, shape)

            def close() -> Path:
                scratch.close()
                return path

            return scratch.write, close
        vectors = i == last - 1 or last == 0 or self._trained.targets is None
        name = "embedding" if vectors else "output"
        return self._writer.array(name, np.float32, shape).write, lambda: self._writer.close_array(name)


def _batches(
    sampler: NeighborSampler, graph: Graph, table: FeatureTable, edges: int
) -> Iterator[tuple[int, Sampled, npt.NDArray[Any]]]:
    """Nodes in their order, with all neighbours: how many, what was found, and the rows of that."""
    # Those drawn and announced to a table that wants to know; of these, those whose rows are on their way.
    drawn: deque[tuple[int, Sampled]] = deque()
    reading: deque[tuple[int, Sampled, Ticket]] = deque()
    known: Any = table if getattr(table, "window", 0) > 0 else None
    ahead = 1 if known is None else max(1, min(_KNOWN, known.window))
    ranges = _ranges(graph.indptr, edges)
    while True:
        while len(drawn) < ahead and (bounds := next(ranges, None)) is not None:
            found = sampler.sample(np.arange(*bounds), seed=0)
            if known is not None:
                known.expect(found.n_id)
            drawn.append((bounds[1] - bounds[0], found))
        if drawn:
            seeds, found = drawn.popleft()
            reading.append((seeds, found, table.submit(found.n_id)))
        if len(reading) == _AHEAD or (reading and not drawn):
            seeds, found, ticket = reading.popleft()
            yield seeds, found, ticket.wait()
        elif not reading:
            return


def _ranges(indptr: npt.NDArray[np.int64], edges: int) -> Iterator[tuple[int, int]]:
    """Nodes one after the other, so many that their edges are at most ``edges``; at least one."""
    begin, nodes = 0, len(indptr) - 1
    while begin < nodes:
        fits = int(np.searchsorted(indptr, indptr[begin] + edges, side="right")) - 1
        end = min(nodes, begin + _NODES, max(begin + 1, fits))
        yield begin, end
        begin = end


def _graph_of(trained: Trained) -> Graph:
    path = trained.source.get("graph")
    if path is None:
        raise WeftValueError("predict: the model does not say which graph it was trained on; give graph=")
    return Graph.open(path)


def _same_nodes(trained: Trained, graph: Graph) -> bool:
    return trained.source.get("nodes") == graph.num_nodes and trained.targets is not None


def _check_room(folder: Path, trained: Trained, nodes: int) -> None:
    """Refuse a disk that cannot take what will be written."""
    settings = trained.settings
    size = 4 * nodes * (settings.hidden * min(3, settings.layers) + trained.out)
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


def _write_csv(path: Path, graph: Graph, trained: Trained, output_NC: F32) -> None:
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
                    "id": graph.ids.take(node + begin),
                    "label": names[code].tolist(),
                    "probability": share_BC[node, code].round(6),
                },
                schema_overrides={"label": pl.String},
            )
            table.write_csv(file, include_header=begin == 0)
            drop_pages(output_NC)
