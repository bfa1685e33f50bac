"""What the documentation shows runs."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from weft.graph import HeteroGraph

ROOT = Path(__file__).parents[3]


def test_the_snippets_of_loading(made_graph, tmp_path, monkeypatch):
    if not (ROOT / "docs" / "training.md").exists():
        pytest.skip("the documentation is not here")
    text = (ROOT / "docs" / "training.md").read_text("utf-8").split("## Loading batches")[1]
    monkeypatch.chdir(tmp_path)
    made_graph().save("graph")
    np.save("x.npy", np.random.default_rng(0).random((300, 128), np.float32))
    names = {"train_mask": torch.arange(300) < 200, "y": torch.arange(300) % 40}
    nodes, types, links = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)[:3]
    exec(nodes, names)
    assert names["loader"].epoch == 10
    assert torch.isfinite(names["loss"])
    np.save("papers.npy", np.ones((30, 4), np.float32))
    edges = {("author", "writes", "paper"): (np.arange(9), np.arange(9))}
    names |= {"hetero": HeteroGraph.from_edges(edges, {"author": 9, "paper": 30})}
    names |= {"author_x": np.ones((9, 3), np.float32), "train_papers": np.arange(30) < 20}
    exec(types, names)
    assert [batch["paper"].batch_size for batch in names["papers"]] == [20]
    exec(links, names)
    assert "dst_neg_index" in names["batch"]
    assert torch.isfinite(names["loss"])
