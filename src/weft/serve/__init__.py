"""What is done with vectors once they are there: neighbours, export, a report to look at."""

from weft.embed.neighbors import nearest
from weft.serve.export import export_vectors

__all__ = ["export_vectors", "nearest"]
