"""Metrics against scikit-learn's."""

import numpy as np
import pytest
from sklearn import metrics as sk

from weft.errors import WeftValueError
from weft.eval import metrics


@pytest.mark.parametrize(("positive", "negative"), [([], [1.0]), ([1.0], []), ([np.nan], [1.0])])
def test_auc_refuses(positive, negative):
    with pytest.raises(WeftValueError, match="auc"):
        metrics.auc(np.array(positive), np.array(negative))


def test_ranks_refuses():
    with pytest.raises(WeftValueError, match=r"\[3, C\]"):
        metrics.ranks(np.zeros(3), np.zeros((2, 5)))
    with pytest.raises(WeftValueError, match="2 scores are NaN"):
        metrics.ranks(np.zeros(1), np.array([[np.nan, np.nan, 1.0]]))


@pytest.mark.parametrize("levels", [1, 3, 1000])
@pytest.mark.parametrize(("positives", "negatives"), [(1, 1), (63, 100), (1000, 17)])
def test_auc_equals_sklearn(positives, negatives, levels):
    rng = np.random.default_rng(positives + levels)
    positive = rng.integers(0, levels, positives) / levels + 0.1
    negative = rng.integers(0, levels, negatives) / levels
    truth = np.r_[np.ones(positives), np.zeros(negatives)]
    expected = sk.roc_auc_score(truth, np.r_[positive, negative])
    assert metrics.auc(positive, negative) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("nodes", [1, 63, 1000])
def test_f1_equals_sklearn(nodes):
    rng = np.random.default_rng(nodes)
    truth, given = rng.random((2, nodes, 7)) < 0.3
    given[:, 2] = truth[:, 2] = False  # neither present nor predicted
    micro, macro = metrics.f1((truth & given).sum(0), truth.sum(0), given.sum(0))
    assert micro == pytest.approx(sk.f1_score(truth, given, average="micro", zero_division=0))
    assert macro == pytest.approx(sk.f1_score(truth, given, average="macro", zero_division=0))


def test_f1_of_nothing_is_zero():
    none = np.zeros(0, np.int64)
    assert metrics.f1(none, none, none) == (0.0, 0.0)
    assert metrics.f1(*np.zeros((3, 4), np.int64)) == (0.0, 0.0)


def test_ranks_of_ties_are_means():
    negative = np.array([[0.1, 0.5, 0.9], [0.5, 0.5, 0.5], [0.0, 0.1, 0.2]])
    np.testing.assert_array_equal(metrics.ranks(np.full(3, 0.5), negative), [2.5, 2.5, 1.0])


def test_rank_metrics():
    ranks = np.array([1.0, 2.0, 4.0, 20.0])
    assert metrics.mrr(ranks) == pytest.approx((1 + 1 / 2 + 1 / 4 + 1 / 20) / 4)
    assert metrics.hits_at(ranks, 1) == 0.25
    assert metrics.hits_at(ranks, 4) == 0.75
    assert metrics.mrr(ranks[:0]) == metrics.hits_at(ranks[:0], 1) == 0.0
