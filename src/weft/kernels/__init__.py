"""Ops. Each folder holds one op in up to three forms that agree: reference, cpu (native), triton (GPU)."""
