"""From walks to training pairs, sorted into blocks."""

from weft.kernels.pairs.cpu import block_pairs, bucket_pairs, pairs_per_walk, window_pairs

__all__ = ["block_pairs", "bucket_pairs", "pairs_per_walk", "window_pairs"]
