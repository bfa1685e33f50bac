"""Rows stored in fewer bytes, gathered from memory as float32; what a model learns from them, beside it."""

from __future__ import annotations

import functools
import statistics
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.case import Case, Row, on_threads
from benchmarks.graphs import DATA, Problem, planetoid

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from weft.kernels.codec import Codec

__all__ = ["CASE"]

TABLE, DIM, ROWS, SEED = 1 << 30, 128, 500_000, 1  # bytes of float32, columns, rows gathered
SEEDS = 3  # of trainings
MODEL: dict[str, Any] = {
    "model": "sage",
    "num_neighbors": (25, 10),
    "batch_size": 64,
    "epochs": 67,
    "hidden": 64,
    "learning_rate": 0.01,
    "weight_decay": 5e-4,
    "dropout": 0.5,
}
CODECS: tuple[Codec, ...] = ("float32", "float16", "bfloat16", "int8")


def _torch(codec: Codec, rows: Any, ids: Any, out: Any) -> Callable[[], object] | None:  # noqa: ANN401
    """PyTorch doing the same: picked, then made float32."""
    try:
        import torch
    except ImportError:
        return None
    index, into = torch.from_numpy(ids), torch.from_numpy(out)
    if codec == "int8":
        values, scale = torch.from_numpy(rows["int8"].copy()), torch.from_numpy(rows["scale"].copy())
        return lambda: torch.mul(values[index], scale[index, None], out=into)
    plain = torch.from_numpy(rows["bfloat16"].copy() if codec == "bfloat16" else rows)
    plain = plain.view(torch.bfloat16) if codec == "bfloat16" else plain
    if codec == "float32":
        return lambda: torch.index_select(plain, 0, index, out=into)
    return lambda: into.copy_(torch.index_select(plain, 0, index))


def _learned(codec: Codec, problem: Problem, folder: Path) -> str:
    """Test accuracy of GraphSAGE on features of the codec."""
    import torch

    from weft.features import encode
    from weft.features.codec import decoded
    from weft.train import fit, predict

    x = decoded(encode(problem.x, codec)).astype(np.float32)

    def learn(seed: int) -> float:
        trained = fit(problem.graph, x, problem.y, split=problem.split, patience=None, seed=seed, **MODEL)
        made = predict(trained, folder / "out", graph=problem.graph, features=x, overwrite=True)
        return made.scores["test"]

    torch.set_num_threads(1)  # of a graph so small, two wait for each other
    scores = [100 * learn(seed) for seed in range(SEEDS)]
    return (
        f"GraphSAGE on Cora with such features, {SEEDS} seeds: {statistics.mean(scores):.2f} "
        f"± {statistics.stdev(scores):.2f} %"
    )


def _rows(folder: Path) -> list[Row]:
    from weft.features import Decoded, MemoryTable, encode
    from weft.kernels.memory import zeros_huge

    rng = np.random.default_rng(SEED)
    count = TABLE // 4 // DIM
    ids = rng.integers(0, count, ROWS)
    given = rng.standard_normal((count, DIM), np.float32)
    cora = planetoid("cora") if DATA.is_dir() else None
    out: Any = zeros_huge((ROWS, DIM), np.float32)
    name = None
    try:
        import torch

        name = f"torch {torch.__version__}, picked and converted"
    except ImportError:
        pass

    def both(codec: Codec) -> list[Row]:
        rows = encode(given, codec)
        table = MemoryTable(rows) if codec == "float32" else Decoded(MemoryTable(rows), codec)
        peer = _torch(codec, rows, ids, out)
        learned = None if cora is None else functools.cache(lambda: _learned(codec, cora, folder))
        return [
            Row(
                name=f"{codec}, {threads} thread{'s' * (threads > 1)}",
                ours=on_threads(threads, ROWS / 1e6, lambda: table.take(ids, out)),
                peer=None if peer is None else on_threads(threads, ROWS / 1e6, peer),
                peer_name=name,
                note=learned,
            )
            for threads in (1, 2)
        ]

    return [row for codec in CODECS for row in both(codec)]


CASE = Case(
    name="codec",
    summary=f"{ROWS:,} random rows of {DIM} columns from memory as float32, by how they are stored",
    unit="M rows/s",
    rows=_rows,
    config={
        "table_bytes_of_float32": TABLE,
        "dim": DIM,
        "rows": ROWS,
        "seed": SEED,
        "accuracy": MODEL,
        "seeds": SEEDS,
    },
    repeat=7,
    slow=True,
    packages=("torch", "torch-geometric"),
)
