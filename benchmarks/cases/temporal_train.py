"""TGN on JODIE-Wikipedia beside PyG's, and what every temporal model makes of it."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from benchmarks.case import Case, Row
from benchmarks.graphs import DATA

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from weft.nn.temporal import TemporalEncoder, TemporalLinks

__all__ = ["CASE", "QUALITY"]

I64 = npt.NDArray[np.int64]
THREADS, EPOCHS, SEEDS = 2, 5, 3
LARGE = 2000  # events of a batch that we recommend where speed counts
DAY = 86_400
# Columns, batch size, learning rate.
SPEED = {
    "batches of 200, as wide as PyG's": (100, 200, 1e-3),
    "batches of 200": (64, 200, 1e-3),
    f"batches of {LARGE:,}": (64, LARGE, 3e-3),
}
MODELS: dict[str, dict[str, Any]] = {
    "TGN": {"dim": 64, "neighbors": 10, "time_dim": 32},
    "TGAT": {"dim": 64, "num_neighbors": (10, 10), "time_dim": 32},
    "GraphMixer": {"dim": 64, "neighbors": 10, "time_dim": 32},
    "DySAT": {"dim": 64, "window": 7 * DAY, "snapshots": 3, "num_neighbors": (10,)},
}
BATCH, RATE = 600, 2e-3  # of the models whose quality is compared


def _events() -> tuple[I64, I64, I64]:
    import polars as pl

    path = DATA / "jodie_wikipedia" / "wikipedia.csv"
    if not path.is_file():
        raise SystemExit(f"this case needs {path}; set WEFT_DATA")
    columns = pl.read_csv(path).to_numpy().astype(np.int64).T
    return columns[0], columns[1], columns[2]


def _model(name: str, given: dict[str, Any], lr: float, seed: int) -> TemporalLinks:
    import torch

    from weft.graph import TemporalGraph
    from weft.nn import temporal

    torch.manual_seed(seed)
    graph = TemporalGraph()
    graph.append(*_events())
    made: TemporalEncoder = getattr(temporal, name)(graph, **given)
    return temporal.TemporalLinks(made, lr=lr, seed=seed)


class _Pyg:
    """PyG's model, an epoch at a time; its AP is taken once, after as many epochs as ours has."""

    def __init__(self) -> None:
        from benchmarks.cases.pyg_tgn import PygTGN

        source, target, time = _events()
        self.cuts = [int(share * len(time)) for share in (0.7, 0.85, 1.0)]
        self.model = PygTGN(source, target, time)
        self.epochs, self.ap = 0, float("nan")

    def __call__(self) -> float:
        self.model.reset()
        seconds = self.model.train(0, self.cuts[0])
        self.epochs += 1
        if self.epochs == EPOCHS:
            self.model.test(self.cuts[0], self.cuts[1])
            self.ap = self.model.test(self.cuts[1], self.cuts[2])
        return self.cuts[0] / seconds


class _Ours:
    """Ours, likewise: each call is one epoch of the same training."""

    def __init__(self, dim: int, batch_size: int, lr: float) -> None:
        given = {"dim": dim, "neighbors": 10, "time_dim": dim if dim == 100 else 32}
        self.model, self.batch_size = _model("TGN", given, lr, 0), batch_size
        self.epochs, self.ap = 0, float("nan")

    def __call__(self) -> float:
        from weft.train import fit_events

        # The last epoch is followed by validation and test, whose time is not counted.
        last = self.epochs == EPOCHS - 1
        done = fit_events(self.model, epochs=1, batch_size=self.batch_size, seed=self.epochs, evaluate=last)
        self.epochs += 1
        if (report := done[0].report) is not None:
            self.ap = report.test.ap
        return done[0].rate


def _speed(folder: Path) -> Sequence[Row]:
    import torch
    import torch_geometric

    from weft.kernels.threads import set_num_threads

    set_num_threads(THREADS)
    torch.set_num_threads(THREADS)
    pyg = _Pyg()

    def row(name: str, how: tuple[int, int, float]) -> Row:
        ours = _Ours(*how)

        def note() -> str:
            return f"test AP after {EPOCHS} epochs {ours.ap:.4f}, PyG {pyg.ap:.4f}"

        peer = f"PyG {torch_geometric.__version__}, TGNMemory and LastNeighborLoader, batches of 200"
        return Row(name=name, ours=ours, peer=pyg, peer_name=peer, note=note)

    return [row(name, how) for name, how in SPEED.items()]


class _Scored:
    """Test AP in percent of one seed after the other."""

    def __init__(self, learn: Callable[[int], Any]) -> None:
        self._learn = learn
        self.found: list[Any] = []

    def __call__(self) -> float:
        self.found.append(self._learn(len(self.found)))
        return 100 * self.found[-1].test.ap

    def note(self) -> str:
        test = [100 * report.test.ap for report in self.found]
        spread = statistics.stdev(test) if len(test) > 1 else 0.0
        val = statistics.mean(100 * r.val.ap for r in self.found)
        unseen = statistics.mean(100 * r.unseen.ap for r in self.found)
        return (
            f"mean ± sd of {len(test)} seeds: {statistics.mean(test):.2f} ± {spread:.2f}; "
            f"validation {val:.2f}, events of unseen nodes {unseen:.2f}"
        )


def _learned(name: str) -> Callable[[int], Any]:
    def learn(seed: int) -> Any:  # noqa: ANN401
        from weft.train import fit_events

        model = _model(name, MODELS[name], RATE, seed)
        done = fit_events(model, epochs=EPOCHS, batch_size=BATCH, seed=seed)
        best = max(done, key=lambda epoch: epoch.report.val.ap if epoch.report and epoch.report.val else 0.0)
        return best.report

    return learn


def _remembered(name: str) -> Callable[[int], Any]:
    def learn(seed: int) -> Any:  # noqa: ANN401
        from weft import eval as judged

        events = _events()
        split = judged.split_events(*events)
        return judged.evaluate_events(
            getattr(judged, name)(), *events, split, num_negatives=1, batch_size=200, seed=seed
        )

    return learn


def _quality(folder: Path) -> Sequence[Row]:
    import torch

    torch.set_num_threads(THREADS)
    rows = []
    for name in (*MODELS, "CountRecency", "EdgeBank"):
        scored = _Scored((_learned if name in MODELS else _remembered)(name))
        rows.append(Row(name=name, ours=scored, note=scored.note))
    return rows


CASE = Case(
    name="temporal.train",
    summary="TGN on JODIE-Wikipedia, an epoch of 110,000 events, beside PyG's",
    unit="events/s",
    rows=_speed,
    config={
        "columns, batch size, learning rate": SPEED,
        "neighbors": 10,
        "threads": THREADS,
        "negatives": "one for each event, uniform over targets",
        "peer": "100 columns everywhere, batches of 200, learning rate 1e-4, as in PyG's example",
        "data": "jodie_wikipedia, no features of events; 70, 15, 15 % by time",
    },
    repeat=EPOCHS,
    warmup=False,
    slow=True,
    packages=("torch", "torch-geometric"),
)
QUALITY = Case(
    name="temporal.quality",
    summary="Test AP of temporal models on JODIE-Wikipedia",
    unit="% AP",
    rows=_quality,
    config={
        "models": MODELS,
        "epochs": EPOCHS,
        "batch size": BATCH,
        "learning rate": RATE,
        "threads": THREADS,
        "data": "jodie_wikipedia, no features of events; 70, 15, 15 % by time; one random negative an event",
    },
    repeat=SEEDS,
    warmup=False,
    slow=True,
    packages=("torch", "torch-geometric"),
)
