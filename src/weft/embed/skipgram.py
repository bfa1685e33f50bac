"""Methods that train skip-gram with negative sampling: how each walks, and what it trains by."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from weft.checks import given
from weft.config import parse_bytes
from weft.embed.counts import count_edges
from weft.embed.curves import Curves
from weft.embed.estimate import Estimate, estimate
from weft.embed.family import deciding
from weft.embed.learn import Keeping, Learned, Scoring, Show, learn
from weft.embed.outcome import warn_untrained
from weft.embed.plan import Plan, auto_window, make_plan, row_width
from weft.embed.progress import Progress
from weft.embed.room import check_room
from weft.embed.rounds import epochs_at_most, round_ends
from weft.embed.run import Settings
from weft.errors import WeftValueError
from weft.graph._plan import resident
from weft.sampling.walks import second_order_bytes

if TYPE_CHECKING:
    import os

    from weft.embed.family import AnyPlan
    from weft.embed.node_embedding import NodeEmbedding
    from weft.embed.warm import WarmStart
    from weft.graph import Graph

__all__ = ["SkipGram"]


class SkipGram:
    """A :class:`~weft.embed.family.Family`: pairs are drawn from walks, and two tables trained on them.

    Its methods differ in the walks (:meth:`_length`, :meth:`_window`, and :meth:`_bias` of their steps) and
    in the objective (:meth:`_settings`).

    Args:
        model: whose parameters count.
    """

    def __init__(self, model: NodeEmbedding) -> None:
        self.model = model

    def keeping(
        self, checkpoint: str | os.PathLike[str] | None, every_minutes: float, resume: bool
    ) -> Keeping | None:
        """As in :class:`~weft.embed.family.Family`."""
        return Keeping.of(checkpoint, every_minutes, resume)

    def plan(self, graph: Graph) -> Plan:
        """As in :class:`~weft.embed.family.Family`."""
        model, scoring = self.model, self._scoring()
        plan = make_plan(
            graph,
            **self._sizes(graph),
            dim=int(model.dim),
            parts=given("parts", model.parts),
            memory=None if model.memory is None else parse_bytes(model.memory),
            base=None if scoring is None else resident() + scoring.bytes(graph, int(model.dim)),
            walker=0 if self._bias() == (1, 1) else second_order_bytes(graph),
        )
        self._room(plan)
        return plan

    def _sizes(self, graph: Graph) -> dict[str, int]:
        """Those of the plan's sizes that the parameters decide."""
        edges = count_edges(graph)
        graph.drop_pages()  # counting its edges read it
        length = self._length()
        return {
            "pairs": max(1, round(epochs_at_most(self.model.epochs) * edges)),
            "length": length,
            "window": min(self._window(graph.num_nodes, edges), length),
            "tables": {1: 1, 2: 2, "both": 3}[self._order()],
        }

    def check_plan(self, graph: Graph, plan: AnyPlan) -> None:
        """As in :class:`~weft.embed.family.Family`."""
        plan, sizes = self._own(plan), self._sizes(graph)
        parts = given("parts", self.model.parts)
        sizes |= {"nodes": graph.num_nodes, "width": row_width(int(self.model.dim), sizes["tables"])}
        sizes |= {} if parts is None else {"parts": int(parts)}
        there = {name: getattr(plan, name) for name in sizes}
        differ = [
            f"{name} {there[name]:,} (now {sizes[name]:,})" for name in sizes if there[name] != sizes[name]
        ]
        if differ:
            raise WeftValueError(
                f"fit: the plan is of another graph or of other parameters: {', '.join(differ)}; give what "
                "plan(graph) says now, or none"
            )

    def estimate(self, graph: Graph, plan: AnyPlan) -> Estimate:
        """As in :class:`~weft.embed.family.Family`."""
        plan = self._own(plan)
        return estimate(graph, plan, self._settings(plan), self._room(plan))

    def check_further(self) -> None:
        """As in :class:`~weft.embed.family.Family`."""
        if getattr(self.model, "context_", self) is None:
            raise WeftValueError(
                f"partial_fit: {self.model.method} goes on from vectors and context vectors; the latter are "
                "missing, use fit"
            )

    def learn(self, graph: Graph, plan: AnyPlan, keeping: Keeping | None, start: WarmStart | None) -> Learned:
        """As in :class:`~weft.embed.family.Family`."""
        model, plan = self.model, self._own(plan)
        params = deciding(model)
        if start is not None and keeping is not None:
            params |= {"vectors to begin with": start.digest()}
        shown: list[Show] = [functools.partial(Progress, bar=model.progress, hook=model.on_progress)]
        if model.tensorboard is not None:
            shown.append(functools.partial(Curves, folder=model.tensorboard))
        settings = self._settings(plan)
        learned = learn(
            graph,
            plan,
            settings,
            params=params,
            scoring=self._scoring(),
            keeping=keeping,
            scratch=self._room(plan),
            shown=shown,
            start=start,
        )
        warn_untrained(learned.history, settings, model.epochs, stacklevel=4)  # at the call of fit
        return learned

    def _own(self, plan: AnyPlan) -> Plan:
        """The plan, if it is one of these methods."""
        if not isinstance(plan, Plan):
            raise WeftValueError(
                f"fit: the plan is of another method than {self.model.method}; take that of plan(graph)"
            )
        return plan

    def _length(self) -> int:
        """Steps of a walk: LINE's pairs are edges."""
        return 1 if self.model.method == "line" else int(self.model.walk_length)

    def _window(self, nodes: int, edges: int) -> int:
        """Steps between the nodes of a pair, at most."""
        window = given("window", self.model.window)
        return auto_window(nodes, edges) if window is None else int(window)

    def _bias(self) -> tuple[float, float]:
        """node2vec's p and q; those of first-order walks are 1."""
        return (float(self.model.p), float(self.model.q)) if self.model.method == "node2vec" else (1.0, 1.0)

    def _order(self) -> Literal[1, 2, "both"]:
        """Of the proximity that the vectors keep: walks speak of the second alone."""
        return self.model.order if self.model.method == "line" else 2

    def _settings(self, plan: Plan) -> Settings:
        """The objective, and what else a run takes as it is."""
        model, (p, q) = self.model, self._bias()
        return Settings(
            dim=int(model.dim),
            num_negatives=int(model.num_negatives),
            negative_weight=float(model.negative_weight),
            learning_rate=float(model.learning_rate),
            weight_decay=float(model.weight_decay),
            seed=int(model.seed),
            rounds=round_ends(model.epochs, plan.pairs),
            order=self._order(),
            p=p,
            q=q,
        )

    def _scoring(self) -> Scoring | None:
        """On hidden edges, if that is asked for."""
        patience = self.model.patience
        if patience is None and self.model.epochs != "auto":
            return None
        return Scoring(float(self.model.validation), 1 if patience is None else int(patience))

    def _room(self, plan: Plan) -> Path | None:
        """Where the plan keeps what does not fit into memory, if anything; there must be room."""
        if plan.disk == 0:
            return None
        folder = Path(tempfile.gettempdir() if self.model.scratch is None else self.model.scratch)
        check_room(folder, plan.disk)
        return folder
