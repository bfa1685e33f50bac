"""Rows of float32 numbers in fewer bytes, and back."""

from weft.kernels.codec.cpu import decode, encode, gather
from weft.kernels.codec.form import CODECS, Codec, columns_of, record, row_bytes, said_by

__all__ = ["CODECS", "Codec", "columns_of", "decode", "encode", "gather", "record", "row_bytes", "said_by"]
