"""Sampled rows of the matrix that DeepWalk factors."""

from weft.kernels.paths.cpu import path_counts, path_room, path_rows
from weft.kernels.paths.form import UNIT, PathGraph, PathSampling

__all__ = ["UNIT", "PathGraph", "PathSampling", "path_counts", "path_room", "path_rows"]
