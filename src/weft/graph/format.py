"""The directory format: a checked manifest beside ``.npy`` files. ``docs/format.md`` specifies every byte.

A directory is written under a temporary name beside its place, synced, and renamed: a kill at any instant
leaves the old directory or the new one under the final name, never a part of one.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import msgspec
import numpy as np
import numpy.typing as npt

from weft.checks import check_path
from weft.errors import FormatError, StorageError, WeftTypeError, WeftValueError
from weft.files import exchange, remove_stale, storage_errors, sync_directory, temporary_name
from weft.graph._arrays import ArrayEntry, ArrayWriter, PlacedWriter, named_dtype, storable
from weft.kernels.memory import drop_pages
from weft.npy import DATA_OFFSET, npy_header

if TYPE_CHECKING:
    import io
    from collections.abc import Mapping
    from types import TracebackType

__all__ = [
    "DATA_OFFSET",
    "MANIFEST",
    "ArrayWriter",
    "DirectoryReader",
    "DirectoryWriter",
    "Manifest",
    "check_target",
    "format_of",
    "npy_header",
]

Array = npt.NDArray[Any]

MANIFEST = "manifest.json"
VERSION = 1
_PIECE = 64 << 20  # bytes written between two looks at the pages of a mapped file
_MOST_DIMENSIONS = 32  # what every NumPy can hold


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a directory holds. ``sha256`` covers the manifest itself, encoded with this field empty."""

    format: str
    version: int
    created_by: str
    arrays: dict[str, ArrayEntry]
    meta: dict[str, Any]
    sha256: str = ""

    def seal(self) -> Manifest:
        """The same manifest with its own checksum."""
        bare = msgspec.structs.replace(self, sha256="")
        digest = hashlib.sha256(msgspec.json.encode(bare, order="sorted")).hexdigest()
        return msgspec.structs.replace(self, sha256=digest)


def check_target(path: Path, *, overwrite: bool, kind: str | None = None) -> None:
    """Refuse a place whose content may not be replaced.

    Args:
        path: where a directory will be.
        overwrite: a weft directory that is there may be replaced.
        kind: if it is of this format, or too damaged to tell; None: whatever its format.

    Raises:
        WeftValueError: there is something else.
    """
    if not (path.exists() or path.is_symlink()):
        return
    if not overwrite:
        raise WeftValueError(
            f"cannot write {path}: it exists; choose another place, or "
            "pass --overwrite (overwrite=True in Python)"
        )
    if _is_empty_directory(path):
        return
    if not (path / MANIFEST).is_file():
        raise WeftValueError(f"cannot overwrite {path}: it is not a weft directory; remove it yourself")
    if kind is not None and (there := format_of(path)) not in (None, kind):
        raise WeftValueError(
            f"cannot overwrite {path}: it is a {there}, not a {kind}; choose another place, or remove it "
            "yourself"
        )


class DirectoryWriter:
    """Writes a directory beside its place and renames it when ``finish`` is called.

    Args:
        path: where the directory will be.
        kind: what it is, such as ``weft.graph``.
        overwrite: replace a directory of this kind that is there already.

    Raises:
        WeftValueError: something is there already and may not be replaced.
        StorageError: the system refuses a write.
    """

    def __init__(self, path: str | os.PathLike[str], kind: str, *, overwrite: bool = False) -> None:
        self.path, self._kind = check_path(f"a {kind.removeprefix('weft.')}'s directory", path), kind
        check_target(self.path, overwrite=overwrite, kind=kind)
        self._open: dict[str, ArrayWriter | PlacedWriter] = {}
        self._entries: dict[str, ArrayEntry] = {}
        self._finished, self._overwrite = False, overwrite
        with storage_errors("create", self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            remove_stale(self.path)
            self.temporary = temporary_name(self.path)
            self.temporary.mkdir()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._finished:
            for writer in self._open.values():
                writer.abandon()
            shutil.rmtree(self.temporary, ignore_errors=True)

    def array(self, name: str, dtype: npt.DTypeLike, shape: tuple[int | None, ...]) -> ArrayWriter:
        """Begin the array ``name``; it must receive all its elements before ``finish``.

        The first number of ``shape`` may be None: as many rows as are written.
        """
        writer = ArrayWriter(*self._begin(name, dtype), shape)
        self._open[name] = writer
        return writer

    def placed(self, name: str, dtype: npt.DTypeLike, shape: tuple[int, ...]) -> PlacedWriter:
        """Begin the array ``name``, whose rows come in any order."""
        writer = PlacedWriter(*self._begin(name, dtype), shape)
        self._open[name] = writer
        return writer

    def _begin(self, name: str, dtype: npt.DTypeLike) -> tuple[Path, np.dtype[Any]]:
        assert name not in self._open, name
        kind = storable(dtype)
        if kind is None:
            raise WeftTypeError(f"cannot write {name}.npy: a directory holds numbers (got {np.dtype(dtype)})")
        return self.temporary / f"{name}.npy", kind

    def adopt(self, reader: DirectoryReader, name: str) -> None:
        """Take an array of another directory as it is: the same file under a second name where it can be."""
        entry = reader.manifest.arrays[name]
        old, new = reader.path / entry.file, self.temporary / entry.file
        with storage_errors("write", new):
            try:
                os.link(old, new)
            except OSError:  # another file system, or one without links
                shutil.copyfile(old, new)
                with new.open("rb+") as file:
                    os.fsync(file.fileno())
        self._entries[name] = entry

    def write_array(self, name: str, array: Array) -> None:
        """Write a whole array and let go of its file; of an array in a mapped file, little is in memory."""
        writer = self.array(name, array.dtype, array.shape)
        step = max(1, _PIECE // max(1, array.nbytes // max(1, len(array))))
        for begin in range(0, len(array), step):
            writer.write(array[begin : begin + step])
            drop_pages(array)
        self.close_array(name)

    def close_array(self, name: str) -> Path:
        """Complete an array that has all its elements; its file, which can be read from now on."""
        self._entries[name] = self._open.pop(name).close()
        return self.temporary / f"{name}.npy"

    def finish(self, meta: Mapping[str, object]) -> Path:
        """Complete the directory and give it its name.

        Args:
            meta: what the arrays do not say; must be JSON.
        """
        from weft import __version__

        for name in list(self._open):
            self._entries[name] = self._open.pop(name).close()
        manifest = Manifest(self._kind, VERSION, f"weft {__version__}", self._entries, dict(meta)).seal()
        text = msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=2) + b"\n"
        file = self.temporary / MANIFEST
        with storage_errors("write", self.path):
            with file.open("wb") as out:
                out.write(text)
                out.flush()
                os.fsync(out.fileno())
            sync_directory(self.temporary)
            exchange(self.temporary, self.path, replace=self._overwrite)
            sync_directory(self.path.parent)
        self._finished = True
        return self.path


class DirectoryReader:
    """Opens a directory: reads the manifest, checks it and the size and header of every file.

    Args:
        path: the directory.
        kind: the format it must have, such as ``weft.graph``.
        verify: also read every byte and compare the checksums.

    Raises:
        FormatError: the directory is not what it should be; the message names the file and what disagrees.
    """

    def __init__(self, path: str | os.PathLike[str], kind: str, *, verify: bool = False) -> None:
        self.path = check_path(f"a {kind.removeprefix('weft.')}'s directory", path)
        self._kind = kind
        self.manifest = self._read_manifest()
        self.arrays = {name: self._map(name, entry, verify) for name, entry in self.manifest.arrays.items()}

    @property
    def meta(self) -> dict[str, Any]:
        """The manifest's ``meta``."""
        return self.manifest.meta

    def get(
        self, name: str, dtype: npt.DTypeLike | None = None, shape: tuple[int, ...] | None = None
    ) -> Array:
        """The array ``name``, memory-mapped read-only; its dtype and shape must be as given."""
        if name not in self.arrays:
            raise self.error(f"it holds no array '{name}'")
        array = self.arrays[name]
        if dtype is not None and array.dtype != np.dtype(dtype):
            raise self.error(f"{name}.npy has dtype {array.dtype}, expected {np.dtype(dtype)}")
        if shape is not None and array.shape != shape:
            raise self.error(f"{name}.npy has shape {array.shape}, the manifest's counts say {shape}")
        return array

    def error(self, what: str) -> FormatError:
        """An error about this directory, to be raised by whoever reads from it."""
        return FormatError(f"cannot open {self._kind.removeprefix('weft.')} '{self.path}': {what}")

    def _read_manifest(self) -> Manifest:
        file = self.path / MANIFEST
        try:
            raw = file.read_bytes()
        except FileNotFoundError:
            what = "there is no such directory" if not self.path.exists() else f"it has no {MANIFEST}"
            raise self.error(what) from None
        except NotADirectoryError:
            raise self.error("it is a file, not a directory") from None
        except OSError as error:
            raise StorageError(f"cannot read {file}: {error.strerror}") from error
        try:
            header = msgspec.json.decode(raw, type=dict[str, Any])
            if header.get("format") != self._kind:
                raise self.error(f"its format is {header.get('format')!r}, expected '{self._kind}'")
            if header.get("version") != VERSION:
                raise self.error(
                    f"its format version is {header.get('version')!r}, this weft reads {VERSION}"
                )
            manifest = msgspec.json.decode(raw, type=Manifest)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self.error(f"{MANIFEST} is damaged ({error})") from None
        if manifest.seal().sha256 != manifest.sha256:
            raise self.error(f"{MANIFEST} does not match its own checksum: it was edited or damaged")
        return manifest

    def _map(self, name: str, entry: ArrayEntry, verify: bool) -> Array:
        if entry.file != f"{name}.npy" or Path(entry.file).name != entry.file:
            raise self.error(f"the manifest names '{entry.file}' as the file of array '{name}'")
        file = self.path / entry.file
        dtype, size = self._checked(entry)
        expected = npy_header(dtype, entry.shape)
        try:
            held = file.stat().st_size
            if held != size:
                cure = (
                    "the copy is incomplete, copy it again"
                    if held < size
                    else "it is not the file that was written"
                )
                raise self.error(f"{entry.file} holds {held:,} bytes, the manifest says {size:,}; {cure}")
            with file.open("rb") as stream:
                if stream.read(DATA_OFFSET) != expected:
                    raise self.error(
                        f"the header of {entry.file} is not {entry.dtype} {entry.shape}: a foreign file"
                    )
                if verify:
                    self._verify(stream, entry)
            if size == DATA_OFFSET:
                return np.zeros(entry.shape, dtype)
            return np.memmap(file, dtype, "r", DATA_OFFSET, entry.shape)
        except FileNotFoundError:
            raise self.error(f"{entry.file} is missing") from None
        except OSError as error:
            raise StorageError(f"cannot read {file}: {error.strerror}") from error

    def _checked(self, entry: ArrayEntry) -> tuple[np.dtype[Any], int]:
        """The dtype of an array and the size of its file, if a file can have them."""
        dtype = named_dtype(entry.dtype)
        if dtype is None:
            raise self.error(f"the manifest gives {entry.file} the dtype '{entry.dtype}'")
        size = DATA_OFFSET + math.prod(entry.shape) * dtype.itemsize
        # NumPy counts a dimension of zero as one when it asks whether an array is too big.
        room = math.prod(n or 1 for n in entry.shape) * dtype.itemsize
        if len(entry.shape) > _MOST_DIMENSIONS or min(entry.shape, default=0) < 0 or room >= 1 << 63:
            raise self.error(f"the manifest gives {entry.file} the shape {entry.shape}")
        return dtype, size

    def _verify(self, stream: io.BufferedIOBase | io.BufferedReader, entry: ArrayEntry) -> None:
        digest = hashlib.sha256()
        while block := stream.read(1 << 22):
            digest.update(block)
        if digest.hexdigest() != entry.sha256:
            raise self.error(
                f"{entry.file} does not match its checksum: its bytes changed since it was written"
            )


def format_of(path: Path) -> str | None:
    """What a directory says it is; None when its manifest cannot be read."""
    with contextlib.suppress(OSError, UnicodeDecodeError, RecursionError, msgspec.DecodeError):
        there = msgspec.json.decode((path / MANIFEST).read_bytes(), type=dict[str, Any]).get("format")
        return there if isinstance(there, str) else None
    return None


def _is_empty_directory(path: Path) -> bool:
    with contextlib.suppress(OSError):
        return path.is_dir() and not any(path.iterdir())
    return False
