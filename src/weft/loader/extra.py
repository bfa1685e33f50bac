"""torch and PyG, or an error that says how to get them: modules of this room import this one first."""

from __future__ import annotations

from weft.errors import MissingExtraError

try:
    import torch
    import torch_geometric
except ImportError as error:
    raise MissingExtraError("training", f"{error.name or 'torch'}", "gnn") from error

__all__ = ["torch", "torch_geometric"]
