"""From walks to training pairs, sorted into blocks."""

from weft.kernels.pairs.cpu import bucket_pairs, draw_alias, pairs_per_walk, window_pairs

__all__ = ["bucket_pairs", "draw_alias", "pairs_per_walk", "window_pairs"]
