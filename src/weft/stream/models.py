"""What a run keeps current: the protocol, and models by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from weft.errors import WeftTypeError, WeftValueError
from weft.eval import CountRecency, EdgeBank
from weft.stream.logistic import NeighborLogistic

if TYPE_CHECKING:
    from weft.graph import TemporalGraph

__all__ = ["MODELS", "Make", "Model", "can", "maker"]

I64 = npt.NDArray[np.int64]


class Model(Protocol):
    """A model of events.

    It may also have ``learn(source, target, time, negative) -> loss``, a step of its optimiser from arrays
    ``[B]``; ``reset()``, which forgets what was observed, not what was learned; ``forget(source, target)``
    for pairs of which no event is left; ``expire(before)``; and ``embed(nodes, time)``, vectors ``[K, D]``.
    """

    def score(self, source: I64, target: I64, time: I64) -> npt.NDArray[np.floating]:
        """A number of each pair ``[K]``, higher where an event is likelier; changes nothing."""
        ...

    def observe(self, source: I64, target: I64, time: I64, eid: I64) -> None:
        """Take in events ``[B]`` that were scored and learned from, in the order of time."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """All that it takes to go on bit for bit, but the graph."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave."""
        ...


Make = Callable[["TemporalGraph"], Any]
"""Makes a model of the graph that a run keeps; the same one whenever it is called."""


def _tgn(graph: TemporalGraph) -> Any:  # noqa: ANN401
    from weft.stream.tgn import LiveTGN

    return LiveTGN(graph)


MODELS: dict[str, Make] = {
    "edgebank": lambda graph: EdgeBank(),
    "heuristic": lambda graph: CountRecency(),
    "logistic": NeighborLogistic,
    "tgn": _tgn,
}
"""Models by name."""


def can(model: object, what: str) -> bool:
    """Whether a model has a method that it need not have."""
    return callable(getattr(model, what, None))


def maker(model: str | Make) -> tuple[str, Make]:
    """A model's name, and what makes it.

    Raises:
        WeftValueError: there is no model of that name.
        WeftTypeError: it is neither a name nor a function.
    """
    if isinstance(model, str):
        if model not in MODELS:
            raise WeftValueError(f"model must be one of {', '.join(MODELS)}, or a function (got {model!r})")
        return model, MODELS[model]
    if not callable(model):
        raise WeftTypeError(f"model must be a name, or a function of the graph (got {type(model).__name__})")
    return getattr(model, "__qualname__", type(model).__qualname__), cast("Make", model)
