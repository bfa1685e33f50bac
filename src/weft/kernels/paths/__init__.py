"""Sampled rows of the matrix that DeepWalk factors."""

from weft.kernels.paths.cpu import TASK_WORK, path_counts, path_room, path_rows, path_scratch
from weft.kernels.paths.form import UNIT, PathGraph, PathSampling

__all__ = [
    "TASK_WORK",
    "UNIT",
    "PathGraph",
    "PathSampling",
    "path_counts",
    "path_room",
    "path_rows",
    "path_scratch",
]
