"""Metrics and the published protocols by which vectors are judged."""

from weft.eval.classification import ClassificationReport, PortionScore, classify_nodes
from weft.eval.link import LinkReport, evaluate_links, split_edges

__all__ = [
    "ClassificationReport",
    "LinkReport",
    "PortionScore",
    "classify_nodes",
    "evaluate_links",
    "split_edges",
]
