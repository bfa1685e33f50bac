"""Runs a case: limit, ours and the peer in turn, repetition after repetition, in one process."""

from __future__ import annotations

import datetime
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.machine import machine, versions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.case import Case, Row

__all__ = ["run"]

Figures = dict[str, float | None]
_FIELDS = ("ours", "peer", "limit")
_RATIOS = ("ratio", "of_limit")


def run(case: Case, repeat: int | None = None) -> dict[str, object]:
    """Measure ``case`` and return its result, ready for JSON.

    The headline figures are the worst row's: the lowest ratio, else the lowest share of the limit.
    """
    times = case.repeat if repeat is None else repeat
    if times < 1:
        raise ValueError(f"--repeat must be at least 1 (got {times})")
    before = machine()
    with tempfile.TemporaryDirectory(prefix="weft-benchmark-") as folder:
        rows = [_measure(row, times, case) for row in case.rows(Path(folder))]
    worst = min(rows, key=_goodness)
    headline = {name: worst[name] for name in (*_FIELDS, *_RATIOS, "peer_name", "note")}
    return {
        "case": case.name,
        **headline,
        "unit": case.unit,
        "summary": case.summary,
        "rows": rows,
        "repetitions": {str(row["name"]): row["repetitions"] for row in rows},
        "config": dict(case.config),
        "machine": before,
        "versions": versions(case.packages),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _goodness(row: dict[str, object]) -> tuple[int, float]:
    for rank, name in enumerate(("ratio", "of_limit", "ours")):
        value = row[name]
        if isinstance(value, float):
            return rank, value
    raise AssertionError("a row always has ours")


def _measure(row: Row, times: int, case: Case) -> dict[str, object]:
    if case.warmup:
        _once(row)
    repetitions = []
    for number in range(times):
        figures = _once(row)
        repetitions.append(figures)
        _say(f"{case.name} {row.name} {number + 1}/{times}: {_text(figures, case.unit)}")
    # Ratios too are medians over the repetitions, not ratios of medians: when the machine grows busy half
    # way through, the medians of two columns may come from different halves, a repetition's figures do not.
    result = {name: _median([figures[name] for figures in repetitions]) for name in (*_FIELDS, *_RATIOS)}
    _say(f"{case.name} {row.name} median: {_text(result, case.unit)}")
    return {
        "name": row.name,
        **result,
        "peer_name": row.peer_name,
        "note": row.note() if callable(row.note) else row.note,
        "repetitions": repetitions,
    }


def _once(row: Row) -> Figures:
    # The limit is measured right before ours, so that what else runs on the machine slows both.
    figures: Figures = {}
    figures["limit"] = row.limit() if row.limit else None
    figures["ours"] = row.ours()
    figures["peer"] = row.peer() if row.peer else None
    return _with_ratios(figures)


def _with_ratios(figures: Figures) -> Figures:
    ours, peer, limit = (figures[name] for name in _FIELDS)
    ratio = ours / peer if ours is not None and peer else None
    of_limit = ours / limit if ours is not None and limit else None
    return {"ours": ours, "peer": peer, "ratio": ratio, "limit": limit, "of_limit": of_limit}


def _median(values: Sequence[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return statistics.median(present) if present else None


def _text(figures: Figures, unit: str) -> str:
    parts = [f"{name} {value:.4g}" for name, value in figures.items() if value is not None]
    return ", ".join(parts) + f"  [{unit}]"


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
