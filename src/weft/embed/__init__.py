"""Vectors for nodes: the estimator, its plan, and embeddings on disk."""

from weft.embed.estimate import Estimate
from weft.embed.factor import FactorPlan
from weft.embed.node_embedding import NodeEmbedding
from weft.embed.plan import Plan
from weft.embed.store import Embedding

__all__ = ["Embedding", "Estimate", "FactorPlan", "NodeEmbedding", "Plan"]
