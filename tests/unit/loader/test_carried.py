"""What code for PyG's loaders brings along is answered with what weft does instead."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest
import torch
from torch_geometric.data import Data
from torch_geometric.loader import LinkNeighborLoader as PygLinkNeighborLoader
from torch_geometric.loader import NeighborLoader as PygNeighborLoader

from weft.errors import WeftTypeError
from weft.loader import LinkNeighborLoader, NeighborLoader
from weft.loader.carried import _INSTEAD

LOADERS = {NeighborLoader: PygNeighborLoader, LinkNeighborLoader: PygLinkNeighborLoader}


def names(call):
    return [name for name in inspect.signature(call).parameters if name not in ("self", "kwargs")]


@pytest.mark.parametrize("loader", LOADERS)
def test_every_argument_of_pyg_is_taken_or_answered(made_graph, loader):
    graph, taken = made_graph(), names(loader)
    theirs = [*names(LOADERS[loader]), *names(torch.utils.data.DataLoader)]
    left = [name for name in theirs if name not in taken]
    assert "num_workers" in left
    for name in left:
        with pytest.raises(
            WeftTypeError, match=f"{loader.__name__}: weft has no '{name}': {re.escape(_INSTEAD[name])}"
        ):
            loader(graph, None, [2], **{name: None})


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(
    ("named", "match"),
    [
        (
            {"num_workers": 4},
            r"threads of the loader read ahead \(prefetch= says how many batches\); drop it",
        ),
        ({"prefetch_factor": 2}, "how many batches to make ahead by prefetch="),
        ({"transform": print}, "call it on each batch in the loop"),
        (
            {"bach_size": 4},
            "there is no 'bach_size'; did you mean 'batch_size'\\? it takes graph, features, num_n",
        ),
        ({"fanout": [4]}, "there is no 'fanout'; it takes graph, features, num_neighbors"),
    ],
)
def test_what_to_do_instead(made_graph, loader, named, match):
    with pytest.raises(WeftTypeError, match=match):
        loader(made_graph(), None, [2], **named)


@pytest.mark.parametrize("loader", LOADERS)
def test_what_stands_where_the_graph_should(made_graph, loader):
    data = Data(edge_index=torch.zeros(2, 3, dtype=torch.long), x=torch.ones(3, 2))
    for given, named in (
        ((data, [2, 2]), {}),
        ((data,), {"num_neighbors": [2]}),
        ((), {"num_neighbors": [2]}),
    ):
        with pytest.raises(WeftTypeError, match=r"graph must be a weft\.Graph .*weft\.ingest\(data, DIR\)"):
            loader(*given, **named)
    with pytest.raises(WeftTypeError, match="has no 'data': give graph="):
        loader(data=data, num_neighbors=[2])
    with pytest.raises(WeftTypeError, match="give features after the graph: a table"):
        loader(made_graph(), num_neighbors=[2])


def test_no_answer_is_for_what_is_taken():
    for loader in LOADERS:
        assert not set(_INSTEAD) & set(names(loader))


def test_by_name_alone_it_is_made(made_graph):
    with NeighborLoader(graph=made_graph(), features=np.ones((300, 2)), num_neighbors=[2]) as loader:
        assert next(iter(loader)).x.shape[1] == 2
