"""Alias tables: draws from weighted rows in constant time."""

from weft.kernels.alias.cpu import alias_tables

__all__ = ["alias_tables"]
