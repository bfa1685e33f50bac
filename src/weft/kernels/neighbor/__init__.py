"""Neighbours sampled hop by hop, on one or many relations."""

from weft.kernels.neighbor.cpu import neighbor
from weft.kernels.neighbor.form import Neighborhood, Relation

__all__ = ["Neighborhood", "Relation", "neighbor"]
