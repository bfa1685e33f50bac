"""The cases. A new file here defines ``CASE`` and is added to the tuple below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.cases import ingest, walk

if TYPE_CHECKING:
    from benchmarks.case import Case

__all__ = ["CASES"]

CASES: dict[str, Case] = {case.name: case for case in (ingest.CASE, ingest.MEMORY, walk.CASE, walk.WEIGHTED)}
