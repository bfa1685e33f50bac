"""What is done with vectors once they are there: neighbours, export, a report to look at."""

from weft.serve.export import export_vectors
from weft.serve.neighbors import nearest

__all__ = ["export_vectors", "nearest"]
