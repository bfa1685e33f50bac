"""Every error weft raises, in one tree; each is also the builtin a caller would expect.

WeftError
├── WeftValueError (ValueError)        a parameter or array that cannot be used
│   ├── ParseError                     a line or file of input that cannot be read as what it should be
│   │   └── IdRangeError               an integer id that does not fit into 64 bits
│   ├── NotFittedError (AttributeError) an estimator that has learned nothing yet
│   └── FormatError                    a weft directory that is damaged, foreign or of another version
├── WeftTypeError (TypeError)          an object of a kind that weft does not take
├── WeftKeyError (KeyError)            an id that is not in the graph
├── BudgetError (MemoryError)          work that does not fit into the memory given
├── StorageError (OSError)             a read or write the system refused: full disk, permissions, I/O
└── MissingExtraError (ImportError)    an optional dependency that is not installed

Interrupted (KeyboardInterrupt) stands beside the tree: a run that was asked to stop, and saved its state, is
no error, and no ``except Exception`` shall hold it.
"""

from __future__ import annotations

__all__ = [
    "BudgetError",
    "FormatError",
    "IdRangeError",
    "Interrupted",
    "MissingExtraError",
    "NotFittedError",
    "ParseError",
    "StorageError",
    "WeftError",
    "WeftKeyError",
    "WeftTypeError",
    "WeftValueError",
]


class WeftError(Exception):
    """Base of all errors raised by weft."""


class WeftValueError(WeftError, ValueError):
    """A parameter or array cannot be used; the message names it, its value and the remedy."""


class ParseError(WeftValueError):
    """Input cannot be read; the message gives the file, the line number, its text and what was expected."""


class IdRangeError(ParseError):
    """An integer id does not fit into int64; read as strings, ids can be of any size."""


class NotFittedError(WeftValueError, AttributeError):
    """What fitting learns was asked for before fit was called."""


class FormatError(WeftValueError):
    """A weft directory is damaged, foreign or of another format version."""


class WeftTypeError(WeftError, TypeError):
    """An object is of a kind that weft does not take."""


class WeftKeyError(WeftError, KeyError):
    """An id is not in the graph."""

    def __str__(self) -> str:
        """The message itself: KeyError would show its repr."""
        return str(self.args[0]) if self.args else ""


class BudgetError(WeftError, MemoryError):
    """Work does not fit into the memory it was given; the message gives both numbers."""


class StorageError(WeftError, OSError):
    """The system refused a read or a write: a full disk, missing permission, an I/O error."""


class MissingExtraError(WeftError, ImportError):
    """An optional dependency is missing; the message gives the ``pip install`` line."""

    def __init__(self, what: str, package: str, extra: str) -> None:
        super().__init__(
            f"{what} needs {package}, which is not installed: pip install {package}, or pip install "
            f"weft[{extra}]"
        )


class Interrupted(KeyboardInterrupt):
    """A signal asked a run to stop, and its state was saved; the message says how to go on.

    Attributes:
        signal: its number.
    """

    def __init__(self, message: str, signal: int) -> None:
        super().__init__(message)
        self.signal = signal
