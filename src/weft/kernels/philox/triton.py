"""Philox4x32-10 in Triton: ``draw`` is for other kernels to call, ``philox_fill`` launches it alone.

The rounds are written out here rather than taken from ``tl.philox``: they are then the same code under the
interpreter and on every Triton version.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl

__all__ = ["draw", "philox_fill"]


@triton.jit
def draw(item, index, lane, key_low, key_high):
    """Four uint32 words for each uint64 item."""
    c0 = (item & 0xFFFFFFFF).to(tl.uint32)
    c1 = (item >> 32).to(tl.uint32)
    c2 = tl.zeros_like(c0) + index.to(tl.uint32)
    c3 = tl.zeros_like(c0) + lane.to(tl.uint32)
    k0 = key_low.to(tl.uint32)
    k1 = key_high.to(tl.uint32)
    for _ in tl.static_range(10):
        p0 = c0.to(tl.uint64) * 0xD2511F53
        p1 = c2.to(tl.uint64) * 0xCD9E8D57
        c0 = (p1 >> 32).to(tl.uint32) ^ c1 ^ k0
        c1 = p1.to(tl.uint32)
        c2 = (p0 >> 32).to(tl.uint32) ^ c3 ^ k1
        c3 = p0.to(tl.uint32)
        k0 = (k0.to(tl.uint64) + 0x9E3779B9).to(tl.uint32)
        k1 = (k1.to(tl.uint64) + 0xBB67AE85).to(tl.uint32)
    return c0, c1, c2, c3


@triton.jit(do_not_specialize=["first_low", "first_high", "index", "lane", "key_low", "key_high"])
def _fill(out, blocks, first_low, first_high, index, lane, key_low, key_high, BLOCK: tl.constexpr):
    at = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    first = first_low.to(tl.uint64) | (first_high.to(tl.uint64) << 32)
    w0, w1, w2, w3 = draw(first + at.to(tl.uint64), index, lane, key_low, key_high)
    mask = at < blocks
    tl.store(out + at * 4, w0, mask=mask)
    tl.store(out + at * 4 + 1, w1, mask=mask)
    tl.store(out + at * 4 + 2, w2, mask=mask)
    tl.store(out + at * 4 + 3, w3, mask=mask)


def philox_fill(
    blocks: int, key: int, first: int = 0, index: int = 0, lane: int = 0, device: str | torch.device = "cuda"
) -> torch.Tensor:
    """The blocks of items ``first .. first + blocks`` at (index, lane).

    Returns:
        uint32 ``[blocks, 4]`` on ``device`` ("cpu" works under ``TRITON_INTERPRET=1`` alone).
    """
    out_B4 = torch.empty((blocks, 4), dtype=torch.uint32, device=device)
    if blocks == 0:
        return out_B4
    size = 256
    words = [w for value in (first, key) for w in (value & 0xFFFFFFFF, value >> 32)]
    _fill[(triton.cdiv(blocks, size),)](
        out_B4, blocks, words[0], words[1], index, lane, words[2], words[3], BLOCK=size
    )
    return out_B4
