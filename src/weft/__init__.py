"""weft: representations of graphs that are larger than the GPU and never stop changing.

Names are loaded when first used, so that ``import weft`` costs milliseconds and never imports torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from weft.embed import Embedding as Embedding
    from weft.embed import NodeEmbedding as NodeEmbedding
    from weft.graph import Graph as Graph
    from weft.graph import HeteroGraph as HeteroGraph
    from weft.graph.ingest import ingest as ingest
    from weft.kernels.threads import num_threads as num_threads
    from weft.kernels.threads import set_num_threads as set_num_threads

__version__ = "0.1.0"

_ROOMS = {
    "Embedding": "weft.embed",
    "Graph": "weft.graph",
    "HeteroGraph": "weft.graph",
    "NodeEmbedding": "weft.embed",
    "ingest": "weft.graph.ingest",
    "num_threads": "weft.kernels.threads",
    "set_num_threads": "weft.kernels.threads",
}

__all__ = [
    "Embedding",
    "Graph",
    "HeteroGraph",
    "NodeEmbedding",
    "__version__",
    "ingest",
    "num_threads",
    "set_num_threads",
]


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module 'weft' has no attribute {name!r}")
    return getattr(importlib.import_module(_ROOMS[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
