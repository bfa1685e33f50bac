"""Files of lines that grow with a run, and forget what was written after the state that it goes on from."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Any

import msgspec

from weft.errors import StorageError
from weft.files import storage_errors, sync_directory

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Journal", "read_lines"]


class Journal:
    """Lines of JSON.

    Args:
        path: of the file.
        lines: that it shall have now; those after them were written by a run that was killed.

    Raises:
        StorageError: the system refuses, or there are fewer lines.
    """

    def __init__(self, path: Path, lines: int = 0) -> None:
        self.path, self.lines = path, lines
        with storage_errors("write", path):
            self._file: IO[bytes] = path.open("r+b" if path.exists() else "w+b")
            for _ in range(lines):
                if not self._file.readline().endswith(b"\n"):
                    self._file.close()
                    raise StorageError(f"{path} has fewer than {lines:,} lines: it was cut off; begin anew")
            self._file.truncate(self._file.tell())
            sync_directory(path.parent)

    def write(self, *values: Any) -> None:  # noqa: ANN401
        """Lines of JSON each."""
        with storage_errors("write", self.path):
            self._file.write(b"".join(msgspec.json.encode(value) + b"\n" for value in values))
            self._file.flush()
        self.lines += len(values)

    def sync(self) -> None:
        """See to it that what was written is there after a power cut."""
        with storage_errors("write", self.path):
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def read_lines(path: Path) -> list[dict[str, Any]]:
    """All lines of a file, but one that is not whole."""
    with storage_errors("read", path):
        data = path.read_bytes()
    return [msgspec.json.decode(line) for line in data[: data.rfind(b"\n") + 1].splitlines()]
