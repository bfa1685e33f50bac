"""Events of nodes by time, and neighbours at a moment."""

from weft.kernels.temporal.cpu import TemporalRows, TemporalView
from weft.kernels.temporal.form import Drawn

__all__ = ["Drawn", "TemporalRows", "TemporalView"]
