"""The memory that a loader's batches take while they are under way."""

from __future__ import annotations

from weft.loader.buffers import ROOM
from weft.loader.pipeline import DRAWING, HELD, kept_buffers

__all__ = ["batch_bytes", "row_bytes", "waiting_bytes"]


def row_bytes(batch: int, batches: int, prefetch: int = 2) -> int:
    """Bytes of the rows of batches that are read, assembled, waiting and in the loop's hands.

    Args:
        batch: bytes of the rows of one.
        batches: of an epoch.
        prefetch: of the loader.
    """
    return int(min(batches, kept_buffers(prefetch)) * ROOM * batch)


def batch_bytes(nodes: int, edges: int) -> int:
    """Bytes of a batch without its rows: numbers of its nodes, and ends and numbers of its edges."""
    return 8 * nodes + 24 * edges


def waiting_bytes(batch: int, batches: int, *, prefetch: int = 2, told: bool) -> int:
    """Bytes of what was drawn for batches that are under way or wait for their turn.

    Args:
        batch: of one, without its rows.
        batches: of an epoch.
        prefetch: of the loader.
        told: a table wants to know what comes.
    """
    # In the loop's hands, assembled or next in turn; drawn ahead by each thread, and not yet announced.
    turn = min(batches, prefetch + 2 + 3 * DRAWING) * batch
    return turn + (min(HELD, batches * batch) if told else 0)
