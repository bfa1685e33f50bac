"""From a graph to what a model learns from: walks."""

from weft.sampling.walks import WalkSampler, random_walks

__all__ = ["WalkSampler", "random_walks"]
