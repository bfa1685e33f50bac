"""Rows gathered in memory, against the machine's random reads and PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.case import Case, Row, on_threads

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["CASE"]

TABLE, DIM, ROWS, SEED = 2 << 30, 128, 1_000_000, 1  # bytes, float32 a row, rows gathered


def _rows(_: Path) -> list[Row]:
    from weft.kernels.gather import gather
    from weft.kernels.memory import zeros_huge

    table: Any = zeros_huge((TABLE // 4 // DIM, DIM), np.float32)
    out: Any = zeros_huge((ROWS, DIM), np.float32)
    table += 1
    ids = np.random.default_rng(SEED).integers(0, len(table), ROWS)
    in_order = np.arange(ROWS)
    name, peers = None, dict[str, Callable[[], object]]()
    try:
        import torch
    except ImportError:
        pass
    else:
        name = f"torch {torch.__version__}"
        places = {
            "same pages": torch.from_numpy(table),
            "its own pages": torch.ones(TABLE // 4 // DIM, DIM),
        }
        into, index = torch.from_numpy(out), torch.from_numpy(ids)
        peers = {
            key: (lambda at=at: torch.index_select(at, 0, index, out=into)) for key, at in places.items()
        }

    return [
        Row(
            name=f"{threads} thread{'s' * (threads > 1)}, torch on {pages}",
            ours=on_threads(threads, ROWS / 1e6, lambda: gather(table, ids, out)),
            peer=on_threads(threads, ROWS / 1e6, peers[pages]) if peers else None,
            peer_name=name,
            limit=on_threads(threads, ROWS / 1e6, lambda: gather(table, in_order, out)),
            note="limit: rows side by side" + ("" if peers else "; torch is not installed"),
        )
        for threads in (1, 2)
        for pages in ("same pages", "its own pages")
    ]


CASE = Case(
    name="gather",
    summary=f"{ROWS:,} random rows of {DIM} floats from a table of 2 GiB in memory; PyTorch beside it",
    unit="M rows/s",
    rows=_rows,
    config={"table_bytes": TABLE, "dim": DIM, "rows": ROWS, "seed": SEED},
    repeat=7,
    packages=("torch",),
)
