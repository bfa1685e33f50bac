from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import pytest

from weft.config import parse_bytes
from weft.errors import BudgetError
from weft.graph._plan import Plan, free_memory, resident
from weft.graph.generate import rmat
from weft.graph.tables import write_edges

MIB = 1 << 20


@pytest.mark.parametrize("budget", [100 * MIB, 300 * MIB, 1 << 30, 1 << 32, 1 << 36])
def test_the_parts_stay_within_the_whole(budget):
    plan = Plan.make(budget, 50 * MIB, num_nodes=1_000_000, node_bytes=8)
    assert plan.base + plan.reader + plan.nodes + plan.keep + 36 * plan.block + 20 * plan.group <= budget
    assert str(plan.describe()).startswith("memory ")


def test_more_memory_is_never_used_worse():
    plans = [Plan.make(mib * MIB, 50 * MIB) for mib in range(100, 5000, 50)]
    for less, more in pairwise(plans):
        assert (less.block, less.group, less.keep) <= (more.block, more.group, more.keep)


@pytest.mark.parametrize("nodes", [0, 1_000_000, 1_000_000_000])
def test_the_least_memory_that_is_named_is_enough(nodes):
    with pytest.raises(BudgetError, match="give at least") as caught:
        Plan.make(60 * MIB, 50 * MIB, nodes, 8)
    named = str(caught.value).rpartition("give at least ")[2]
    Plan.make(parse_bytes(named), 50 * MIB, nodes, 8)


def test_memory_of_this_process():
    assert 10 * MIB < resident() < free_memory() * 100


# Not getrusage: its peak also counts the process that started this one.
CHILD = """
import pathlib, sys
from weft.graph.ingest import ingest
ingest(sys.argv[1], sys.argv[2], memory=sys.argv[3])
words = pathlib.Path("/proc/self/status").read_text().split()
print(int(words[words.index("VmHWM:") + 1]) * 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_an_import_stays_within_its_memory(tmp_path, ending):
    # 8.4 M edges: 134 MB of keys in both directions, beside a process of 150 MB.
    edges = write_edges(rmat(19), tmp_path / f"edges.{ending}")
    command = [sys.executable, "-c", CHILD, str(edges), str(tmp_path / "g"), "256MiB"]
    peak = int(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    assert peak <= 256 * MIB
