"""Benchmarks: ``python -m benchmarks run CASE``. See README.md beside this file."""
