"""The methods there are, and which parameters each of them knows.

The estimator, the options of ``weft embed``, their help and what is saved beside vectors all go by this
table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from weft.errors import WeftValueError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FACTOR", "NAMES", "SKIP_GRAM", "Method", "check_own", "methods_of", "own"]

Method: TypeAlias = Literal["deepwalk", "node2vec", "line", "prone", "lightne"]

NAMES: dict[Method, str] = {
    "deepwalk": "DeepWalk",
    "node2vec": "node2vec",
    "line": "LINE",
    "prone": "ProNE",
    "lightne": "LightNE",
}
"""Every method, and what its authors call it."""

SKIP_GRAM: tuple[Method, ...] = ("deepwalk", "node2vec", "line")
FACTOR: tuple[Method, ...] = ("prone", "lightne")

_OWN: dict[str, tuple[Method, ...]] = {
    "walk_length": ("deepwalk", "node2vec"),
    "window": ("deepwalk", "node2vec", "lightne"),
    "p": ("node2vec",),
    "q": ("node2vec",),
    "order": ("line",),
    "samples": ("lightne",),
    "propagate": FACTOR,
    **dict.fromkeys(
        (
            *("epochs", "num_negatives", "negative_weight", "learning_rate", "weight_decay"),
            *("patience", "validation", "parts", "scratch", "tensorboard"),
            *("checkpoint", "checkpoint_minutes", "resume"),
        ),
        SKIP_GRAM,
    ),
}


def methods_of(parameter: str) -> tuple[Method, ...]:
    """The methods that know a parameter: all of them, unless the table has it."""
    return _OWN.get(parameter, tuple(NAMES))


def own(method: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Those of ``params`` that a method knows."""
    return {name: value for name, value in params.items() if method in methods_of(name)}


def check_own(method: str, given: Mapping[str, Any]) -> None:
    """Refuse parameters that a method would ignore.

    Args:
        method: one of :data:`NAMES`.
        given: parameter and how the user wrote it, such as ``--walk-length``.

    Raises:
        WeftValueError: one is not the method's; the message names those that know it.
    """
    for name, written in given.items():
        if method not in (methods := methods_of(name)):
            knows = " and ".join(filter(None, (", ".join(methods[:-1]), methods[-1])))
            raise WeftValueError(
                f"{written} does nothing with {method}, only with {knows}; leave it out, or choose another "
                "method"
            )
