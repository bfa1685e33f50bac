"""What a result was measured on and with."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

__all__ = ["machine", "versions"]

# The instruction sets that change which code runs here.
_FLAGS = ("sse4_2", "avx2", "bmi2", "fma", "avx512f", "avx512bw", "avx512vl", "asimd", "sve")


def _cpuinfo() -> dict[str, str]:
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return {}
    lines = path.read_text().split("\n\n")[0].splitlines()
    pairs = (line.partition(":") for line in lines)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _huge_pages() -> str:
    path = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    text = path.read_text() if path.exists() else ""
    return text.partition("[")[2].partition("]")[0] or "unknown"


def machine() -> dict[str, object]:
    """CPU, usable cores, memory, kernel, instruction sets, and how busy it is right now."""
    info = _cpuinfo()
    flags = set((info.get("flags") or info.get("Features") or "").split())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": info.get("model name") or platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory / 2**30, 1),
        "kernel": platform.release(),
        "isa": [flag for flag in _FLAGS if flag in flags],
        "huge_pages": _huge_pages(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def _commit() -> str | None:
    root = Path(__file__).parents[1]
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def versions(packages: tuple[str, ...]) -> dict[str, str | None]:
    """The versions of Python, weft, NumPy and ``packages``; None for one that is not installed."""
    found: dict[str, str | None] = {"python": platform.python_version(), "commit": _commit()}
    for name in ("weft", "numpy", *packages):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found
