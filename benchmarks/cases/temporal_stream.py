"""Learning from a stream as it goes, against the same model that learned from its first 30 % alone."""

from __future__ import annotations

import gzip
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.case import Case, Row
from benchmarks.graphs import DATA

__all__ = ["CASE"]

WARMUP, ROUNDS, NEGATIVES, SEED = 0.3, 100, 10, 0
MOST = 200_000  # events of a stream
FILES = {
    "CollegeMsg": "collegemsg/CollegeMsg.txt.gz",
    "MathOverflow": "mathoverflow/sx-mathoverflow.txt.gz",
    "U-Boot, with deletions": "uboot/events.csv.gz",
}
WAYS: dict[str, dict[str, Any]] = {
    "replay 0": {"replay": 0.0},
    "replay 0.2": {"replay": 0.2},
    "from scratch after every 10th round": {"frozen": True, "retrain": 10},
}
Columns = tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[np.uint8]]


@cache
def _events(path: Path) -> Columns:
    """Source, target, time and op, by time."""
    import polars as pl

    if path.name.endswith(".csv.gz"):
        frame = pl.read_csv(path).sort("commit_time", maintain_order=True)
        op = (frame["op"] == "D").to_numpy().astype(np.uint8)
        author, file, when = (frame[name].to_numpy()[:MOST] for name in ("author", "file", "commit_time"))
        return author, file, when, op[:MOST]
    with gzip.open(path) as text:
        source, target, time = np.loadtxt(text, np.int64).T
    order = np.argsort(time, kind="stable")[:MOST]
    return source[order], target[order], time[order], np.zeros(len(order), np.uint8)


@cache
def _means(path: Path, way: tuple[tuple[str, Any], ...]) -> dict[str, dict[str, float]]:
    """AP and MRR of the model and of the baselines."""
    from weft.serve.stream import means
    from weft.stream import Batch, run
    from weft.stream.journal import read_lines

    source, target, time, op = _events(path)
    kind: dict[str, Any] = {"bipartite": True, "deletes": "target"} if op.any() else {}
    with tempfile.TemporaryDirectory() as folder:
        made = run(
            [Batch(source=source, target=target, time=time, op=op)],
            Path(folder) / "run",
            "logistic",
            warmup=int(WARMUP * len(time)),
            round_size=len(time) // ROUNDS + 1,
            negatives=NEGATIVES,
            seed=SEED,
            snapshot_minutes=float("inf"),
            **kind,
            **dict(way),
        )
        return means(read_lines(made.out / "metrics.jsonl"))


def _row(name: str, path: Path) -> Row:
    def ap(**way: Any) -> float:  # noqa: ANN401
        return _means(path, tuple(way.items()))["model"]["ap"]

    def note() -> str:
        every = _means(path, (("replay", 0.5),))
        ways = "; ".join(f"{said} {ap(**way):.4f}" for said, way in WAYS.items())
        rest = "; ".join(
            f"{model} AP {found['ap']:.4f}, MRR {found['mrr']:.4f}" for model, found in every.items()
        )
        return f"AP: {ways}. At replay 0.5: {rest}"

    return Row(
        name=f"{name}, replay 0.5",
        ours=lambda: ap(replay=0.5),
        peer=lambda: ap(frozen=True),
        peer_name="never trained again",
        note=note,
    )


def _rows(_: Path) -> list[Row]:
    if not DATA.is_dir():
        raise SystemExit(f"temporal.stream needs the graphs in {DATA}; set WEFT_DATA")
    return [_row(name, DATA / file) for name, file in FILES.items() if (DATA / file).is_file()]


CASE = Case(
    name="temporal.stream",
    summary="prequential AP of a logistic model on the first 200,000 events of streams, after 30 %",
    unit="AP",
    rows=_rows,
    config={
        "events": MOST,
        "warmup": WARMUP,
        "rounds": ROUNDS,
        "negatives": NEGATIVES,
        "seed": SEED,
        "model": "logistic",
    },
    repeat=1,
    warmup=False,
    slow=True,
)
