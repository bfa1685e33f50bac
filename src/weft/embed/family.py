"""What a family of methods does for the estimator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    import os

    from weft.embed.estimate import Estimate
    from weft.embed.estimator import Estimator
    from weft.embed.factor.plan import FactorPlan
    from weft.embed.learn import Keeping, Learned
    from weft.embed.plan import Plan
    from weft.embed.warm import WarmStart
    from weft.graph import Graph

__all__ = ["AnyPlan", "Family", "deciding"]

AnyPlan: TypeAlias = "Plan | FactorPlan"

_CHOSEN = ("window", "samples", "parts")
_ASIDE = ("memory", "scratch", "progress", "tensorboard", "on_progress")


class Family(Protocol):
    """Methods that are planned, judged and run in the same way, with the parameters of one estimator.

    The parameters are sound, and the graph has edges.
    """

    def keeping(
        self, checkpoint: str | os.PathLike[str] | None, every_minutes: float, resume: bool
    ) -> Keeping | None:
        """Where and how often the state is saved, and whether to go on from it; None: it is not.

        Raises:
            WeftValueError: this cannot be, or there is a checkpoint and it would be lost.
        """
        ...

    def plan(self, graph: Graph) -> AnyPlan:
        """Sizes of the run.

        Raises:
            WeftValueError: the graph is not for this method.
            BudgetError: the run does not fit into ``memory``.
            StorageError: ``scratch`` lacks the room for what does not.
        """
        ...

    def check_plan(self, graph: Graph, plan: AnyPlan) -> None:
        """Refuse a plan of another method, of another graph or of other parameters.

        Raises:
            WeftValueError: it is; the message names what differs.
        """
        ...

    def estimate(self, graph: Graph, plan: AnyPlan) -> Estimate:
        """How long the run will take.

        Raises:
            StorageError: ``scratch`` cannot be written to.
        """
        ...

    def check_further(self) -> None:
        """Refuse to go on from what the estimator has learned.

        Raises:
            WeftValueError: the method does not go on from vectors, or from these.
        """
        ...

    def learn(self, graph: Graph, plan: AnyPlan, keeping: Keeping | None, start: WarmStart | None) -> Learned:
        """The run.

        Args:
            graph: to learn from.
            plan: of this graph.
            keeping: of checkpoints; None: none.
            start: the vectors to begin with; None: the method's own.

        Raises:
            WeftError: as :meth:`weft.embed.NodeEmbedding.fit` says.
        """
        ...


def deciding(model: Estimator) -> dict[str, Any]:
    """The parameters that decide the result, with ``"auto"`` for None where that means the same."""
    params = {name: value for name, value in model.get_params().items() if name not in _ASIDE}
    return params | {name: "auto" for name in _CHOSEN if params[name] is None}
