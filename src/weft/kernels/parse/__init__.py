"""Edge lists from text: whole lines in, columns of ids and weights out."""

from weft.kernels.parse.cpu import parse_ints, parse_strings
from weft.kernels.parse.format import BadLine, IntEdges, LineFormat, StringEdges, Why

__all__ = ["BadLine", "IntEdges", "LineFormat", "StringEdges", "Why", "parse_ints", "parse_strings"]
