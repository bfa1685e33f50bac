"""Weakly connected components."""

from weft.kernels.components.cpu import connected_components

__all__ = ["connected_components"]
