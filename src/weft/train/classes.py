"""What is told of which nodes, and what that looks like: a file of something else comes to light early.

Shapes: N nodes, C classes, K nodes with labels.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from weft.config import show_count
from weft.errors import WeftTypeError, WeftValueError
from weft.train.split import Split
from weft.train.targets import Targets

if TYPE_CHECKING:
    import numpy.typing as npt

    from weft.graph import Labels
    from weft.train.inputs import NodeSet
    from weft.train.settings import Settings

__all__ = ["check_classes", "learned_from", "show_classes"]

_FEW = 20  # nodes that may all be of other classes: karate clubs are trained on two
_UNSEEN = 0.5  # share of the nodes to score that may have a class which nothing is learned of


def learned_from(
    nodes: NodeSet, labels: Labels | npt.ArrayLike | None, split: Split | None, settings: Settings
) -> tuple[Targets, Split]:
    """What a training tells, and of which nodes.

    Args:
        nodes: their labels and their split count where none are given.
        labels: see :class:`weft.train.Training`.
        split: see :class:`weft.train.Training`.
        settings: the seed of a split by chance among them.

    Raises:
        WeftTypeError: the split is none.
        WeftValueError: there are no labels, the split has nodes without, or they are no classes.
    """
    targets = Targets.of_graph(nodes, labels)
    known = targets.known()
    if split is None:
        split = Split.random(known, settings.seed) if nodes.split is None else Split.named(nodes.split)
    if not isinstance(split, Split):
        raise WeftTypeError(
            f"train: split must be a weft.train.Split (got {type(split).__name__}); give "
            "Split(train=, val=, test=) nodes or masks"
        )
    split.check(nodes.num_nodes, known)
    check_classes(targets, split)
    if len(split.val) == 0 and settings.patience is not None:
        warnings.warn(
            f"train: the split has no node to validate on: patience={settings.patience} ends nothing, all "
            f"{settings.epochs:,} epochs are trained and the last weights kept; put some nodes to val, or "
            "give --patience None (patience=None in Python)",
            UserWarning,
            stacklevel=4,
        )
    return targets, split


def show_classes(targets: Targets) -> str:
    """How many classes there are, how large they are, and how many nodes have one.

    ``7 classes of 6.6 to 30.2 % of 2,708 labelled nodes; 12 nodes without``.
    """
    count_C = np.bincount(targets.labels.indices, minlength=len(targets.classes))
    nodes, known = len(targets.labels.indptr) - 1, len(targets.known())
    occur_C = count_C[count_C > 0]
    text = f"{len(occur_C):,} class{'es' if len(occur_C) != 1 else ''}"
    if len(occur_C) < len(count_C):
        text += f" ({len(count_C):,} by number)"
    if known:
        low, high = 100 * occur_C.min() / known, 100 * occur_C.max() / known
        text += f" of {low:.3g} to {high:.3g} % of {show_count(known, 'labelled node')}"
    several = ", some with several" if targets.several else ""
    return f"{text}{several}; {show_count(nodes - known, 'node')} without"


def check_classes(targets: Targets, split: Split) -> None:
    """Refuse labels that no two nodes share, and warn of those that training hardly meets.

    Raises:
        WeftValueError: each node has a label of its own, as ids have.
    """
    labels, known = targets.labels, targets.known()
    count_C = np.bincount(labels.indices, minlength=len(targets.classes))
    if len(known) > _FEW and int(count_C.max()) == 1:
        some = ", ".join(repr(targets.classes[code]) for code in labels.indices[:3].tolist())
        raise WeftValueError(
            f"train: no two of the {len(known):,} labelled nodes have the same label ({some} …), as if they "
            "were ids; give the file, or the column, of the classes (--label-columns ID LABEL)"
        )
    learned_C = np.zeros(len(count_C), bool)
    learned_C[labels.take(split.train).indices] = True
    scored = np.concatenate([split.val, split.test])
    owner, code = labels.take(scored).pairs()
    lost = len(scored) - len(np.unique(owner[learned_C[code]]))
    if lost > _UNSEEN * len(scored):
        warnings.warn(
            f"train: {lost:,} of the {len(scored):,} nodes to validate and test have a class that no node to "
            "train on has: no model can tell it; look whether these are the labels, and at the split",
            UserWarning,
            stacklevel=2,
        )
