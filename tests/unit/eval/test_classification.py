"""Node classification: refusals, the protocol against scikit-learn's own pieces, determinism."""

import dataclasses
import sys

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.multiclass import OneVsRestClassifier

from weft.errors import MissingExtraError, WeftValueError
from weft.eval import classify_nodes
from weft.graph import Graph, Labels


def _planted(nodes=400, labels=5, dim=8, noise=1.0, seed=1, several=True):
    """Vectors around the sum of the centres of each node's labels."""
    rng = np.random.default_rng(seed)
    has = rng.random((nodes, labels)) < (0.2 if several else 0)
    has[np.arange(nodes), rng.integers(0, labels, nodes)] = True
    vectors = has @ rng.normal(size=(labels, dim)) + noise * rng.normal(size=(nodes, dim))
    label = np.nonzero(has)[1]
    indptr = np.zeros(nodes + 1, np.int64)
    np.cumsum(has.sum(1), out=indptr[1:])
    names = tuple(f"l{i}" for i in range(labels))
    return vectors.astype(np.float32), Labels(indptr, label.astype(np.uint32), names), has


VECTORS, LABELS, HAS = _planted()


@pytest.mark.parametrize("portions", [(), (0.0,), (1.0,), (0.5, 1.5), (-0.1,), (float("nan"),)])
def test_portions_out_of_range(portions):
    with pytest.raises(WeftValueError, match="portions must lie between 0 and 1"):
        classify_nodes(VECTORS, LABELS, portions=portions)


def test_trials_out_of_range():
    with pytest.raises(WeftValueError, match="trials must be at least 1"):
        classify_nodes(VECTORS, LABELS, trials=0)


def test_lengths_that_disagree():
    with pytest.raises(WeftValueError, match="399 vectors but labels for 400 nodes"):
        classify_nodes(VECTORS[1:], LABELS)


@pytest.mark.parametrize("vectors", [VECTORS[0], VECTORS.astype(np.int64)])
def test_vectors_of_another_kind(vectors):
    with pytest.raises(WeftValueError, match=r"float \[N, D\]"):
        classify_nodes(vectors, LABELS)


def test_a_graph_without_labels():
    graph = Graph.from_edges([0], [1])
    with pytest.raises(WeftValueError, match=r"labels must be a Labels \(got None\); a graph has them if"):
        classify_nodes(np.eye(2, dtype=np.float32), graph.labels)


def test_vectors_that_diverged():
    broken = VECTORS.copy()
    broken[7, 3] = np.nan
    with pytest.raises(WeftValueError, match="1 of 400 vectors hold NaN"):
        classify_nodes(broken, LABELS)


@pytest.mark.parametrize("labelled", [0, 1])
def test_too_few_labelled_nodes(labelled):
    labels = Labels.from_pairs(np.arange(labelled), ["a"] * labelled, 400)
    with pytest.raises(WeftValueError, match="at least 2 nodes with labels"):
        classify_nodes(VECTORS, labels)


def test_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    with pytest.raises(MissingExtraError, match=r"pip install scikit-learn"):
        classify_nodes(VECTORS, LABELS)


def test_equals_the_protocol_spelt_out():
    report = classify_nodes(VECTORS, LABELS, portions=(0.1, 0.5), trials=2, seed=3)
    unit = VECTORS.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    from weft.rng import Op, key

    for score in report.scores:
        assert score.train + score.test == 400
        for trial in range(2):
            order = np.random.default_rng([key(3, Op.EVALUATE), trial]).permutation(400)
            train, test = order[: score.train], order[score.train :]
            model = OneVsRestClassifier(LogisticRegression(solver="liblinear"))
            chances = model.fit(unit[train], HAS[train]).predict_proba(unit[test])
            given = np.zeros_like(HAS[test])
            for row, count in enumerate(HAS[test].sum(1)):
                given[row, np.argsort(-chances[row], kind="stable")[:count]] = True
            for average, ours in (("micro", score.micro), ("macro", score.macro)):
                expected = f1_score(HAS[test], given, average=average, zero_division=0)
                assert ours[trial] == pytest.approx(expected, abs=1e-12)


def test_nodes_without_labels_take_no_part():
    some = np.sort(np.random.default_rng(0).permutation(500)[:400])
    vectors = np.full((500, 8), 1e3, np.float32)
    vectors[some] = VECTORS
    owner, label = LABELS.pairs()
    indptr = np.zeros(501, np.int64)
    np.cumsum(np.bincount(some[owner], minlength=500), out=indptr[1:])
    sparse = Labels(indptr, label, LABELS.names)
    a = classify_nodes(VECTORS, LABELS, trials=1)
    b = classify_nodes(vectors, sparse, trials=1)
    assert a.scores == b.scores
    assert b.nodes == 400


def test_a_seed_fixes_the_result_whatever_the_workers():
    runs = [classify_nodes(VECTORS, LABELS, trials=2, seed=5, workers=w) for w in (1, 1, 2)]
    assert runs[0].scores == runs[1].scores == runs[2].scores
    assert runs[0].scores != classify_nodes(VECTORS, LABELS, trials=2, seed=6).scores


def test_separable_labels_are_found_and_noise_is_not():
    vectors, labels, _ = _planted(noise=0.01, several=False)
    assert classify_nodes(vectors, labels, trials=2).scores[-1].micro_mean > 0.99
    shuffled = vectors[np.random.default_rng(0).permutation(len(vectors))]
    assert classify_nodes(shuffled, labels, trials=2).scores[-1].micro_mean < 0.5


def test_labels_that_none_or_all_of_the_training_nodes_have():
    labels = Labels.from_pairs(np.r_[np.arange(10), 3], ["all"] * 10 + ["rare"], 10)
    report = classify_nodes(VECTORS[:10], labels, portions=(0.1, 0.9), trials=5)
    assert all(0.8 <= score.micro_mean <= 1 for score in report.scores)


def test_equal_and_zero_vectors():
    report = classify_nodes(np.zeros((400, 8), np.float32), LABELS, trials=1)
    assert 0 <= report.scores[0].micro_mean < 0.7


def test_report_as_plain_values():
    report = classify_nodes(VECTORS, LABELS, trials=3, portions=(0.5,))
    plain = report.to_dict()
    score = report.scores[0]
    assert plain["portions"][0]["micro_f1"] == np.mean(score.micro)
    assert plain["portions"][0]["macro_f1_std"] == np.std(score.macro) == score.macro_std
    assert score.micro_std == np.std(score.micro)
    assert dataclasses.asdict(report)["nodes"] == plain["nodes"] == 400


def test_workers_must_be_positive():
    with pytest.raises(WeftValueError, match="workers must be at least 1"):
        classify_nodes(VECTORS, LABELS, trials=1, workers=0)
