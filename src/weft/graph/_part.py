"""Arrays of one directory that several owners use: each under names that begin with its own word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from weft.errors import FormatError

__all__ = ["ReaderPart", "Reads", "WriterPart", "Writes"]


class Writes(Protocol):
    """Takes arrays by name."""

    def write_array(self, name: str, array: npt.NDArray[Any]) -> None:
        """Write a whole array."""
        ...


class Reads(Protocol):
    """Gives arrays by name."""

    @property
    def arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        """All there are."""
        ...

    def get(
        self, name: str, dtype: npt.DTypeLike | None = None, shape: tuple[int, ...] | None = None
    ) -> npt.NDArray[Any]:
        """The array ``name``; its dtype and shape must be as given."""
        ...

    def error(self, what: str) -> FormatError:
        """An error about the directory."""
        ...


@dataclass(frozen=True, slots=True)
class WriterPart:
    """Writes ``name`` as ``<prefix>name``."""

    writer: Writes
    prefix: str

    def write_array(self, name: str, array: npt.NDArray[Any]) -> None:
        """Write a whole array."""
        self.writer.write_array(self.prefix + name, array)


@dataclass(frozen=True, slots=True)
class ReaderPart:
    """Reads ``<prefix>name`` as ``name``."""

    reader: Reads
    prefix: str

    @property
    def arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        """Those whose names begin with the prefix."""
        cut = len(self.prefix)
        return {name[cut:]: a for name, a in self.reader.arrays.items() if name.startswith(self.prefix)}

    def get(
        self, name: str, dtype: npt.DTypeLike | None = None, shape: tuple[int, ...] | None = None
    ) -> npt.NDArray[Any]:
        """The array ``name``; its dtype and shape must be as given."""
        return self.reader.get(self.prefix + name, dtype, shape)

    def error(self, what: str) -> FormatError:
        """An error about the directory; a file that it begins with gets its whole name."""
        return self.reader.error(self.prefix + what if what.split(" ")[0].endswith(".npy") else what)
