"""Which nodes are learned from, which say when to stop, and which say what it was worth.

Shapes: N nodes, K nodes that can be split.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from weft.checks import check_int, check_real
from weft.errors import WeftTypeError, WeftValueError
from weft.kernels.philox import philox_fill
from weft.rng import Op, key

if TYPE_CHECKING:
    from weft.graph import Labels

__all__ = ["Split"]

I64 = npt.NDArray[np.int64]

_NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
}
_PARTS = ("train", "val", "test")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Split:
    """Three sets of nodes without a node in common.

    Each is given as numbers of nodes, or as a mask ``[N]``.

    Attributes:
        train: int64, rising: learned from.
        val: int64, rising: scored after each epoch.
        test: int64, rising: scored at the end.
    """

    train: I64
    val: I64
    test: I64

    def __post_init__(self) -> None:
        """Check.

        Raises:
            WeftTypeError: a set is no array of nodes.
            WeftValueError: there is nothing to learn from, or a node is in two sets.
        """
        for part in _PARTS:
            object.__setattr__(self, part, _nodes(part, getattr(self, part)))
        if len(self.train) == 0:
            raise WeftValueError("train: the split has no node to train on")
        everyone = np.concatenate([self.train, self.val, self.test])
        unique, count = np.unique(everyone, return_counts=True)
        if (count > 1).any():
            raise WeftValueError(
                f"train: the split has node {int(unique[count > 1][0])} in two of {', '.join(_PARTS)}"
            )

    @classmethod
    def random(cls, nodes_K: I64, seed: int = 0, shares: Sequence[float] = (0.6, 0.2, 0.2)) -> Split:
        """Deal nodes out by chance: each node has a number by (seed, node) alone, and the lowest train.

        Args:
            nodes_K: int64 ``[K]``.
            seed: of the choice.
            shares: of train, val and test, together at most 1.

        Raises:
            WeftValueError: shares are none, or leave no node to train on.
        """
        nodes_K, seed = _nodes("nodes", nodes_K), check_int("train: seed", seed, 0, (1 << 64) - 1)
        several = isinstance(shares, Sequence) and not isinstance(shares, str) and len(shares) == 3
        if not several or not all(0 <= check_real("train: a share", share, least=0) <= 1 for share in shares):
            raise WeftValueError(f"train: shares must be three numbers, at most 1 together (got {shares!r})")
        if sum(shares) > 1 + 1e-9:
            raise WeftValueError(f"train: shares must be three numbers, at most 1 together (got {shares})")
        word_K4 = philox_fill(int(nodes_K.max(initial=-1)) + 1, key(seed, Op.SPLIT), lane=3)[nodes_K]
        number_K = word_K4[:, 0].astype(np.uint64) << np.uint64(32) | word_K4[:, 1]
        dealt = nodes_K[np.argsort(number_K, kind="stable")]
        first, second, third = (round(sum(shares[: i + 1]) * len(dealt)) for i in range(3))
        return cls(train=dealt[:first], val=dealt[first:second], test=dealt[second:third])

    @classmethod
    def named(cls, labels: Labels) -> Split:
        """From the name of each node's set, read as labels are: train, val or valid, test; others have none.

        Raises:
            WeftValueError: a name is none of these, or no node is to train on.
        """
        known = {i: _NAMES.get(name.strip().lower()) for i, name in enumerate(labels.names)}
        if unknown := [labels.names[i] for i, part in known.items() if part is None]:
            raise WeftValueError(
                f"train: the split names {unknown[0]!r}; its names are train, val (or valid) and test"
            )
        node, code = labels.pairs()
        return cls(
            **{part: node[np.isin(code, [i for i, name in known.items() if name == part])] for part in _PARTS}
        )

    def check(self, num_nodes: int, known: I64) -> None:
        """Refuse nodes there are not, or that have no label.

        Args:
            num_nodes: N.
            known: int64, rising: the nodes with labels.

        Raises:
            WeftValueError: there is one.
        """
        for part in _PARTS:
            nodes = getattr(self, part)
            if len(nodes) and not (nodes[0] >= 0 and nodes[-1] < num_nodes):
                raise WeftValueError(
                    f"train: the split's {part} names node {int(nodes[-1])}, there are {num_nodes:,} nodes"
                )
            without = nodes[~np.isin(nodes, known)]
            if len(without):
                raise WeftValueError(
                    f"train: {len(without):,} of the {len(nodes):,} nodes of the split's {part} have no "
                    f"label, the first is node {int(without[0])}; give their labels, or leave "
                    "them out of the split"
                )

    def digest(self) -> str:
        """What tells this split from others."""
        digest = hashlib.sha256()
        for part in _PARTS:
            digest.update(part.encode() + getattr(self, part).tobytes())
        return digest.hexdigest()


def _nodes(part: str, given: object) -> I64:
    """Nodes of a set, each once, rising.

    Raises:
        WeftTypeError: they are no integers, nor a mask.
        WeftValueError: one is negative.
    """
    try:
        array = np.asarray(given.detach().cpu() if hasattr(given, "detach") else given)  # pyrefly: ignore
    except (TypeError, ValueError):
        array = np.empty(0, object)
    if array.ndim == 1 and array.dtype == bool:
        return np.flatnonzero(array)
    if array.ndim != 1 or (array.dtype.kind not in "iu" and (array.size or array.dtype == object)):
        raise WeftTypeError(f"train: {part} must be numbers of nodes, or a mask (got {given!r})")
    if array.size and int(array.min()) < 0:
        raise WeftValueError(f"train: {part} names node {int(array.min())}; nodes are numbered from 0")
    return np.unique(array.astype(np.int64))
