"""From seeds to the batches of PyG, several ahead. The first room that needs torch."""

import weft.loader.extra  # noqa: F401 refuses first, with what to install
from weft.loader.links import LinkNeighborLoader
from weft.loader.nodes import NeighborLoader
from weft.loader.pyg import as_feature_store, as_graph_store

__all__ = ["LinkNeighborLoader", "NeighborLoader", "as_feature_store", "as_graph_store"]
