"""The snippets that a newcomer copies run, and run again."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


def snippets(name):
    text = (ROOT / name).read_text("utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def test_snippets_run_twice(tmp_path, monkeypatch):
    if not (ROOT / "README.md").exists():
        pytest.skip("the documentation is not here")
    pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    names = ["alice", "bob", *(f"p{i}" for i in range(38))]
    Path("people.csv").write_text(
        "".join(f"{names[a]},{names[b]}\n" for a, b in rng.integers(0, 40, (200, 2)))
    )
    Path("clubs.csv").write_text("".join(f"{name},club{i % 2}\n" for i, name in enumerate(names)))
    for _ in range(2):
        for name in ("README.md", "docs/quickstart.md"):
            assert snippets(name)
            for snippet in snippets(name):
                exec(snippet, {})
    import weft

    weft.ingest("people.csv", "people.weft", labels="clubs.csv", overwrite=True)
    for snippet in snippets("docs/evaluation.md"):
        exec(snippet, {})


def test_snippets_on_temporal_models_run(tmp_path, monkeypatch):
    if not (ROOT / "README.md").exists():
        pytest.skip("the documentation is not here")
    monkeypatch.chdir(tmp_path)
    shared = {}  # the second goes on from the first
    for snippet in snippets("docs/temporal_models.md"):
        exec(snippet, shared)
    assert np.isfinite(shared["epoch"].loss)
