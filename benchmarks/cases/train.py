"""An epoch of GraphSAGE on features that lie on disk, a tenth of them in memory at most."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.case import Case, Row
from benchmarks.cases.disk import write_features
from benchmarks.graphs import rmat

if TYPE_CHECKING:
    from collections.abc import Iterable

    from weft.graph import Graph

__all__ = ["CASE", "Training"]

SCALE, DIM, CLASSES, HIDDEN, SEED = 22, 128, 16, 64, 1
SHARE, BATCH, BATCHES = 0.1, 1024, 80
FANOUTS = ((10, 10), (10, 10, 10))
THREADS = 2


class Training:
    """One model and the batches of an epoch, fed from wherever."""

    def __init__(self, graph: Graph, path: Path, fanout: tuple[int, ...]) -> None:
        self.graph, self.path, self.fanout = graph, path, fanout
        rng = np.random.default_rng(SEED)
        self.label_N = rng.integers(0, CLASSES, graph.num_nodes)
        self.seeds = rng.permutation(np.flatnonzero(graph.degree()))[: BATCH * BATCHES]
        self.degree = graph.degree()
        self.budget = int(SHARE * graph.num_nodes * DIM * 4)
        self.said = ""

    def loader(self, features: Any) -> Any:  # noqa: ANN401
        """The batches; features may be None."""
        from weft.loader import NeighborLoader

        return NeighborLoader(
            self.graph,
            features,
            list(self.fanout),
            self.seeds,
            BATCH,
            y=self.label_N,
            shuffle=True,
            seed=SEED,
        )

    def learn(self, batches: Iterable[Any]) -> tuple[float, float]:
        """Train on them; seconds of all and of computing alone."""
        import torch
        from torch_geometric.nn.models import GraphSAGE

        torch.set_num_threads(THREADS)
        torch.manual_seed(SEED)
        model = GraphSAGE(DIM, HIDDEN, len(self.fanout), CLASSES)
        optimizer = torch.optim.Adam(model.parameters())
        computing, start = 0.0, time.perf_counter()
        for batch in batches:
            begin = time.perf_counter()
            optimizer.zero_grad()
            out = model(
                batch.x,
                batch.edge_index,
                num_sampled_nodes_per_hop=batch.num_sampled_nodes,
                num_sampled_edges_per_hop=batch.num_sampled_edges,
            )
            seeds = slice(batch.batch_size)
            torch.nn.functional.cross_entropy(out[seeds], batch.y[seeds]).backward()
            optimizer.step()
            computing += time.perf_counter() - begin
        return time.perf_counter() - start, computing

    def ours(self, policy: str = "lookahead") -> float:
        """Batches/s of an epoch that begins with an empty cache."""
        from weft import features

        table = features.open(self.path, self.budget, policy=policy, hotness=self.degree, verbose=False)
        with self.loader(table) as batches:
            seconds, computing = self.learn(batches)
            read = batches.times["read"]
        table.close()
        if policy == "lookahead":
            self.said = (
                f"an epoch of {BATCHES} batches in {seconds:.1f} s, of which reading took {read:.1f} s and "
                f"computing {computing:.1f} s: {seconds / max(read, computing):.2f} times the longer one"
            )
        return BATCHES / seconds

    def mapped(self, count: int, *, advised: bool) -> float:
        """The same model and sampler; rows taken from a mapped file between sampling and training."""
        import torch

        from benchmarks.cases.mapped import HeldMap

        table = HeldMap(self.path, SHARE, advised=advised)

        def batches() -> Any:  # noqa: ANN401
            with self.loader(None) as all_of:
                for batch in itertools.islice(all_of, count):
                    batch.x = torch.from_numpy(table.take(batch.n_id.numpy()))
                    yield batch

        seconds, _ = self.learn(batches())
        table.close()
        return count / (seconds - table.holding)  # what holds it down is not the peer's fault

    def peak(self) -> str:
        """What a process that does nothing else takes."""
        words = [sys.executable, "-m", "benchmarks.cases.train", str(self.path), *map(str, self.fanout)]
        root = Path(__file__).parents[2]
        return subprocess.run(words, capture_output=True, text=True, check=True, cwd=root).stdout.strip()


def _rows(folder: Path) -> list[Row]:
    graph, path = rmat(SCALE, seed=SEED), folder / "x.npy"
    graph.save(folder / "graph")
    write_features(path, graph.num_nodes, DIM)
    held = f"numpy.memmap held to {100 * SHARE:.0f} %"
    small, deep = (Training(graph, path, fanout) for fanout in FANOUTS)
    return [
        Row(
            name="SAGE 10, 10",
            ours=small.ours,
            peer=lambda: small.mapped(3, advised=False),
            peer_name=held,
            note=lambda: f"{small.said}; {small.peak()}",
        ),
        Row(
            name="SAGE 10, 10, the map as good as can be",
            ours=small.ours,
            peer=lambda: small.mapped(15, advised=True),
            peer_name=f"{held}, ids sorted, MADV_RANDOM",
        ),
        Row(
            name="SAGE 10, 10, policies",
            ours=small.ours,
            peer=lambda: small.ours("lru"),
            peer_name="weft, LRU",
        ),
        Row(
            name="SAGE 10, 10, 10, the map as good as can be",
            ours=deep.ours,
            peer=lambda: deep.mapped(5, advised=True),
            peer_name=f"{held}, ids sorted, MADV_RANDOM",
            note=lambda: f"{deep.said}; {deep.peak()}",
        ),
    ]


def _status(name: str) -> float:
    """MiB that the process takes (``VmRSS``) or took at most (``VmHWM``)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def _measure(path: Path, fanout: tuple[int, ...]) -> None:
    """Say what an epoch takes beside what its parts take: the graph, and the model on batches in memory."""
    import torch

    from weft.graph import Graph

    graph = Graph.open(path.parent / "graph").in_memory()
    run = Training(graph, path, fanout)

    def alone() -> Any:  # noqa: ANN401
        with run.loader(None) as batches:
            for batch in batches:
                batch.x = torch.zeros(len(batch.n_id), DIM)
                yield batch

    run.learn(alone())  # graph, model and libraries, without features
    before = _status("VmHWM")
    run.ours()
    budget = run.budget / 2**20
    print(
        f"peak memory {_status('VmHWM'):,.0f} MiB, {before:,.0f} MiB with graph and model alone, "
        f"budget {budget:,.0f} MiB: "
        f"{_status('VmHWM') / (before + budget):.2f} of their sum"
    )


CASE = Case(
    name="train",
    summary=f"features of 2 GiB on disk, memory for {100 * SHARE:.0f} % of them, R-MAT {SCALE}",
    unit="batches/s",
    rows=_rows,
    config={
        "scale": SCALE,
        "edge_factor": 16,
        "dim": DIM,
        "hidden": HIDDEN,
        "classes": CLASSES,
        "share": SHARE,
        "batch": BATCH,
        "batches": BATCHES,
        "threads": THREADS,
        "seed": SEED,
    },
    repeat=3,
    warmup=False,
    slow=True,
    packages=("torch", "torch-geometric"),
)

if __name__ == "__main__":
    _measure(Path(sys.argv[1]), tuple(map(int, sys.argv[2:])))
