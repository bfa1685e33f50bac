"""What the documentation shows runs."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

import weft.loader
from weft.graph import HeteroGraph, Labels

ROOT = Path(__file__).parents[3]


def test_the_snippets_of_training(graph, rows, labels, tmp_path, monkeypatch):
    if not (ROOT / "docs" / "training.md").exists():
        pytest.skip("the documentation is not here")
    text = (ROOT / "docs" / "training.md").read_text("utf-8").split("## Loading batches")[0]
    whole, typed = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    named = Labels.from_pairs(np.arange(300), [str(label) for label in labels], 300)
    dataclasses.replace(graph, labels=named).save("people.weft")
    np.save("x.npy", rows)
    names = {}
    exec(whole, names)
    assert names["made"].output.shape == (300, 3)
    assert names["trained"].scores["test"] > 0.7
    edges = {("author", "writes", "paper"): (np.arange(9), np.arange(9))}
    names = {
        "weft": weft,
        "graph": HeteroGraph.from_edges(edges, {"author": 9, "paper": 30}),
        "features": {"author": np.ones((9, 64), np.float32), "paper": np.ones((30, 128), np.float32)},
        "train": np.arange(20),
    }
    exec(typed, names)
    assert names["out"].shape == (20, 40)
