"""Rows from disk: beside fio on the same file, beside memory mapping, and the processor's time for a row."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.case import Case, Row

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CASE", "write_features"]

FILE, BLOCK, DEPTH, SEED = 4 << 30, 4096, 128, 1
BLOCKS, ROWS, MAPPED = 40_000, 100_000, 10_000  # read in one go
DIM, IN_MEMORY = 128, 256 << 20  # float32 a row; bytes of the file on tmpfs
PIECE, APART = 1 << 18, 4096  # rows written, and read from memory, at once


def write_features(path: Path, rows: int, columns: int, seed: int = SEED) -> None:
    """A ``.npy`` file of random float32 rows whose data starts at byte 4096, on disk when this returns."""
    from weft.graph.format import npy_header

    rng = np.random.default_rng(seed)
    with path.open("wb") as file:
        file.write(npy_header(np.float32, (rows, columns)))
        for begin in range(0, rows, PIECE):
            file.write(rng.random((min(PIECE, rows - begin), columns), np.float32).data)
        file.flush()
        os.fsync(file.fileno())


def _fio(path: Path) -> tuple[Callable[[], float] | None, str]:
    """K reads/s that fio gets of 4 KiB blocks at random; or None, and why."""
    program = shutil.which("fio")
    if program is None:
        return None, "fio is not installed"
    words = [
        program,
        "--name=r",
        f"--filename={path}",
        "--rw=randread",
        f"--bs={BLOCK}",
        "--direct=1",
        "--runtime=2",
    ]
    words += ["--ioengine=io_uring", f"--iodepth={DEPTH}", "--time_based", "--output-format=json"]

    def run() -> float:
        said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        return json.loads(said)["jobs"][0]["read"]["iops"] / 1e3

    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return run, said.strip().replace("-", " ", 1)


def _taking(path: Path, rows: int, count: int, gap: int | None = None) -> Callable[[], float]:
    """K rows/s of a table on disk; other rows each time."""
    from weft.features import DiskTable

    table, rng = DiskTable(path, depth=DEPTH), np.random.default_rng(SEED)
    if gap is not None:
        table.set_gap(gap)
    out = np.empty((count, table.shape[1]), table.dtype)

    def run() -> float:
        ids = rng.choice(rows, count, replace=False)
        start = time.perf_counter()
        table.take(ids, out)
        return count / (time.perf_counter() - start) / 1e3

    return run


def _mapping(path: Path, rows: int) -> Callable[[], float]:
    """K rows/s of a mapped file of which nothing is in memory."""
    mapped, rng = np.load(path, mmap_mode="r"), np.random.default_rng(SEED)

    def run() -> float:
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        ids = rng.choice(rows, MAPPED, replace=False)
        start = time.perf_counter()
        np.take(mapped, ids, axis=0)
        return MAPPED / (time.perf_counter() - start) / 1e3

    return run


def _processor(folder: Path) -> Callable[[], float]:
    """K rows a second of processor time, from a file system in memory."""
    from weft.features import DiskTable

    path, rows = folder / "rows.npy", IN_MEMORY // 4 // DIM
    write_features(path, rows, DIM)
    rng = np.random.default_rng(SEED)

    def run() -> float:
        table = DiskTable(path, depth=DEPTH)
        ids, out = rng.permutation(rows), np.empty((rows, DIM), np.float32)
        out[:] = 0
        start = time.process_time()
        for begin in range(0, rows, APART):  # few at once, so that hardly two lie side by side
            table.take(ids[begin : begin + APART], out[begin : begin + APART])
        return rows / (time.process_time() - start) / 1e3

    return run


def _rows(folder: Path) -> list[Row]:
    wide, narrow = folder / "wide.npy", folder / "narrow.npy"
    blocks, rows = FILE // BLOCK, FILE // 4 // DIM
    write_features(wide, blocks, BLOCK // 4)
    write_features(narrow, rows, DIM)
    peer, name = _fio(wide)
    found: list[Row] = [
        Row(
            name="blocks of 4 KiB, one a read",
            ours=_taking(wide, blocks, BLOCKS, gap=0),
            peer=peer,
            peer_name=name if peer else None,
            limit=peer,
            note="the same file, block and depth, by io_uring and O_DIRECT" if peer else name,
        ),
        Row(
            name=f"rows of 512 bytes, {ROWS:,} at once",
            ours=_taking(narrow, rows, ROWS),
            peer=_mapping(narrow, rows),
            peer_name="numpy.memmap",
            note=f"of the mapped file nothing is in memory at first, {MAPPED:,} rows at once",
        ),
    ]
    if Path("/dev/shm").is_dir():
        import tempfile

        memory: Any = Path(tempfile.mkdtemp(dir="/dev/shm"))
        import atexit

        atexit.register(shutil.rmtree, memory, ignore_errors=True)
        found.append(
            Row(
                name=f"rows of 512 bytes on tmpfs, {APART:,} at once, a second of one core",
                ours=_processor(memory),
                note="processor time, all of the path but the device",
            )
        )
    return found


CASE = Case(
    name="disk",
    summary="rows from disk",
    unit="k rows/s",
    rows=_rows,
    config={
        "file_bytes": FILE,
        "block": BLOCK,
        "depth": DEPTH,
        "blocks": BLOCKS,
        "rows": ROWS,
        "dim": DIM,
        "seed": SEED,
    },
    repeat=7,
)
