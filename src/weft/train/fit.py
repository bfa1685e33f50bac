"""A training, begun and ended, of either kind of graph."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from weft.config import check_names
from weft.graph import HeteroGraph
from weft.train.settings import Settings
from weft.train.training import Training
from weft.train.typed import TypedTraining

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    import numpy.typing as npt

    from weft.features import FeatureTable
    from weft.graph import Graph, Labels
    from weft.progress import Shown
    from weft.train.fitting import Fitting
    from weft.train.inputs import OnNan
    from weft.train.split import Split
    from weft.train.store import Trained

    Given = str | os.PathLike[str] | npt.ArrayLike | FeatureTable

__all__ = ["fit", "prepare"]


def prepare(
    graph: Graph | HeteroGraph,
    features: Given | Mapping[str, Given] | None = None,
    labels: Labels | npt.ArrayLike | None = None,
    *,
    settings: Settings,
    split: Split | None = None,
    memory: int | str = "2GiB",
    on_nan: OnNan = "fail",
) -> Fitting:
    """A :class:`Training`, or of a graph of several types a :class:`TypedTraining`; see these."""
    given: dict[str, Any] = {"settings": settings, "split": split, "memory": memory, "on_nan": on_nan}
    rows: Any = features
    if isinstance(graph, HeteroGraph):
        return TypedTraining(graph, rows, labels, **given)
    return Training(graph, rows, labels, **given)


def fit(
    graph: Graph | HeteroGraph,
    features: Given | Mapping[str, Given] | None = None,
    labels: Labels | npt.ArrayLike | None = None,
    *,
    split: Split | None = None,
    memory: int | str = "2GiB",
    on_nan: OnNan = "fail",
    checkpoint: str | os.PathLike[str] | None = None,
    every_minutes: float = 10.0,
    every_epochs: int | None = None,
    resume: bool = False,
    tensorboard: str | os.PathLike[str] | None = None,
    progress: Shown = False,
    **settings: Any,  # noqa: ANN401 - those of Settings
) -> Trained:
    """Train a model: a :class:`Training`, or of several types a :class:`TypedTraining`, begun and ended.

    Args:
        graph: see :class:`Training`.
        features: see :class:`Training`; of a graph of several types, by type.
        labels: see :class:`Training`.
        split: see :class:`Training`.
        memory: see :class:`Training`.
        on_nan: see :class:`Training`.
        checkpoint: see :meth:`Training.fit`.
        every_minutes: see :meth:`Training.fit`.
        every_epochs: see :meth:`Training.fit`.
        resume: see :meth:`Training.fit`.
        tensorboard: see :meth:`Training.fit`.
        progress: see :meth:`Training.fit`.
        settings: attributes of :class:`Settings`.
    """
    check_names("fit", settings, (field.name for field in dataclasses.fields(Settings)))
    if isinstance(graph, HeteroGraph):
        settings = {"model": "rgcn", **settings}
    made = Settings(**settings)
    with prepare(
        graph, features, labels, settings=made, split=split, memory=memory, on_nan=on_nan
    ) as training:
        return training.fit(
            checkpoint=checkpoint,
            every_minutes=every_minutes,
            every_epochs=every_epochs,
            resume=resume,
            tensorboard=tensorboard,
            progress=progress,
        )
