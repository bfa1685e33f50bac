"""The command line: ``weft <verb>``, one file per verb."""

from weft.cli._main import main

__all__ = ["main"]
