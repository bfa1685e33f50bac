"""What a cache keeps: policies, told apart by replaying the batches of a run."""

from weft.features.policies.heat import heat_classes
from weft.features.policies.replay import POLICIES, replay

__all__ = ["POLICIES", "heat_classes", "replay"]
