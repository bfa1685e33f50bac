"""Philox4x32-10: the random numbers of every op."""

from weft.kernels.philox.cpu import philox4x32, philox_fill

__all__ = ["philox4x32", "philox_fill"]
