"""What decides a training beside the graph, its features and its labels."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Literal

from weft.errors import WeftValueError
from weft.nn import MODELS, ModelName

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
    negatives: int = 1
    seed: int = 0
    target: str | None = None

    def __post_init__(self) -> None:
        """Check.

        Raises:
            WeftValueError: a value is none.
        """
        object.__setattr__(self, "num_neighbors", tuple(self.num_neighbors))
        if self.model not in MODELS:
            raise WeftValueError(f"train: there is no model {self.model!r}; give one of {', '.join(MODELS)}")
        if self.task not in ("node", "link"):
            raise WeftValueError(f"train: task must be 'node' or 'link' (got {self.task!r})")
        if not self.num_neighbors or any(k < -1 or k == 0 for k in self.num_neighbors):
            raise WeftValueError(
                "train: num_neighbors takes a number for each layer, -1 for all neighbours "
                f"(got {list(self.num_neighbors)})"
            )
        for name in ("hidden", "batch_size", "epochs", "heads", "negatives"):
            if getattr(self, name) < 1:
                raise WeftValueError(f"train: {name} must be at least 1 (got {getattr(self, name)})")
        if self.patience is not None and self.patience < 1:
            raise WeftValueError(f"train: patience must be at least 1, or None (got {self.patience})")
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise WeftValueError(f"train: learning_rate must be above 0 (got {self.learning_rate:g})")
        if not (math.isfinite(self.weight_decay) and self.weight_decay >= 0):
            raise WeftValueError(f"train: weight_decay must be at least 0 (got {self.weight_decay:g})")

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
