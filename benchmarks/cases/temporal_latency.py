"""How long a question waits while events are taken in and learned from."""

from __future__ import annotations

import importlib.util
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.case import Case, Row

if TYPE_CHECKING:
    import numpy.typing as npt

    from weft.stream import Run

__all__ = ["CASE"]

NODES, CANDIDATES, SEED, BATCH = 10_000, 100, 1, 200
EVENTS = {"logistic": 200_000, "tgn": 20_000}
RESTING = 300  # questions to a run that rests


def _stream(count: int) -> list[tuple[npt.NDArray[np.int64], ...]]:
    """Sources that come back to few targets, popular ones more often."""
    rng = np.random.default_rng(SEED)
    source = (NODES * rng.random(count) ** 3).astype(np.int64)
    target = (source * 31 + (20 * rng.random(count) ** 2).astype(np.int64)) % NODES
    when = np.cumsum(rng.integers(0, 20, count))
    return [tuple(c[i : i + 2000] for c in (source, target, when)) for i in range(0, count, 2000)]


def _ask(run: Run, rng: np.random.Generator) -> float:
    """Milliseconds until a pair is ranked among others."""
    source, target = int(rng.integers(0, 50)), rng.integers(0, 50, 1 + CANDIDATES)
    begun = time.perf_counter()
    run.score(source, target)
    return 1e3 * (time.perf_counter() - begun)


def _measure(model: str, waits: list[float], said: dict[str, Any]) -> float:
    """Questions answered a second while events come; what each waited is kept."""
    from weft.stream import Run, Settings

    rng = np.random.default_rng(SEED)
    head = [(np.arange(50), np.arange(50), np.zeros(50, np.int64))]  # ids that are asked for are known
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(batch_size=BATCH, round_size=2000)
        made = Run(
            [*head, *_stream(EVENTS[model])],
            Path(folder) / "run",
            model,
            settings=settings,
            snapshot_minutes=float("inf"),
        )
        worker = threading.Thread(target=made.go)
        worker.start()
        while made.rounds < 2:
            time.sleep(0.01)
        waits.clear()
        begun, before = time.perf_counter(), made.live.events
        while worker.is_alive():
            waits.append(_ask(made, rng))
            time.sleep(0.002)  # as fast as one client asks who looks at the answer
        seconds = time.perf_counter() - begun
        worker.join()
        said["events"] = (made.live.events - before) / seconds
        said["resting"] = [_ask(made, rng) for _ in range(RESTING)]
    return len(waits) / seconds


def _row(model: str) -> Row:
    waits: list[float] = []
    said: dict[str, Any] = {}

    def note() -> str:
        busy, rest = np.percentile(waits, [50, 99]), np.percentile(said["resting"], [50, 99])
        return (
            f"p50 {busy[0]:.1f} ms, p99 {busy[1]:.1f} ms, while {said['events']:,.0f} events/s were scored "
            f"and learned from; at rest p50 {rest[0]:.1f} ms, p99 {rest[1]:.1f} ms"
        )

    return Row(name=model, ours=lambda: _measure(model, waits, said), note=note)


def _rows(_: Path) -> list[Row]:
    models = ["logistic", *(["tgn"] if importlib.util.find_spec("torch") else [])]
    return [_row(model) for model in models]


CASE = Case(
    name="temporal.latency",
    summary=f"a pair ranked among {CANDIDATES} while events come, batches of {BATCH}",
    unit="answers/s",
    rows=_rows,
    config={"nodes": NODES, "candidates": CANDIDATES, "events": EVENTS, "batch": BATCH, "seed": SEED},
    repeat=1,
    warmup=False,
    slow=True,
    packages=("torch",),
)
