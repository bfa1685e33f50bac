"""Links of events: metrics, split, negatives, baselines, the protocol."""

from __future__ import annotations

import numpy as np
import pytest

from weft.errors import WeftValueError
from weft.eval import CountRecency, EdgeBank, OneVsMany, evaluate_events, metrics, split_events
from weft.eval._pairs import NEVER, Pairs


def events(count=600, nodes=30, times=200, seed=0):
    rng = np.random.default_rng(seed)
    source, target = rng.integers(0, nodes, (2, count))
    return source, target + nodes, np.sort(rng.integers(-times, times, count))


def test_average_precision_is_that_of_scikit_learn():
    sklearn = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    for count, values in ((1, 2), (7, 3), (200, 10), (1000, 10**9)):
        positive, negative = (
            rng.integers(0, values, count) + 1.0,
            rng.integers(0, values, count).astype(float),
        )
        ours = metrics.average_precision(positive, negative)
        truth = np.repeat([1, 0], count)
        theirs = sklearn.average_precision_score(truth, np.concatenate([positive, negative]))
        assert ours == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize(("positive", "negative"), [([], [1.0]), ([1.0], []), ([np.nan], [1.0])])
def test_average_precision_refuses(positive, negative):
    with pytest.raises(WeftValueError, match="average precision"):
        metrics.average_precision(np.array(positive), np.array(negative))


def test_mrr_is_that_of_tgb():
    """py-tgb brings pandas and clint, so its definition stands here: half of optimistic and pessimistic."""
    rng = np.random.default_rng(1)
    positive, negative = rng.integers(0, 5, 300).astype(float), rng.integers(0, 5, (300, 20)).astype(float)
    expected = []
    for score, others in zip(positive, negative, strict=True):
        optimistic, pessimistic = sum(others > score), sum(others >= score)
        expected.append(1 / (0.5 * (optimistic + pessimistic) + 1))
    assert metrics.mrr(metrics.ranks(positive, negative)) == pytest.approx(np.mean(expected), abs=1e-12)


def test_mrr_equals_py_tgb():
    tgb = pytest.importorskip("tgb.linkproppred.evaluate")
    rng = np.random.default_rng(2)
    positive, negative = rng.integers(0, 5, 300).astype(float), rng.integers(0, 5, (300, 20)).astype(float)
    asked = {"y_pred_pos": positive, "y_pred_neg": negative, "eval_metric": ["mrr"]}
    theirs = tgb.Evaluator(name="tgbl-wiki").eval(asked)["mrr"]
    # py-tgb takes the mean in float32: 300 summands, a relative error of some 2**-24 each.
    assert metrics.mrr(metrics.ranks(positive, negative)) == pytest.approx(float(theirs), rel=1e-6)


def test_split_by_time():
    source, target, time = events(1000)
    shuffled = np.random.default_rng(3).permutation(1000)
    source, target, time = source[shuffled], target[shuffled], time[shuffled]
    made = split_events(source, target, time)
    assert sorted(np.concatenate([made.train, made.val, made.test])) == list(range(1000))
    assert time[made.train].max() < time[made.val].min() <= time[made.val].max() < time[made.test].min()
    assert len(made.train) == pytest.approx(700, abs=10)
    assert len(made.test) == pytest.approx(150, abs=10)
    for part in (made.train, made.val, made.test):
        assert np.all(np.diff(time[part]) >= 0)


def test_hidden_nodes_are_unseen():
    source, target, time = events(1000)
    made = split_events(source, target, time, hide=0.1, seed=4)
    seen = np.union1d(source[made.train], target[made.train])
    expected = ~(np.isin(source, seen) & np.isin(target, seen))
    np.testing.assert_array_equal(made.unseen, expected)
    assert made.unseen[made.test].any()
    assert not made.unseen[made.train].any()


@pytest.mark.parametrize("times", [[], [5, 5, 5]])
def test_split_refuses_what_cannot_be_cut(times):
    nodes = np.arange(len(times))
    with pytest.raises(WeftValueError, match="split events"):
        split_events(nodes, nodes, times)


def brute(source, target, time, history, candidates, at):
    """What may be drawn: historical, random."""
    own = {d for s, d, t in zip(source, target, time, strict=True) if s == source[at] and t == time[at]}
    past = {d for s, d in history if s == source[at]}
    return past - own, set(candidates) - past - own


@pytest.mark.parametrize("count", [1, 7, 20, 100])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_negatives_are_drawn_as_by_tgb(count, share):
    source, target, time = events(300, nodes=30, times=20)
    pairs = list(zip(*events(400, nodes=30, seed=5)[:2], strict=True))
    history = Pairs()
    history.add(*np.array(pairs).T, np.zeros(len(pairs), np.int64))
    candidates = np.arange(30, 60)
    drawn = OneVsMany(
        source, target, time, candidates, history=history, count=count, historical=share, seed=1
    )
    rows = drawn.of(0, 300)
    for at, row in enumerate(rows):
        past, free = brute(source, target, time, pairs, candidates, at)
        got = row[row >= 0]
        assert len(set(got)) == len(got)
        of_past = set(got) & past
        assert set(got) <= past | free
        assert len(of_past) == min(int(share * count), len(past))
        assert len(got) == len(of_past) + min(count - len(of_past), len(free))
        assert set(got[: len(of_past)]) == of_past


def test_negatives_do_not_depend_on_batches():
    source, target, time = events()
    history = Pairs()
    history.add(source[:300], target[:300], time[:300])
    whole = OneVsMany(source, target, time, np.arange(30, 60), history=history, count=9, seed=2)
    pieces = [whole.of(begin, min(begin + 77, 600)) for begin in range(0, 600, 77)]
    np.testing.assert_array_equal(whole.of(0, 600), np.concatenate(pieces))
    later = OneVsMany(
        source[100:], target[100:], time[100:], np.arange(30, 60), history=history, count=9, seed=2
    )
    assert (later.of(0, 500) != whole.of(100, 600)).any()
    later = OneVsMany(
        source[100:], target[100:], time[100:], np.arange(30, 60), history=history, count=9, seed=2, first=100
    )
    # Events of one time stood on both sides of the cut; elsewhere nothing changes.
    alone = time[100:] > time[99]
    np.testing.assert_array_equal(later.of(0, 500)[alone], whole.of(100, 600)[alone])


def test_negatives_are_uniform():
    count, nodes = 20_000, 10
    source, target = np.zeros(count, np.int64), np.zeros(count, np.int64)
    drawn = OneVsMany(source, target, np.arange(count), np.arange(nodes), count=3, seed=7).of(0, count)
    found = np.bincount(drawn.ravel(), minlength=nodes)
    assert found[0] == 0
    # 9 targets with 3 draws of 9: mean count / 3, deviation sqrt(count * 2 / 9) = 67; five of these.
    assert np.abs(found[1:] - count / 3).max() < 5 * 67


@pytest.mark.parametrize(
    "wrong", [{"count": 0}, {"historical": 1.5}, {"candidates": [3, 1]}, {"source": [1, 2, 3]}]
)
def test_negatives_refuse(wrong):
    given = {"source": [0], "target": [1], "time": [2], "candidates": [1, 2]} | wrong
    with pytest.raises(WeftValueError):
        OneVsMany(**given)


def test_pairs_equal_a_dictionary():
    rng, ours, theirs = np.random.default_rng(8), Pairs(), {}
    for step in range(40):
        source, target = rng.integers(0, 20, (2, int(rng.integers(0, 60))))
        time = rng.integers(-50, 50, len(source))
        ours.add(source, target, time)
        for s, d, t in zip(source.tolist(), target.tolist(), time.tolist(), strict=True):
            count, last = theirs.get((s, d), (0, NEVER))
            theirs[s, d] = count + 1, max(last, t)
        if step % 7 == 6:
            gone = rng.integers(0, 20, (2, 5))
            ours.forget(*gone)
            for pair in zip(*gone.tolist(), strict=True):
                theirs.pop(pair, None)
    ours.expire(10)
    theirs = {pair: known for pair, known in theirs.items() if known[1] >= 10}
    every = np.stack(np.meshgrid(np.arange(20), np.arange(20))).reshape(2, -1)
    count, last = ours.find(*every)
    for s, d, n, t in zip(*every.tolist(), count.tolist(), last.tolist(), strict=True):
        assert (n, t) == theirs.get((s, d), (0, NEVER))
    row, target = ours.partners(np.arange(20))
    assert list(zip(row.tolist(), target.tolist(), strict=True)) == sorted(theirs)
    again = Pairs()
    again.load_state_dict(ours.state_dict())
    for a, b in zip(ours.find(*every), again.find(*every), strict=True):
        np.testing.assert_array_equal(a, b)


def test_edgebank_remembers_pairs():
    bank, windowed = EdgeBank(), EdgeBank(window=10)
    for one in (bank, windowed):
        one.observe([1, 2], [5, 6], [100, 200])
    assert bank.score([1, 5, 1, 2], [5, 1, 6, 6], [300] * 4).tolist() == [1, 0, 0, 1]
    assert windowed.score([2, 2, 1], [6, 6, 5], [210, 211, 210]).tolist() == [1, 0, 0]
    assert windowed.score([2], [6], [np.iinfo(np.int64).min]).tolist() == [1]
    bank.forget([2], [6])
    assert bank.score([1, 2], [5, 6], [300, 300]).tolist() == [1, 0]


def test_count_recency_is_its_formula():
    model = CountRecency()
    source, target, time = events()
    model.observe(source[:400], target[:400], time[:400])
    asked = source[400:], target[400:], time[400:]
    gap = max(1.0, (time[399] - time[0]) / 400)

    def recency(age):
        return 0.0 if age is None else 1 / (1 + np.log1p(age / gap))

    def often(n):
        return np.log1p(n) / (1 + np.log1p(n))

    for s, d, t, score in zip(*asked, model.score(*asked), strict=True):
        same = (source[:400] == s) & (target[:400] == d)
        turned = (source[:400] == d) & (target[:400] == s)
        popular = target[:400] == d
        age = [t - time[:400][which].max() if which.any() else None for which in (same, turned, popular)]
        expected = recency(age[0]) + 0.5 * recency(age[1]) + 0.1 * recency(age[2])
        expected += 0.01 * often(same.sum()) + 0.001 * often(popular.sum())
        assert score == pytest.approx(expected, abs=1e-6)  # float32


class Oracle:
    """Knows all events, and takes note of what it was told before what it was asked."""

    def __init__(self, source, target, time):
        self.true = set(zip(source.tolist(), target.tolist(), time.tolist(), strict=True))
        self.told, self.latest = 0, None

    def score(self, source, target, time):
        assert self.latest is None or time.min() >= self.latest
        return np.array(
            [key in self.true for key in zip(*map(np.ndarray.tolist, (source, target, time)), strict=True)],
            float,
        )

    def observe(self, source, target, time, eid):
        np.testing.assert_array_equal(eid, np.sort(eid))
        self.told, self.latest = self.told + len(time), time.max()


def test_an_oracle_is_perfect():
    source, target, time = events()
    oracle = Oracle(source, target, time)
    split = split_events(source, target, time, hide=0.1)
    found = evaluate_events(oracle, source, target, time, split, num_negatives=10, batch_size=50)
    for part in (found.val, found.test, found.unseen):
        assert (part.ap, part.auc, part.mrr) == (1, 1, 1)
    assert found.test.events == len(split.test)
    assert found.unseen.events == split.unseen[split.test].sum()
    assert oracle.told == sum(map(len, (split.train, split.val, split.test)))


def test_a_constant_is_chance():
    class Constant:
        def score(self, source, target, time):
            return np.zeros(len(source))

        def observe(self, source, target, time, eid):
            pass

    source, target, time = events()
    found = evaluate_events(
        Constant(), source, target, time, split_events(source, target, time), num_negatives=9
    )
    assert (found.test.ap, found.test.auc) == (0.5, 0.5)
    assert found.test.mrr == pytest.approx(1 / 5.5)


def test_baselines_on_messages(data_dir):
    path = data_dir / "collegemsg" / "CollegeMsg.txt.gz"
    if not path.is_file():
        pytest.skip("collegemsg is not there")
    source, target, time = np.loadtxt(path, np.int64).T
    split = split_events(source, target, time)
    bank = evaluate_events(EdgeBank(), source, target, time, split, num_negatives=20)
    rule = evaluate_events(CountRecency(), source, target, time, split, num_negatives=20)
    assert rule.test.ap > bank.test.ap > 0.7
    assert rule.test.mrr > bank.test.mrr
