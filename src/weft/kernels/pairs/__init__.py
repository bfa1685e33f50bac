"""From walks to training pairs, sorted into blocks."""

from weft.kernels.pairs.cpu import bucket_pairs, pairs_per_walk, window_pairs

__all__ = ["bucket_pairs", "pairs_per_walk", "window_pairs"]
