"""What a training will take, worked out before it starts."""

from __future__ import annotations

from dataclasses import dataclass

from weft.config import show_bytes, show_count, show_rows

__all__ = ["Plan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Sizes of a training.

    Attributes:
        nodes: of the graph.
        edges: stored ones.
        items: to learn from in an epoch, nodes or edges.
        val: of the validation set.
        test: of the test set.
        unit: what they are.
        classes: what labels there are, as people write it; None: none are told.
        batch_size: of a step.
        batch_nodes: of a batch with its neighbours, in a short trial.
        batch_edges: drawn for it.
        epochs: at most.
        patience: epochs without a better score that end it; None: none do.
        rows: of features, as people write it.
        features: bytes of all of them.
        cache: bytes of them that may be in memory.
        model: as people write it.
        parameters: of the model.
        graph: bytes it takes in memory.
        batches: bytes of the batches under way and of what the model makes of one.
        base: bytes of the process before.
    """

    nodes: int
    edges: int
    items: int
    val: int
    test: int
    unit: str
    classes: str | None
    batch_size: int
    batch_nodes: int
    batch_edges: int
    epochs: int
    patience: int | None
    rows: str
    features: int
    cache: int
    model: str
    parameters: int
    graph: int
    batches: int
    base: int

    @property
    def bytes(self) -> int:
        """Memory of the process at the peak, about."""
        # Weights, gradients, two moments, and the best weights.
        return self.base + self.graph + self.cache + self.batches + 5 * 4 * self.parameters

    def facts(self) -> dict[str, str]:
        """What a user wants to know, by name."""
        kept = (
            "all in memory"
            if self.cache >= self.features
            else f"on disk, {show_bytes(self.cache)} ({self.cache / self.features:.0%}) in memory"
        )
        steps = -(-self.items // self.batch_size)
        return {
            "graph": f"{show_count(self.nodes, 'node')}, {show_count(self.edges, 'stored edge')}",
            **({} if self.classes is None else {"labels": self.classes}),
            "split": f"{self.unit}: {self.items:,} to train on, {self.val:,} to validate, "
            f"{self.test:,} to test",
            "features": f"{self.rows}, {show_bytes(self.features)}, {kept}",
            "model": f"{self.model}, {show_count(self.parameters, 'weight')}",
            "batches": f"{steps:,} of {min(self.batch_size, self.items):,} {self.unit} an epoch; with their "
            f"neighbours about {self.batch_nodes:,} nodes, {self.batch_edges:,} edges",
            "epochs": self._epochs(),
            "memory": f"about {show_bytes(self.bytes)}: process {show_bytes(self.base)}, graph "
            f"{show_bytes(self.graph)}, features {show_bytes(self.cache)}, batches "
            f"{show_bytes(self.batches)}",
        }

    def _epochs(self) -> str:
        if self.val == 0:
            return f"{self.epochs:,}; nothing validates: none ends it early, and the last weights are kept"
        if self.patience is None:
            return f"{self.epochs:,}; the weights of the best are kept"
        return f"at most {self.epochs:,}; {self.patience:,} without a better score end it"

    def __str__(self) -> str:
        """The facts, a line each."""
        return show_rows(self.facts()).removesuffix("\n")
