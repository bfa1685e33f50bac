"""Parts of temporal models: each against a plain loop."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from weft.errors import WeftError, WeftValueError
from weft.graph import TemporalGraph
from weft.nn.temporal import Identity, NodeMemory, TemporalAttention, TimeEncoding
from weft.nn.temporal.near import rectangle
from weft.sampling import TemporalNeighborSampler


def test_attention_that_is_none():
    with pytest.raises(WeftValueError, match="10 columns are no multiple of 3 heads"):
        TemporalAttention(4, [5], 10, 3)


@pytest.mark.parametrize("heads", [1, 2, 5])
def test_attention_is_that_of_keys_and_values(heads):
    torch.manual_seed(0)
    layer = TemporalAttention(7, [4, 5], 10, heads, dropout=0.0)
    torch.nn.init.normal_(layer.bias)
    root, event = torch.randn(6, 7), torch.randn(6, 4, 9)
    there = torch.tensor([[True] * k + [False] * (4 - k) for k in (0, 1, 2, 3, 4, 4)])
    got = layer(root, event.split([4, 5], dim=2), there)
    each = 10 // heads
    for r in range(6):
        count = int(there[r].sum())
        for h in range(heads):
            columns = slice(h * each, (h + 1) * each)
            if count == 0:
                assert got[r].abs().max() == 0
                continue
            query = layer.query(root[r])[columns]
            key = event[r, :count] @ layer.key[h].T
            weight = (key @ query / math.sqrt(each)).softmax(0)
            wanted = weight @ (event[r, :count] @ layer.value[h]) + layer.bias[columns]
            # The same sums in another order, of fewer than 100 numbers near 1.
            torch.testing.assert_close(got[r, columns], wanted, rtol=1e-4, atol=1e-5)


def test_a_root_without_events_has_a_gradient_that_is_a_number():
    layer = TemporalAttention(3, [3], 4)
    root = torch.randn(2, 3, requires_grad=True)
    layer(root, [torch.zeros(2, 5, 3)], torch.zeros(2, 5, dtype=torch.bool)).sum().backward()
    assert root.grad is not None
    assert torch.isfinite(root.grad).all()


def test_differences_of_large_times_are_exact():
    graph, late = TemporalGraph(), (1 << 62) + 1
    graph.append([0, 0], [1, 2], [late, late + 2])
    hop = TemporalNeighborSampler(graph, [4]).sample([0], [late + 3]).hops[0]
    near = rectangle(hop, 1, 4)
    assert near.delta.tolist() == [[1.0, 3.0, 0.0, 0.0]]
    assert near.there.tolist() == [[True, True, False, False]]


@pytest.mark.parametrize("learned", [True, False])
def test_time_encoding(learned):
    encoding = TimeEncoding(10, learned=learned)
    got = encoding(torch.tensor([[0.0, 1.0], [5.0, 1e6]]))
    assert got.shape == (2, 2, 10)
    assert got[0, 0].tolist() == [1.0] * 10
    np.testing.assert_allclose(got[0, 1].detach(), np.cos(10.0 ** -np.arange(10)), atol=1e-6)
    assert encoding.weight.requires_grad == learned


def test_rectangles_equal_a_loop():
    rng = np.random.default_rng(0)
    graph = TemporalGraph(20)
    graph.append(*rng.integers(0, 15, (2, 300)), rng.integers(0, 100, 300))
    node, time = rng.integers(0, 20, 40), rng.integers(0, 110, 40)
    hop = TemporalNeighborSampler(graph, [6], dedup=False).sample(node, time).hops[0]
    near = rectangle(hop, 40, 6)
    for r in range(40):
        here = hop.row == r
        count = int(here.sum())
        assert near.there[r].tolist() == [True] * count + [False] * (6 - count)
        assert near.node[r, :count].tolist() == hop.node[hop.col[here]].tolist()
        assert near.eid[r, :count].tolist() == hop.eid[here].tolist()
        assert near.delta[r, :count].tolist() == hop.delta[here].tolist()


@pytest.mark.parametrize("dim", [1, 100, 128, 129])
def test_identities_do_not_depend_on_when_they_were_asked_for(dim):
    first, later = Identity(dim, seed=3), Identity(dim, seed=3)
    wanted = first.take(np.arange(500))
    for nodes in (3, 4, 90, 500):
        later.take(np.array([nodes - 1]))
    assert torch.equal(later.take(np.arange(500)), wanted)
    torch.testing.assert_close(wanted.norm(dim=1), torch.ones(500))
    assert not torch.equal(Identity(dim, seed=4).take(np.arange(500)), wanted)
    if dim >= 100:  # 500 * 499 / 2 pairs; a sum of 100 signs lies beyond 0.6 once in 10**9
        assert (wanted @ wanted.T - torch.eye(500)).abs().max() < 0.6


def test_identities_that_are_none():
    with pytest.raises(WeftError, match="dim must be at least 1"):
        Identity(0)


class Plain:
    """A memory as a dictionary, one node at a time."""

    def __init__(self, memory):
        self.memory, self.node = memory, {}

    def observe(self, source, target, time):
        zero, old = torch.zeros(self.memory.dim), dict(self.node)
        last = {}
        for u, v, t in zip(source, target, time, strict=True):
            last[u], last[v] = (v, t), (u, t)
        for node, (other, t) in last.items():
            mine, before = old.get(node, (zero, None))
            since = 0 if before is None else t - before
            mail = [mine, old.get(other, (zero, None))[0], self.memory.time(torch.tensor([float(since)]))[0]]
            self.node[node] = (self.memory.gru(torch.cat(mail), mine), t)


def test_memory_equals_a_dictionary():
    torch.manual_seed(1)
    memory, rng = NodeMemory(8, 6), np.random.default_rng(2)
    plain = Plain(memory)
    with torch.no_grad():
        for step in range(12):
            # Nodes come later on, and some events are of a node with itself.
            source, target = rng.integers(0, 4 + 3 * step, (2, 30))
            time = np.sort(rng.integers(0, 50, 30)) + 50 * step
            memory.observe(source, target, time)
            plain.observe(source.tolist(), target.tolist(), time.tolist())
            for node, (wanted, last) in plain.node.items():
                # A product of a matrix sums in another order than one of a vector.
                torch.testing.assert_close(memory.after[node], wanted, rtol=1e-4, atol=1e-5)
                assert memory.last[node] == last
            unseen = [i for i in range(memory.num_nodes) if i not in plain.node]
            assert memory.after[unseen].abs().sum() == 0


def test_what_is_read_with_gradient_is_what_is_kept():
    memory = NodeMemory(8, 6, event_dim=3)
    rng = np.random.default_rng(0)
    for step in range(3):
        memory.observe(*rng.integers(0, 9, (2, 20)), np.arange(20) + 20 * step, torch.randn(20, 3))
    memory.grow(30)
    everyone = torch.arange(30)
    memory.train()
    read = memory.read(everyone)
    torch.testing.assert_close(read, memory.look(everyone))
    read.sum().backward()
    assert memory.gru.weight_ih.grad is not None
    assert memory.gru.weight_ih.grad.abs().sum() > 0
    memory.eval()
    assert memory.read(everyone).grad_fn is None


def test_memory_is_in_the_state_and_takes_any_number_of_nodes():
    memory, other = NodeMemory(4, 4), NodeMemory(4, 4)
    memory.observe(np.array([70]), np.array([3]), np.array([1 << 61]))
    other.load_state_dict(memory.state_dict())
    assert other.num_nodes == memory.num_nodes >= 71
    assert torch.equal(other.after, memory.after)
    assert other.last[3] == 1 << 61
    memory.reset()
    assert memory.num_nodes == 0
    other.load_state_dict(memory.state_dict())
    assert other.num_nodes == 0
