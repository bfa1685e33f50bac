"""Metrics and the published protocols by which vectors are judged."""

from weft.eval.classification import ClassificationReport, PortionScore, classify_nodes
from weft.eval.edgebank import EdgeBank
from weft.eval.events import (
    EventReport,
    EventScores,
    EventSplit,
    LinkModel,
    evaluate_events,
    split_events,
)
from weft.eval.link import LinkReport, evaluate_links, split_edges
from weft.eval.negatives import OneVsMany
from weft.eval.recency import CountRecency

__all__ = [
    "ClassificationReport",
    "CountRecency",
    "EdgeBank",
    "EventReport",
    "EventScores",
    "EventSplit",
    "LinkModel",
    "LinkReport",
    "OneVsMany",
    "PortionScore",
    "classify_nodes",
    "evaluate_events",
    "evaluate_links",
    "split_edges",
    "split_events",
]
