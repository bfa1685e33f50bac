"""Names of repositories hashed to features on disk, a tenth of them in memory; and the same all in memory."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.case import Case, Row
from benchmarks.cases.accuracy import SEEDS, beside_pyg, pyg_model
from benchmarks.graphs import DATA, I64, github

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from weft.graph import Graph
    from weft.train import Split

HEADS = 8  # of GAT
FANOUT, BATCH, HIDDEN, DROPOUT = (10, 5), 1024, 128, 0.0
# Nodes of a community that is a class, epochs, learning rate. Of 100 nodes there are 1,352, of 1,000 135.
# Each head of GAT has a column for every class; one head and all classes leave seeds 3.3 points (sd) apart.
TASK = {"sage": (100, 3, 0.02), "gat": (1000, 6, 0.01), "gcn": (100, 3, 0.02)}
SHARES = (0.1, 0.0, 0.1)
CACHE = 0.1  # of the features


def _weft(name: str, graph: Graph, path: Path, y: I64, split: Split, degrees: str) -> Callable[[int], float]:
    import weft.features
    from weft.train import fit

    _, epochs, rate = TASK[name]

    def learn(seed: int) -> float:
        table = weft.features.open(
            path, int(CACHE * path.stat().st_size), hotness=graph.degree(), verbose=False
        )
        trained = fit(
            graph,
            table,
            y,
            split=split,
            model=name,
            num_neighbors=FANOUT,
            batch_size=BATCH,
            epochs=epochs,
            hidden=HIDDEN,
            learning_rate=rate,
            dropout=DROPOUT,
            heads=HEADS,
            degrees=degrees,
            seed=seed,
        )
        table.close()
        return trained.scores["test"]

    return learn


def _peer(name: str, graph: Graph, path: Path, y: I64, split: Split) -> Callable[[int], float]:
    import torch
    from torch.nn import functional

    from benchmarks.pyg_sampling import Sampler

    rows = np.load(path)
    _, epochs, rate = TASK[name]

    def learn(seed: int) -> float:
        torch.manual_seed(seed)
        model = pyg_model(name, rows.shape[1], HIDDEN, int(y.max()) + 1, DROPOUT, HEADS)
        optimizer = torch.optim.Adam(model.parameters(), lr=rate)
        sampler, rng = Sampler(graph, FANOUT, seed), np.random.default_rng(seed)

        def out(nodes: Any) -> torch.Tensor:  # noqa: ANN401
            hops = sampler.sample(nodes)
            x, edge_index = torch.from_numpy(rows[hops.n_id]), torch.from_numpy(hops.edge_index)
            found = model(
                x,
                edge_index,
                num_sampled_nodes_per_hop=hops.nodes,
                num_sampled_edges_per_hop=hops.edges,
            )
            return found[: len(nodes)]

        for _ in range(epochs):
            model.train()
            order = rng.permutation(split.train)
            for begin in range(0, len(order), BATCH):
                nodes = order[begin : begin + BATCH]
                optimizer.zero_grad()
                functional.cross_entropy(out(nodes), torch.from_numpy(y[nodes])).backward()
                optimizer.step()
        model.eval()
        right = 0
        with torch.no_grad():
            for begin in range(0, len(split.test), BATCH):
                nodes = split.test[begin : begin + BATCH]
                right += int((out(nodes).argmax(dim=1).numpy() == y[nodes]).sum())
        return right / len(split.test)

    return learn


def _rows(name: str, folder: Path) -> list[Row]:
    import torch

    from weft.train import Split

    if not DATA.is_dir():
        raise SystemExit(f"accuracy.map needs the graphs in {DATA}; set WEFT_DATA")
    torch.set_num_threads(1)
    graph, path, y = github(folder, least=TASK[name][0])
    graph = graph.in_memory()
    split = Split.random(np.flatnonzero(y >= 0), 0, SHARES)
    peer = _peer(name, graph, path, y, split)
    if name != "gcn":
        ours = _weft(name, graph, path, y, split, "graph")
        return [beside_pyg(f"map_of_github, {name}", "features in memory", ours, peer)]
    # PyG's loader gives another model than the whole graph does: degrees are those of the batch.
    peer = functools.cache(peer)
    return [
        beside_pyg(
            f"map_of_github, gcn, degrees of the {degrees}",
            "degrees of the batch, features in memory",
            _weft(name, graph, path, y, split, degrees),
            peer,
        )
        for degrees in ("batch", "graph")
    ]


def _case(name: str) -> Case:
    least, epochs, rate = TASK[name]
    return Case(
        name=f"accuracy.map.{name}",
        summary=f"Test accuracy on map_of_github with a tenth of the features in memory: {name}",
        unit="%",
        rows=functools.partial(_rows, name),
        config={
            "features": "character 3- and 4-grams of 689,517 names hashed to 128 columns float32, on disk",
            "model": name,
            "heads": HEADS,
            "cache": CACHE,
            "classes": f"communities of at least {least} nodes",
            "shares": SHARES,
            "num_neighbors": FANOUT,
            "batch_size": BATCH,
            "epochs": epochs,
            "hidden": HIDDEN,
            "learning_rate": rate,
            "dropout": DROPOUT,
            "threads": 1,
            "peer": "torch_geometric.nn.models on batches sampled by the rules of PyG's NeighborLoader",
        },
        repeat=SEEDS,
        warmup=False,
        slow=True,
        packages=("torch", "torch-geometric", "numpy", "scikit-learn"),
    )


SAGE, GAT, GCN = map(_case, ("sage", "gat", "gcn"))
