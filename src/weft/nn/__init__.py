"""Models: PyG's own, made with the field's defaults, and what lets them take sampled batches."""

import weft.loader.extra  # noqa: F401 - first: says how to get torch and PyG
from weft.nn.batched import Batched
from weft.nn.gcn import GcnNorm
from weft.nn.models import DEGREES, MODELS, Degrees, ModelName, model
from weft.nn.rgcn import RGCN, rgcn
from weft.nn.typed import TypedBatched, TypedModel

__all__ = [
    "DEGREES",
    "MODELS",
    "RGCN",
    "Batched",
    "Degrees",
    "GcnNorm",
    "ModelName",
    "TypedBatched",
    "TypedModel",
    "model",
    "rgcn",
]
