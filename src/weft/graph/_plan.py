"""How an import divides the memory it was given."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from weft.config import show_bytes
from weft.errors import BudgetError

__all__ = ["Plan", "free_memory", "resident"]

# Per edge scattered at a time: two ids, the key of the edge and of its reverse, weights of all of them.
_BLOCK_BYTES = 2 * 4 + 2 * 8 + 3 * 4
# Per edge sorted at a time: the key as read, its place in the result, weights of both.
_GROUP_BYTES = 8 + 4 + 2 * 4
_BLOCK = (1 << 14, 1 << 21)
_GROUP = (1 << 16, 1 << 24)
# What reading holds besides: a batch of rows or a piece of text, in and out of the parser.
_READER = (32 << 20, 512 << 20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Sizes that follow from a budget.

    Attributes:
        budget: bytes the process may have resident.
        base: bytes resident before the import.
        reader: bytes set aside for reading the input.
        nodes: bytes of the arrays that have an element for each node.
        block: edges scattered at a time.
        group: edges sorted at a time, more only where one bucket holds more.
        keep: bytes of edges kept in memory between the passes; beyond, all are kept on disk.
        fixed: whether the sizes hold whatever the input turns out to be.
    """

    budget: int
    base: int
    reader: int
    nodes: int
    block: int
    group: int
    keep: int
    fixed: bool = False

    @classmethod
    def make(cls, budget: int, base: int, num_nodes: int = 0, node_bytes: int = 0) -> Plan:
        """The plan for a budget.

        Args:
            budget: bytes the process may have resident.
            base: bytes resident already.
            num_nodes: N, or 0 while it is unknown.
            node_bytes: bytes a node takes.

        Raises:
            BudgetError: even the smallest blocks do not fit.
        """
        nodes = num_nodes * node_bytes
        reader = _within((budget - base - nodes) // 4, _READER)
        free = budget - base - reader - nodes
        least = _BLOCK[0] * _BLOCK_BYTES + _GROUP[0] * _GROUP_BYTES
        if free < least:
            what = f"the arrays of {num_nodes:,} nodes take {show_bytes(nodes)}, " if num_nodes else ""
            raise BudgetError(
                f"memory of {show_bytes(budget)} is too small: {what}the process itself "
                f"{show_bytes(base)}, reading {show_bytes(reader)}; give at least "
                f"{_mebibytes(base + reader + nodes + 2 * least)}"
            )
        block = _within(free // 8 // _BLOCK_BYTES, _BLOCK)
        group = _within(free // 4 // _GROUP_BYTES, _GROUP)
        keep = max(0, free - block * _BLOCK_BYTES - group * _GROUP_BYTES)
        return cls(budget=budget, base=base, reader=reader, nodes=nodes, block=block, group=group, keep=keep)

    def holds_bucket(self, edges: int, used: int) -> bool:
        """Whether a bucket can be sorted while edges take ``used`` bytes of memory."""
        return self.fixed or self._bucket(edges) <= self._left(used)

    def check_bucket(self, edges: int, used: int) -> None:
        """Refuse a bucket that cannot be sorted.

        Raises:
            BudgetError: the bucket is too large.
        """
        if not self.holds_bucket(edges, used):
            need, have = self._bucket(edges), self._left(used)
            raise BudgetError(
                f"memory of {show_bytes(self.budget)} is too small: a few nodes have {edges:,} edges, "
                f"sorting them takes {show_bytes(need)} and {show_bytes(have)} are left; give "
                f"{_mebibytes(self.budget + need - have)}"
            )

    @staticmethod
    def _bucket(edges: int) -> int:
        # Sorting goes back and forth between two copies.
        return edges * (_GROUP_BYTES + 2 * 12)

    def _left(self, used: int) -> int:
        return self.keep - used + self.group * _GROUP_BYTES + self.block * _BLOCK_BYTES

    def describe(self) -> str:
        """One line for people."""
        return (
            f"memory {show_bytes(self.budget)}: process {show_bytes(self.base)}, "
            f"reading {show_bytes(self.reader)}, nodes {show_bytes(self.nodes)}, "
            f"up to {show_bytes(self.keep)} of edges kept, {self.block:,} scattered and "
            f"{self.group:,} sorted at a time"
        )


def _mebibytes(size: int) -> str:
    # Rounded up, so that the figure is enough when it is given back.
    return f"{-(-size >> 20)} MiB"


def _within(value: int, bounds: tuple[int, int]) -> int:
    return max(bounds[0], min(value, bounds[1]))


def resident() -> int:
    """Bytes of this process in memory."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return 0
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def free_memory() -> int:
    """Bytes the system could give to this process, without swapping and within its control group."""
    free = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        found = [line.split()[1] for line in meminfo.read_text().splitlines() if "MemAvailable" in line]
        free = min([free, *(int(kib) * 1024 for kib in found)])
    for limit in ("memory.max", "memory/memory.limit_in_bytes"):
        file = Path("/sys/fs/cgroup") / limit
        if file.exists() and (text := file.read_text().strip()).isdigit():
            free = min(free, int(text))
    return free
