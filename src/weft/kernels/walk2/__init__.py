"""Second-order random walks (node2vec), uniform or by edge weight."""

from weft.kernels.walk2.cpu import EdgeFilter, check_bias, edge_filter, filter_words, row_peaks, walk2

__all__ = ["EdgeFilter", "check_bias", "edge_filter", "filter_words", "row_peaks", "walk2"]
