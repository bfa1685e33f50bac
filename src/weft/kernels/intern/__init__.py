"""Strings to dense numbers, in order of first appearance."""

from weft.kernels.intern.cpu import Interner

__all__ = ["Interner"]
