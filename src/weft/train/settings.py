"""What decides a training beside the graph, its features and its labels."""

from __future__ import annotations

import dataclasses
import operator
from dataclasses import dataclass
from typing import Any, Literal

from weft.checks import check_int, check_real
from weft.errors import WeftTypeError, WeftValueError
from weft.nn import DEGREES, MODELS, Degrees, ModelName

__all__ = ["Settings", "Task"]

Task = Literal["node", "link"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Of a training; the result depends on all of them, on torch and on the number of its threads.

    Attributes:
        model: see :func:`weft.nn.model`.
        target: with the task ``node``, the type whose nodes are told, of a graph of several types; None: the
            only one with labels.
        task: ``node``: tell the labels of nodes; ``link``: tell edges from pairs of nodes without.
        hidden: width of the layers between, and of the vectors that ``link`` learns.
        num_neighbors: neighbours drawn at each hop, -1 for all; as many layers as hops.
        batch_size: nodes, or edges, of a step.
        epochs: passes over the nodes or edges to learn from, at most.
        patience: stop after so many epochs whose score on the validation set was no better than the best
            one; None: never. The weights of the best epoch are kept in any case.
        learning_rate: of Adam.
        weight_decay: of Adam.
        dropout: see :func:`weft.nn.model`.
        heads: of ``gat``.
        degrees: of ``gcn``: of the ``graph`` or of the ``batch``, see :func:`weft.nn.model`.
        negatives: for each edge, with the task ``link``.
        seed: of everything that is drawn.
    """

    model: ModelName = "sage"
    task: Task = "node"
    hidden: int = 128
    num_neighbors: tuple[int, ...] = (15, 10)
    batch_size: int = 1024
    epochs: int = 50
    patience: int | None = 10
    learning_rate: float = 0.005
    weight_decay: float = 0.0
    dropout: float | None = None
    heads: int = 8
    degrees: Degrees = "graph"
    negatives: int = 1
    seed: int = 0
    target: str | None = None

    def __post_init__(self) -> None:
        """Check.

        Raises:
            WeftValueError: a value is none.
        """
        if not isinstance(self.model, str) or self.model not in MODELS:
            raise WeftValueError(f"train: there is no model {self.model!r}; give one of {', '.join(MODELS)}")
        if not isinstance(self.task, str) or self.task not in ("node", "link"):
            raise WeftValueError(f"train: task must be 'node' or 'link' (got {self.task!r})")
        if not isinstance(self.degrees, str) or self.degrees not in DEGREES:
            raise WeftValueError(f"train: degrees must be 'graph' or 'batch' (got {self.degrees!r})")
        if self.degrees == "batch" and self.model != "gcn":
            raise WeftValueError(f"train: degrees are those of a gcn (got model {self.model!r})")
        self._set("num_neighbors", _fanout(self.num_neighbors))
        for name in ("hidden", "batch_size", "epochs", "heads", "negatives"):
            self._set(name, check_int(f"train: {name}", getattr(self, name), 1))
        if self.patience is not None:
            self._set("patience", check_int("train: patience", self.patience, 1))
        self._set("seed", check_int("train: seed", self.seed, 0, (1 << 64) - 1))
        self._set("learning_rate", check_real("train: learning_rate", self.learning_rate, above=0))
        self._set("weight_decay", check_real("train: weight_decay", self.weight_decay, least=0))
        if self.dropout is not None:
            self._set("dropout", check_real("train: dropout", self.dropout, least=0))
            if self.dropout >= 1:
                raise WeftValueError(f"train: dropout must be below 1 (got {self.dropout:g})")
        if self.target is not None and not isinstance(self.target, str):
            raise WeftTypeError(f"train: target must be the name of a type of nodes (got {self.target!r})")

    def _set(self, name: str, value: object) -> None:
        """As a plain number: of NumPy's there is no JSON."""
        object.__setattr__(self, name, value)

    @property
    def layers(self) -> int:
        """Of the model."""
        return len(self.num_neighbors)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**dataclasses.asdict(self), "num_neighbors": list(self.num_neighbors)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Settings:
        """What :meth:`to_dict` gave."""
        names = {field.name for field in dataclasses.fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in names})


def _fanout(given: object) -> tuple[int, ...]:
    """Neighbours at each hop.

    Raises:
        WeftValueError: they are no numbers of at least 1, or -1.
    """
    try:
        hops = () if isinstance(given, str) else tuple(given)  # pyrefly: ignore
        counts = tuple(operator.index(k) for k in hops if not isinstance(k, bool))
    except TypeError:
        hops, counts = (), ()
    if not counts or len(counts) < len(hops) or any(k < -1 or k == 0 for k in counts):
        raise WeftValueError(
            "train: num_neighbors takes a number for each layer, -1 for all neighbours, such as (15, 10) "
            f"(got {given!r})"
        )
    return counts
