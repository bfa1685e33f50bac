"""Models of graphs that change: vectors of nodes at times, and which nodes meet next."""

import weft.loader.extra  # noqa: F401 - first: says how to get torch and PyG
from weft.nn.temporal.attention import TemporalAttention
from weft.nn.temporal.decoder import LinkDecoder
from weft.nn.temporal.dysat import DySAT
from weft.nn.temporal.encoder import TemporalEncoder
from weft.nn.temporal.hops import GAT, SAGE, TGAT
from weft.nn.temporal.identity import Identity
from weft.nn.temporal.links import TemporalLinks
from weft.nn.temporal.memory import NodeMemory
from weft.nn.temporal.mixer import GraphMixer
from weft.nn.temporal.tgn import TGN
from weft.nn.temporal.time import TimeEncoding

__all__ = [
    "GAT",
    "SAGE",
    "TGAT",
    "TGN",
    "DySAT",
    "GraphMixer",
    "Identity",
    "LinkDecoder",
    "NodeMemory",
    "TemporalAttention",
    "TemporalEncoder",
    "TemporalLinks",
    "TimeEncoding",
]
