"""The cases. A new file here defines ``CASE`` and is added to the tuple below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.cases import (
    accuracy,
    accuracy_map,
    codec,
    disk,
    embed_quality,
    embed_swap,
    embed_throughput,
    gather,
    ingest,
    policy,
    sample,
    temporal_ingest,
    temporal_latency,
    temporal_sample,
    temporal_store,
    temporal_stream,
    temporal_train,
    train,
    walk,
    walk2,
)

if TYPE_CHECKING:
    from benchmarks.case import Case

__all__ = ["CASES"]

CASES: dict[str, Case] = {
    case.name: case
    for case in (
        accuracy.CASE,
        accuracy.FACEBOOK,
        accuracy.TWITCH,
        accuracy_map.SAGE,
        accuracy_map.GAT,
        accuracy_map.GCN,
        codec.CASE,
        disk.CASE,
        embed_quality.CASE,
        embed_swap.CASE,
        embed_throughput.CASE,
        gather.CASE,
        ingest.CASE,
        ingest.MEMORY,
        policy.CASE,
        sample.CASE,
        temporal_ingest.CASE,
        temporal_latency.CASE,
        temporal_sample.CASE,
        temporal_store.CASE,
        temporal_stream.CASE,
        temporal_train.CASE,
        temporal_train.QUALITY,
        train.CASE,
        walk.CASE,
        walk.WEIGHTED,
        walk2.CASE,
    )
}
