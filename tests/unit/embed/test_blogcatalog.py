"""The published protocol on a real graph."""

from __future__ import annotations

import numpy as np
import pytest

from weft.embed import NodeEmbedding
from weft.graph import Graph, Labels


@pytest.fixture(scope="module")
def blogcatalog(data_dir):
    io = pytest.importorskip("scipy.io")
    pytest.importorskip("sklearn")
    file = io.loadmat(data_dir / "blogcatalog" / "blogcatalog.mat")
    edges, groups = file["network"].tocoo(), file["group"].tocoo()
    graph = Graph.from_edges(edges.row, edges.col, num_nodes=edges.shape[0])
    labels = Labels.from_pairs(groups.row.astype(np.int64), [str(c) for c in groups.col], edges.shape[0])
    return graph, labels


@pytest.mark.slow
@pytest.mark.data
def test_deepwalk_on_blogcatalog(blogcatalog):
    from weft.eval import classify_nodes

    graph, labels = blogcatalog
    # Half the default's passes, to stay within a minute; those of the default reach 36.4/41.4/42.9.
    model = NodeEmbedding(epochs=500).fit(graph)
    report = classify_nodes(model.embedding_, labels, trials=3)
    # DeepWalk published 35.9 / 41.5 / 42.4; three trials move by about 0.5 at 90 %.
    for score, least in zip(report.scores, (0.350, 0.405, 0.415), strict=True):
        assert score.micro_mean >= least, report


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize(
    ("method", "bars"), [("prone", (0.365, 0.402, 0.402)), ("lightne", (0.372, 0.415, 0.420))]
)
def test_factorisations_on_blogcatalog(blogcatalog, method, bars):
    from weft.eval import classify_nodes

    graph, labels = blogcatalog
    report = classify_nodes(NodeEmbedding(method=method).fit_transform(graph), labels, trials=3)
    # Five trials: prone 37.5/41.1/41.5, lightne 38.2/42.5/43.3; three move by about 0.5 at 90 %.
    for score, least in zip(report.scores, bars, strict=True):
        assert score.micro_mean >= least, report
