"""For those who write tables of their own: contracts to hold them to, and tables that fail or dawdle."""

from weft.testing.contracts import FeatureTableContract
from weft.testing.tables import FaultyTable, SlowTable

__all__ = ["FaultyTable", "FeatureTableContract", "SlowTable"]
