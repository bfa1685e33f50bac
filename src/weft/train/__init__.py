"""Training graph neural networks on features larger than memory."""

import weft.loader.extra  # noqa: F401 - first: says how to get torch and PyG
from weft.train.fit import fit
from weft.train.plan import Plan
from weft.train.predict import Predictions, predict
from weft.train.settings import Settings
from weft.train.split import Split
from weft.train.store import Trained, Types
from weft.train.targets import Targets
from weft.train.temporal import TemporalEpoch, fit_events
from weft.train.training import Training
from weft.train.typed import TypedTraining

__all__ = [
    "Plan",
    "Predictions",
    "Settings",
    "Split",
    "Targets",
    "TemporalEpoch",
    "Trained",
    "Training",
    "TypedTraining",
    "Types",
    "fit",
    "fit_events",
    "predict",
]
