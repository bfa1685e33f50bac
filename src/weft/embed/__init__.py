"""Vectors for nodes: the estimator, its plan, and embeddings on disk.

Names are loaded when first used: the command line shows its options without NumPy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from weft.embed.estimate import Estimate as Estimate
    from weft.embed.factor import FactorPlan as FactorPlan
    from weft.embed.node_embedding import NodeEmbedding as NodeEmbedding
    from weft.embed.plan import Plan as Plan
    from weft.embed.store import Embedding as Embedding

_ROOMS = {
    "Embedding": "store",
    "Estimate": "estimate",
    "FactorPlan": "factor",
    "NodeEmbedding": "node_embedding",
    "Plan": "plan",
}

__all__ = ["Embedding", "Estimate", "FactorPlan", "NodeEmbedding", "Plan"]


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module 'weft.embed' has no attribute {name!r}")
    return getattr(importlib.import_module(f"weft.embed.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
