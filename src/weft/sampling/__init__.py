"""From a graph to what a model learns from: walks, and neighbours."""

from weft.sampling.hetero import HeteroNeighborSampler, HeteroSampled
from weft.sampling.hotness import reverse_pagerank, sampled_counts
from weft.sampling.negatives import NegativeSampler
from weft.sampling.neighbors import NeighborSampler, Sampled
from weft.sampling.temporal import TemporalHop, TemporalNeighborSampler, TemporalSampled
from weft.sampling.walks import WalkSampler, random_walks

__all__ = [
    "HeteroNeighborSampler",
    "HeteroSampled",
    "NegativeSampler",
    "NeighborSampler",
    "Sampled",
    "TemporalHop",
    "TemporalNeighborSampler",
    "TemporalSampled",
    "WalkSampler",
    "random_walks",
    "reverse_pagerank",
    "sampled_counts",
]
