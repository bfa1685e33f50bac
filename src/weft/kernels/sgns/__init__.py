"""Skip-gram with negative sampling over blocks of pairs."""

from weft.kernels.sgns.cpu import LANES, sgns_train

__all__ = ["LANES", "sgns_train"]
