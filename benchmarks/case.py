"""What a benchmark case is: a name, a unit, and rows that can be measured again and again."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Case", "Row", "on_threads", "rate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing measured. Each function does the work once and returns a rate; higher is better.

    Attributes:
        name: names the row within its case.
        ours: weft.
        peer: the other tool doing the same work; None when it is not installed.
        peer_name: the peer with its version, or without one when it is not installed.
        limit: what the machine allows, measured beside ours; None when there is no such figure.
        note: anything a reader of the figure must know, such as why there is no peer; a function is asked
            once all was measured.
    """

    name: str
    ours: Callable[[], float]
    peer: Callable[[], float] | None = None
    peer_name: str | None = None
    limit: Callable[[], float] | None = None
    note: str | Callable[[], str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A named benchmark.

    Attributes:
        name: what ``run`` takes.
        summary: one line for ``list`` and the table.
        unit: of every rate in the case, such as "M steps/s".
        rows: given an empty folder (removed afterwards), makes the input and returns the rows.
        config: everything that fixes the work; kept with the result.
        repeat: measured repetitions unless ``--repeat`` says otherwise.
        warmup: whether one repetition is run first and thrown away.
        slow: whether ``run all`` leaves it out.
        packages: distributions whose versions are kept with the result.
    """

    name: str
    summary: str
    unit: str
    rows: Callable[[Path], Sequence[Row]]
    config: Mapping[str, object] = field(default_factory=dict)
    repeat: int = 5
    warmup: bool = True
    slow: bool = False
    packages: tuple[str, ...] = ()


def rate(work: float, task: Callable[[], object]) -> float:
    """``work`` divided by the seconds that ``task`` takes."""
    start = time.perf_counter()
    task()
    return work / (time.perf_counter() - start)


def on_threads(threads: int, work: float, task: Callable[[], object]) -> Callable[[], float]:
    """A function that measures the rate of ``task`` on so many threads, ours and torch's."""

    def run() -> float:
        from weft.kernels.threads import set_num_threads

        set_num_threads(threads)
        if importlib.util.find_spec("torch") is not None:
            import torch

            torch.set_num_threads(threads)
        return rate(work, task)

    return run
