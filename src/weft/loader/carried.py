"""Arguments that code for PyG's loaders brings along, and what weft does instead.

The names are those of torch_geometric.loader.NeighborLoader and LinkNeighborLoader (2.8), and of
torch.utils.data.DataLoader, which these hand the rest to.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from weft.config import check_names
from weft.errors import WeftTypeError
from weft.graph import Graph, HeteroGraph

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["check_arguments"]

_WORKERS = "there are no worker processes: threads of the loader read ahead"
_TIME = "weft does not sample by time yet"
_ORDER = "choose seeds by input_nodes (edges by edge_label_index), and their order by shuffle and seed"
_LOOP = "call it on each batch in the loop"
_COPY = "copy a batch in the loop with batch.to(device)"

_INSTEAD = {
    "data": "give graph= (weft.Graph.open, or weft.ingest of PyG's data) and features= in its place",
    "num_workers": f"{_WORKERS} (prefetch= says how many batches); drop it",
    "persistent_workers": f"{_WORKERS}; drop it",
    "prefetch_factor": "say how many batches to make ahead by prefetch=",
    "worker_init_fn": f"{_WORKERS}; drop it",
    "multiprocessing_context": f"{_WORKERS}; drop it",
    "filter_per_worker": f"{_WORKERS}; drop it",
    "timeout": f"{_WORKERS}; drop it",
    "in_order": "batches always come in order; drop it",
    "pin_memory": f"batches lie in ordinary memory; drop it, and {_COPY}",
    "pin_memory_device": f"batches lie in ordinary memory; drop it, and {_COPY}",
    "subgraph_type": "batches hold the edges that were drawn, as 'directional' has them; drop it",
    "directed": "batches hold the edges that were drawn, as directed=True has them; drop it",
    "weight_attr": "a graph with weights is drawn from by weight (weighted=); drop it",
    "transform": _LOOP,
    "transform_sampler_output": "the sampler's output is the batch; change that in the loop",
    "collate_fn": _LOOP,
    "custom_cls": "batches are Data, or HeteroData of a HeteroGraph; drop it",
    "is_sorted": "a weft graph is sorted; drop it",
    "neighbor_sampler": "the loader makes its own sampler; drop it",
    "node_sampler": "the loader makes its own sampler; drop it",
    "link_sampler": "the loader makes its own sampler; drop it",
    "input_id": "batches number their seeds by input_id themselves; drop it",
    "input_time": f"{_TIME}; drop it",
    "edge_label_time": f"{_TIME}; drop it",
    "time_attr": f"{_TIME}; drop it",
    "temporal_strategy": f"{_TIME}; drop it",
    "neg_sampling_ratio": "give neg_sampling=('binary', ratio)",
    "sampler": _ORDER,
    "batch_sampler": _ORDER,
    "generator": "what is drawn depends on seed=; give that",
    "dataset": _ORDER,
}


def check_arguments(made: Callable[..., Any], given: Sequence[object], named: Mapping[str, object]) -> None:
    """Refuse what a loader of weft does not take, with what to do instead.

    Args:
        made: the loader's class.
        given: arguments by place.
        named: arguments by name.

    Raises:
        WeftTypeError: the graph is none, or there is no such argument.
    """
    names, loader = list(inspect.signature(made).parameters), made.__name__
    for name in named:
        if name not in names and name in _INSTEAD:
            raise WeftTypeError(f"{loader}: weft has no {name!r}: {_INSTEAD[name]}")
    check_names(loader, named, names)
    graph = given[0] if given else named.get("graph")
    if not isinstance(graph, Graph | HeteroGraph):
        raise WeftTypeError(
            f"{loader}: graph must be a weft.Graph or weft.HeteroGraph (got {type(graph).__name__}); "
            "weft.Graph.open(DIR) opens one, weft.ingest(data, DIR) makes one of PyG's data"
        )
    if len(given) < 2 and "features" not in named:
        raise WeftTypeError(
            f"{loader}: give features after the graph: a table (weft.features.open), an array or a tensor "
            "with a row for each node; or None"
        )
