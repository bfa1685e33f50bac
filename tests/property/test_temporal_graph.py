"""A temporal graph against a plain list of events, whatever is done to it in which order."""

import tempfile

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from weft.errors import WeftValueError
from weft.graph import TemporalGraph

NODE, TIME = st.integers(0, 12), st.integers(-30, 30)
EVENTS = st.lists(st.tuples(NODE, NODE, TIME), max_size=60)


class Events(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.graph = TemporalGraph()
        self.known = {}  # id: (source, target, time), in the order of arrival
        self.used, self.next, self.seen = set(), 0, []

    def rows(self, known, node):
        """(time, order of arrival, other end, id) of a node."""
        found = []
        for order, (eid, (u, v, t)) in enumerate(known.items()):
            if node in (u, v):
                found.append((t, order, v if u == node else u, eid))
        return sorted(found)

    @rule(events=EVENTS)
    def append(self, events):
        if any(self.next + i in self.used for i in range(len(events))):
            with pytest.raises(WeftValueError, match="came before"):
                self.graph.append(*self.columns(events))
            return
        ids = self.graph.append(*self.columns(events))
        assert ids.tolist() == list(range(self.next, self.next + len(events)))
        self.keep(ids, events)

    @rule(events=EVENTS, seed=st.integers(0, 1 << 30))
    def append_with_ids(self, events, seed):
        rng = np.random.default_rng(seed)
        ids = rng.choice(1 << 16, len(events), replace=False) - 100
        if self.used & set(ids.tolist()):
            with pytest.raises(WeftValueError, match="came before"):
                self.graph.append(*self.columns(events), ids)
            return
        self.graph.append(*self.columns(events), ids)
        self.keep(ids, events)

    def columns(self, events):
        return np.array(events, np.int64).reshape(-1, 3).T

    def keep(self, ids, events):
        self.known.update(zip(ids.tolist(), events, strict=True))
        self.used.update(ids.tolist())
        self.next += len(events)

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def delete(self, data):
        some = data.draw(st.lists(st.sampled_from(sorted(self.known)), unique=True, max_size=9))
        self.graph.delete(some)
        for eid in some:
            del self.known[eid]
        if some:
            with pytest.raises(WeftValueError, match="deleted before"):
                self.graph.delete(some[:1])

    @precondition(lambda self: self.graph.num_nodes > 0)
    @rule(data=st.data())
    def delete_node(self, data):
        node = data.draw(st.integers(0, self.graph.num_nodes - 1))
        gone = [eid for eid, (u, v, _) in self.known.items() if node in (u, v)]
        assert self.graph.delete_node(node) == len(gone)
        for eid in gone:
            del self.known[eid]

    @rule(before=TIME)
    def expire(self, before):
        gone = [eid for eid, (_, _, t) in self.known.items() if t < before]
        assert self.graph.expire(before) == len(gone)
        for eid in gone:
            del self.known[eid]

    @rule()
    def snapshot(self):
        self.seen = [*self.seen[-2:], (self.graph.snapshot(), dict(self.known))]

    @rule()
    def compact(self):
        self.graph.compact()

    @rule()
    def save_and_open(self):
        with tempfile.TemporaryDirectory() as folder:
            self.graph.save(f"{folder}/graph")
            opened = TemporalGraph.open(f"{folder}/graph", verify=True)
        for name in ("num_nodes", "num_events", "directed"):
            assert getattr(opened, name) == getattr(self.graph, name)
        self.same_draws(opened)
        self.graph = opened

    def same_draws(self, opened):
        nodes = self.graph.num_nodes
        if nodes:
            root, time = np.arange(nodes), np.arange(nodes) * 5 - 30
            for graph in (opened, opened.snapshot()):
                ours = graph.rows.sample(root, time, 3, how="uniform", seed=1)
                theirs = self.graph.rows.sample(root, time, 3, how="uniform", seed=1)
                for a, b in zip(ours, theirs, strict=True):
                    assert a.tolist() == b.tolist()

    def same(self, graph, rows, known, nodes):
        if not nodes:
            return
        drawn = rows.sample(np.arange(nodes), np.full(nodes, 100), 10_000)
        eids = graph.eids(drawn.number)
        for node in range(nodes):
            here = drawn.row == node
            wanted = self.rows(known, node)[::-1]
            assert eids[here].tolist() == [e[3] for e in wanted]
            assert drawn.time[here].tolist() == [e[0] for e in wanted]
            assert drawn.node[here].tolist() == [e[2] for e in wanted]

    @invariant()
    def graph_is_the_list(self):
        assert self.graph.num_events == len(self.known)
        self.same(self.graph, self.graph.rows, self.known, self.graph.num_nodes)
        listed = {}
        for piece in self.graph.events():
            for u, v, t, eid, _ in zip(*(column.tolist() for column in piece), strict=True):
                listed[eid] = (u, v, t)
        assert listed == self.known
        assert list(listed) == list(self.known)

    @invariant()
    def snapshots_stand(self):
        for snapshot, known in self.seen:
            assert snapshot.num_events == len(known)
            self.same(snapshot, snapshot.rows, known, snapshot.num_nodes)


TestEvents = Events.TestCase
TestEvents.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
