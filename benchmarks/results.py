"""Dated results on disk: one file per run, never overwritten."""

from __future__ import annotations

import json
from pathlib import Path

__all__ = ["FOLDER", "latest", "save"]

FOLDER = Path(__file__).parent / "results"

Result = dict[str, object]


def save(result: Result, folder: Path = FOLDER) -> Path:
    """Write ``result`` as ``<date>-<case>.json``, or ``-2``, ``-3`` … when that exists."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{str(result['date'])[:10]}-{result['case']}"
    text = json.dumps(result, indent=1) + "\n"
    number = 1
    while True:
        path = folder / (f"{stem}.json" if number == 1 else f"{stem}-{number}.json")
        try:
            with path.open("x") as file:
                file.write(text)
        except FileExistsError:
            number += 1
        else:
            return path


def latest(folder: Path = FOLDER) -> dict[str, Result]:
    """The newest result of each case, by its own date; cases in alphabetical order."""
    found: dict[str, Result] = {}
    for path in sorted(folder.glob("*.json")):
        result = json.loads(path.read_text())
        name = str(result["case"])
        if name not in found or str(result["date"]) >= str(found[name]["date"]):
            found[name] = result
    return dict(sorted(found.items()))
