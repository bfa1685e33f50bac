"""Sampling hop by hop against a plain list of events, while events arrive, come late, go and expire."""

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from weft.errors import WeftValueError
from weft.graph import TemporalGraph
from weft.kernels.temporal.reference import TemporalRows
from weft.sampling import TemporalNeighborSampler

SEED = st.integers(0, 1 << 30)
OPTIONS = st.fixed_dictionaries(
    {
        "how": st.sampled_from(["recent", "uniform"]),
        "window": st.one_of(st.none(), st.integers(1, 40)),
        "snapshots": st.integers(1, 3),
        "inclusive": st.booleans(),
        "replace": st.booleans(),
        "dedup": st.booleans(),
        "prop_time": st.booleans(),
    }
)
MASK = (1 << 64) - 1


def item_of(node, time):
    z = time & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return ((z ^ (z >> 31)) + node) & MASK


class Definition:
    """What a root finds: events from a list, one root at a time."""

    def __init__(self, known, nodes, directed, options, seed):
        self.ids = list(known)
        self.rows = TemporalRows(nodes, both=not directed)
        for number, (u, v, t) in enumerate(known.values()):
            self.rows.append([u], [v], [t], number)
        self.options, self.seed = options, seed

    def found(self, node, time, fanout, hop, k):
        """(id, time difference, node, time of that node) of every event that is drawn."""
        o = self.options
        before = (o["snapshots"] - 1 - k) * (o["window"] or 0)
        drawn = self.rows.sample(
            [node],
            [time - before],
            fanout,
            how=o["how"],
            seed=self.seed,
            hop=hop * o["snapshots"] + k,
            item=np.array([item_of(node, time)], np.uint64),
            replace=o["replace"],
            inclusive=o["inclusive"] and before == 0,
            window=o["window"] or 0,
        )
        at = [time if o["prop_time"] else int(t) for t in drawn.time]
        ids = [self.ids[number] for number in drawn.number]
        return list(zip(ids, (time - drawn.time).tolist(), drawn.node.tolist(), at, strict=True))


def compare(got, wanted, nodes, times, num_neighbors, dedup):
    """Every root of every hop, and that a hop's roots are what the hop before found."""
    pairs = list(zip(nodes, times, strict=True))
    roots = list(zip(got.node.tolist(), got.time.tolist(), strict=True))
    assert [roots[i] for i in got.of] == pairs
    assert roots == (sorted(set(pairs), key=lambda p: p[::-1]) if dedup else pairs)
    for k, hops in enumerate(got.snapshots):
        here = roots
        for hop, fanout in enumerate(num_neighbors):
            found = hops[hop]
            then = list(zip(found.node.tolist(), found.time.tolist(), strict=True))
            flat = [(i, e) for i, (u, t) in enumerate(here) for e in wanted.found(u, t, fanout, hop, k)]
            assert found.row.tolist() == [i for i, _ in flat]
            assert found.eid.tolist() == [e[0] for _, e in flat]
            assert found.delta.tolist() == [e[1] for _, e in flat]
            reached = [e[2:] for _, e in flat]
            assert [then[i] for i in found.col] == reached
            assert then == (sorted(set(reached), key=lambda p: p[::-1]) if dedup else reached)
            assert {a.dtype for a in (found.row, found.col, found.eid, found.delta, found.time)} == {
                np.dtype(np.int64)
            }
            here = then


class Sampling(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.directed = False
        self.graph = TemporalGraph(9)
        self.known, self.next, self.held = {}, 0, []

    @rule()
    @precondition(lambda self: self.next == 0)
    def direct(self):
        self.directed, self.graph = True, TemporalGraph(9, directed=True)

    @rule(count=st.integers(0, 60), seed=SEED)
    def append(self, count, seed):
        rng = np.random.default_rng(seed)
        events = np.stack([*rng.integers(0, 9, (2, count)), rng.integers(-30, 30, count)], axis=1)
        ids = self.graph.append(*events.T, np.arange(count) + self.next)
        self.known.update(zip(ids.tolist(), map(tuple, events.tolist()), strict=True))
        self.next += count + 3

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def delete(self, data):
        some = data.draw(st.lists(st.sampled_from(sorted(self.known)), unique=True, max_size=9))
        self.graph.delete(some)
        for eid in some:
            del self.known[eid]

    @rule(before=st.integers(-32, 10))
    def expire(self, before):
        self.graph.expire(before)
        self.known = {eid: e for eid, e in self.known.items() if e[2] >= before}

    @rule()
    def hold(self):
        self.held = [*self.held[-1:], (self.graph.snapshot(), dict(self.known))]

    @precondition(lambda self: self.known)
    @rule(
        pairs=st.integers(0, 12),
        hops=st.lists(st.integers(0, 4), min_size=1, max_size=2),
        options=OPTIONS,
        seed=SEED,
    )
    def sample(self, pairs, hops, options, seed):
        rng = np.random.default_rng(seed)
        nodes, times = rng.integers(0, 9, pairs).tolist(), rng.integers(-30, 60, pairs).tolist()
        if options["snapshots"] > 1 and options["window"] is None:
            with pytest.raises(WeftValueError, match="length of a window"):
                TemporalNeighborSampler(self.graph, hops, **options)
            return
        for graph, known in [(self.graph, self.known), *self.held]:
            sampler = TemporalNeighborSampler(graph, hops, **options)
            wanted = Definition(known, 9, self.directed, options, seed)
            compare(sampler.sample(nodes, times, seed=seed), wanted, nodes, times, hops, options["dedup"])


TestSampling = Sampling.TestCase
TestSampling.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
