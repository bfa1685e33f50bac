"""TGN on JODIE-Wikipedia beside PyG's, and what every temporal model makes of it."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from benchmarks.case import Case, Row, rate
from benchmarks.graphs import DATA

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from weft.nn.temporal import TemporalEncoder, TemporalLinks

__all__ = ["CASE", "QUALITY"]

I64 = npt.NDArray[np.int64]
THREADS, EPOCHS, SEEDS, SLICES = 2, 3, 3, 10
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
    "DySAT": {"dim": 64, "window": DAY, "snapshots": 3, "num_neighbors": (10,)},
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


class _Slices:
    """An epoch a slice at a time: each call learns from the next tenth of the events to learn from."""

    def __init__(self, learn: Callable[[int, int], object]) -> None:
        self._learn, self._number = learn, 0
        self._end = int(0.7 * len(_events()[0]))

    def __call__(self) -> float:
        cuts = np.linspace(0, self._end, SLICES + 1).astype(int)
        begin, end = cuts[self._number % SLICES], cuts[self._number % SLICES + 1]
        self._number += 1
        return rate(end - begin, lambda: self._learn(begin, end))


def _ours(dim: int, batch_size: int, lr: float) -> Callable[[int, int], object]:
    source, target, time = _events()
    given = {"dim": dim, "neighbors": 10, "time_dim": dim if dim == 100 else 32}
    model, targets = _model("TGN", given, lr, 0), np.unique(target)
    rng = np.random.default_rng(0)

    def learn(begin: int, end: int) -> None:
        if begin == 0:
            model.reset()
        for at in range(begin, end, batch_size):
            batch = slice(at, min(at + batch_size, end))
            columns = source[batch], target[batch], time[batch]
            model.learn(*columns, rng.choice(targets, len(columns[0])))
            model.observe(*columns)

    return learn


def _peer() -> Callable[[int, int], object]:
    from benchmarks.cases.pyg_tgn import PygTGN

    model = PygTGN(*_events())

    def learn(begin: int, end: int) -> None:
        if begin == 0:
            model.reset()
        model.train(begin, end)

    return learn


def _speed(folder: Path) -> Sequence[Row]:
    import torch
    import torch_geometric

    from weft.kernels.threads import set_num_threads

    set_num_threads(THREADS)
    torch.set_num_threads(THREADS)
    peer = f"PyG {torch_geometric.__version__}, TGNMemory and LastNeighborLoader, batches of 200"
    return [
        Row(name=name, ours=_Slices(_ours(*how)), peer=_Slices(_peer()), peer_name=peer)
        for name, how in SPEED.items()
    ]


class _PygAp:
    """Test AP in percent of PyG's model, trained as long as ours; of one seed, as it takes minutes."""

    def __init__(self) -> None:
        self._found: float | None = None

    def __call__(self) -> float:
        if self._found is None:
            from benchmarks.cases.pyg_tgn import PygTGN

            model = PygTGN(*_events())
            cuts = [int(share * len(model.message)) for share in (0.7, 0.85, 1.0)]
            for _ in range(EPOCHS):
                model.reset()
                model.train(0, cuts[0])
            model.test(cuts[0], cuts[1])
            self._found = 100 * model.test(cuts[1], cuts[2])
        return self._found


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
    import torch_geometric

    torch.set_num_threads(1)
    rows: list[Row] = []
    for name in (*MODELS, "CountRecency", "EdgeBank"):
        scored = _Scored((_learned if name in MODELS else _remembered)(name))
        more: dict[str, Any] = {}
        if name == "TGN":
            said = f"PyG {torch_geometric.__version__}, TGNMemory, batches of 200, one seed"
            more = {"peer": _PygAp(), "peer_name": said}
        rows.append(Row(name=name, ours=scored, note=scored.note, **more))
    return rows


CASE = Case(
    name="temporal.train",
    summary="training TGN on JODIE-Wikipedia beside PyG's",
    unit="events/s",
    rows=_speed,
    config={
        "columns, batch size, learning rate": SPEED,
        "neighbors": 10,
        "threads": THREADS,
        "a repetition": "the next tenth of an epoch of 110,231 events",
        "negatives": "one for each event, uniform over targets",
        "peer": "100 columns everywhere, batches of 200, learning rate 1e-4, as in PyG's example",
        "data": "jodie_wikipedia, no features of events; 70, 15, 15 % by time",
    },
    repeat=5,
    warmup=False,
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
        "threads": 1,
        "data": "jodie_wikipedia, no features of events; 70, 15, 15 % by time; one random negative an event",
    },
    repeat=SEEDS,
    warmup=False,
    slow=True,
    packages=("torch", "torch-geometric"),
)
