"""Tables and pairs that do not fit into memory: what is where, and when it moves."""

from weft.embed.swap.schedule import Grid, Step

__all__ = ["Grid", "Step"]
