"""A trained model as a directory."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.errors import WeftValueError
from weft.graph import EdgeType, Labels
from weft.graph.format import DirectoryReader, DirectoryWriter
from weft.nn import Batched, TypedBatched, TypedModel, model
from weft.train.run import pack, unpack
from weft.train.settings import Settings
from weft.train.split import Split
from weft.train.targets import Targets

if TYPE_CHECKING:
    import os

    from weft.graph import Graph

__all__ = ["Trained", "Types"]

KIND = "weft.model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Types:
    """What a model of a graph of several types was made for.

    Attributes:
        target: the type whose nodes it tells.
        edge_types: those of the graph.
        in_channels: columns of the features of each type that has some.
        vectors: how many nodes there were of each type that has none, and whose vectors were learned.
    """

    target: str
    edge_types: tuple[EdgeType, ...]
    in_channels: dict[str, int]
    vectors: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "edge_types": [list(kind) for kind in self.edge_types]}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Types:
        """What :meth:`to_dict` gave."""
        kinds = tuple((source, relation, target) for source, relation, target in values["edge_types"])
        return cls(
            target=values["target"],
            edge_types=kinds,
            in_channels=dict(values["in_channels"]),
            vectors=dict(values["vectors"]),
        )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Trained:
    """What a training leaves.

    Attributes:
        weights: of the model, by name.
        settings: of the training.
        in_channels: columns of the features; of a graph of several types, those of ``types.target``, 0
            where it has none.
        targets: what was learned to be told; None for the task ``link``.
        split: the nodes that were learned from and scored; None for the task ``link``.
        history: float64 ``[E, 4]``: epoch, mean loss, score on the validation set, seconds.
        scores: what the kept weights are worth: ``val``, ``test``, and the ``epoch`` they are of.
        score_name: what these measure.
        times: seconds that each stage of a step took, the mean of this process's whole epochs. ``sample``,
            ``plan``, ``read`` and ``assemble`` are done ahead, beside ``compute``; ``wait`` is what was left
            to wait for.
        source: where ``graph`` and ``features`` were, their sizes, whether NaN was taken for 0
            (``clean``), and digests of the ``ids`` of the nodes (of several types by type).
        types: of a graph of several types; None: it had one.
        identity: what tells the training from others: settings, and digests of all that was learned from.
        path: the directory it was opened from.
    """

    weights: dict[str, Any]
    settings: Settings
    in_channels: int
    targets: Targets | None
    split: Split | None
    history: npt.NDArray[np.float64]
    scores: dict[str, float]
    score_name: str
    times: dict[str, float] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=dict)
    types: Types | None = None
    identity: dict[str, Any] = field(default_factory=dict)
    path: Path | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the model's columns; none for the task ``link``."""
        return () if self.targets is None else self.targets.classes

    @property
    def out(self) -> int:
        """Columns that the model gives."""
        return self.settings.hidden if self.targets is None else len(self.classes)

    def net(self, graph: Graph) -> Batched:
        """The model, ready to be asked.

        Args:
            graph: what batches are sampled from, along edges that lead out.

        Raises:
            WeftValueError: the model is of a graph of several types; :meth:`typed_net` makes it.
        """
        if self.types is not None:
            raise WeftValueError("net: the model is of a graph of several types; typed_net() makes it")
        settings = self.settings
        made = model(
            settings.model,
            self.in_channels,
            settings.hidden,
            self.out,
            settings.layers,
            dropout=settings.dropout,
            heads=settings.heads,
            degrees=settings.degrees,
        )
        made.load_state_dict(self.weights)
        return Batched(made, graph, "out", settings.num_neighbors).eval()

    def typed_net(self) -> TypedBatched:
        """The model of a graph of several types, asked about batches of it turned round."""
        assert self.types is not None
        settings, types = self.settings, self.types
        made = TypedModel(
            types.in_channels,
            types.vectors,
            types.edge_types,
            settings.hidden,
            self.out,
            settings.layers,
            dropout=settings.dropout,
        )
        made.load_state_dict(self.weights)
        return TypedBatched(made, types.target, turned=True).eval()

    def __repr__(self) -> str:
        said = ", ".join(f"{part} {self.scores[part]:.4f}" for part in ("val", "test") if part in self.scores)
        return f"Trained({self.settings.model}, {self.score_name} {said or 'not measured'})"

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Trained:
        """Write a directory and open it.

        Raises:
            WeftValueError: ``path`` exists and ``overwrite`` is not set, or it holds something else.
            StorageError: the disk is full, or the system refuses otherwise.
        """
        with DirectoryWriter(path, KIND, overwrite=overwrite) as writer:
            writer.write_array("state", pack(self.weights))
            writer.write_array("history", self.history)
            targets = None if self.targets is None else self.targets.labels.save(writer)
            for part in ("train", "val", "test") if self.split is not None else ():
                writer.write_array(f"split_{part}", getattr(self.split, part))
            writer.finish(
                {
                    "settings": self.settings.to_dict(),
                    "in_channels": self.in_channels,
                    "targets": targets,
                    "scores": self.scores,
                    "score_name": self.score_name,
                    "times": self.times,
                    "source": self.source,
                    "identity": self.identity,
                    "types": None if self.types is None else self.types.to_dict(),
                }
            )
        return Trained.open(path)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Trained:
        """Read a directory, every byte checked.

        Raises:
            FormatError: the directory is damaged, foreign or of another version.
        """
        reader = DirectoryReader(path, KIND, verify=True)
        meta = reader.meta
        nodes = meta.get("source", {}).get("nodes", 0)
        parts = {
            part: np.array(reader.get(f"split_{part}", np.int64))
            for part in ("train", "val", "test")
            if f"split_{part}" in reader.arrays
        }
        try:
            return cls(
                weights=unpack(reader),
                settings=Settings.from_dict(meta["settings"]),
                in_channels=meta["in_channels"],
                targets=None
                if meta["targets"] is None
                else Targets.of(Labels.load(reader, meta["targets"], nodes), nodes),
                split=Split(**parts) if parts else None,
                history=np.array(reader.get("history", np.float64)),
                scores=dict(meta["scores"]),
                score_name=meta["score_name"],
                times=dict(meta["times"]),
                source=dict(meta["source"]),
                identity=dict(meta["identity"]),
                types=None if meta.get("types") is None else Types.from_dict(meta["types"]),
                path=Path(path),
            )
        except (KeyError, TypeError, WeftValueError) as error:
            raise reader.error(f"the manifest lacks what a model needs ({error})") from None
