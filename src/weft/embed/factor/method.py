"""Methods that factor a matrix made from the graph."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Self

import numpy as np

from weft.checks import check_int, given
from weft.config import parse_bytes
from weft.embed.counts import count_edges
from weft.embed.factor.estimate import factor_estimate
from weft.embed.factor.plan import FactorPlan, Request, vector_width
from weft.embed.factor.run import factor_plan, factorise
from weft.embed.learn import Learned
from weft.embed.plan import auto_window
from weft.errors import WeftValueError
from weft.progress import bar

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from weft.embed.estimate import Estimate
    from weft.embed.family import AnyPlan
    from weft.embed.learn import Keeping
    from weft.embed.node_embedding import NodeEmbedding
    from weft.embed.warm import WarmStart
    from weft.graph import Graph
    from weft.progress import Shown

__all__ = ["Factor"]

_MOST_STEPS = 1 << 20


class Factor:
    """A :class:`~weft.embed.family.Family`: a sparse matrix, its SVD, a filter of the graph's Laplacian.

    Args:
        model: whose parameters count.
    """

    def __init__(self, model: NodeEmbedding) -> None:
        self.model = model

    def keeping(
        self, checkpoint: str | os.PathLike[str] | None, every_minutes: float, resume: bool
    ) -> Keeping | None:
        """None: as in :class:`~weft.embed.family.Family`."""
        if checkpoint is not None or resume:
            raise WeftValueError(
                f"fit: {self.model.method} keeps no checkpoint to go on from, for it is short and gives the "
                "same again; leave checkpoint and resume out"
            )
        return None

    def plan(self, graph: Graph) -> FactorPlan:
        """As in :class:`~weft.embed.family.Family`."""
        return factor_plan(graph, self._request(self._window(graph)))

    def check_plan(self, graph: Graph, plan: AnyPlan) -> None:
        """As in :class:`~weft.embed.family.Family`."""
        own, model = self._own(graph, plan), self.model
        sampled, samples = model.method == "lightne", given("samples", model.samples)
        if (
            (own.samples > 0, own.strip > 0) != (sampled, bool(model.propagate))
            or own.window != (self._window(graph) if sampled else 1)
            or samples not in (None, own.samples)
        ):
            raise WeftValueError(
                f"fit: the plan is of other parameters than method={model.method!r}, "
                f"window={model.window!r}, samples={model.samples!r}, propagate={model.propagate!r}; take "
                "that of plan(graph)"
            )

    def estimate(self, graph: Graph, plan: AnyPlan) -> Estimate:
        """As in :class:`~weft.embed.family.Family`."""
        own = self._own(graph, plan)
        return factor_estimate(graph, self._request(own.window), own)

    def check_further(self) -> None:
        """As in :class:`~weft.embed.family.Family`."""
        raise WeftValueError(
            f"partial_fit: {self.model.method} computes its vectors whole and cannot go on from others; use "
            "fit (weft embed). Its axes are others each time, so what reads the vectors must be trained anew"
        )

    def learn(self, graph: Graph, plan: AnyPlan, keeping: Keeping | None, start: WarmStart | None) -> Learned:
        """As in :class:`~weft.embed.family.Family`."""
        own = self._own(graph, plan)
        with _Bar(shown=self.model.progress, hook=self.model.on_progress) as steps:
            vectors = factorise(graph, self._request(own.window), own, steps.step)
        return Learned(vectors, None, np.zeros((0, 2)), np.zeros((0, 3)))

    def _window(self, graph: Graph) -> int:
        """Steps of a walk."""
        if (window := given("window", self.model.window)) is not None:
            return check_int("window", window, 1, _MOST_STEPS)
        return auto_window(graph.num_nodes, count_edges(graph))

    def _request(self, window: int) -> Request:
        model = self.model
        assert model.method in ("prone", "lightne")
        samples = given("samples", model.samples)
        return Request(
            method=model.method,
            dim=int(model.dim),
            window=window,
            samples=None if samples is None else float(samples),
            propagate=bool(model.propagate),
            seed=int(model.seed),
            memory=None if model.memory is None else parse_bytes(model.memory),
        )

    def _own(self, graph: Graph, plan: AnyPlan) -> FactorPlan:
        """The plan, if it is one of this method, this graph and this ``dim``."""
        if (
            not isinstance(plan, FactorPlan)
            or (plan.nodes, plan.edges) != (graph.num_nodes, graph.num_edges)
            or plan.width != vector_width(int(self.model.dim), graph.num_nodes)
        ):
            raise WeftValueError(
                f"fit: the plan is of another method, graph or dim than {self.model.method} on "
                f"{graph.num_nodes:,} nodes with {graph.num_edges:,} stored edges at dim={self.model.dim}; "
                "take that of plan(graph)"
            )
        return plan


class _Bar:
    """Shows how many steps are done, and hands them on."""

    def __init__(self, *, shown: Shown, hook: Callable[[int, int, float], None] | None) -> None:
        self._hook = hook
        self._bar = bar(shown, desc="embed", unit=" steps")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.close()

    def step(self, done: int, total: int) -> None:
        """After a step."""
        self._bar.total = total
        self._bar.update()
        if self._hook is not None:
            self._hook(done, total, math.nan)
