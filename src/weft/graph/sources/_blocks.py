"""Files as blocks of whole lines: plain, gzip or zstd, the next block read while one is in use."""

from __future__ import annotations

import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import zstandard

from weft.errors import ParseError, StorageError
from weft.files import check_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

__all__ = ["BLOCK", "Block", "blocks", "compression", "read_ahead", "sample"]

# Two of these are held, and outputs of about twice the size; larger ones gain nothing.
BLOCK = 16 << 20
# Of zstd, four bytes can stand for a block of 128 KiB: few at a time, or a small file would fill the memory.
_PIECE = {"gzip": 128 << 10, "zstd": 2 << 10}
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}

T = TypeVar("T")


class Block(NamedTuple):
    """Whole lines; the last of a file may lack its newline.

    ``text`` is uint8 and only good until the block after the next is asked for. ``position`` is how many
    bytes of the file, as stored, have been read.
    """

    text: npt.NDArray[np.uint8]
    position: int


class _Engine(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...


def compression(head: bytes) -> str | None:
    """How a file that begins with ``head`` is compressed: "gzip", "zstd" or None."""
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)


def blocks(path: Path, size: int = BLOCK) -> Iterator[Block]:
    """The lines of a file, cut into blocks of at most ``size`` bytes.

    Raises:
        ParseError: the compressed stream ends early or is damaged, or a line is longer than a block.
        StorageError: the system refused a read.
    """
    check_regular(path)
    try:
        with path.open("rb", buffering=0) as file:
            yield from _cut(path, file, _reader(path, file), size)
    except OSError as e:
        raise StorageError(f"cannot read {path}: {e.strerror or e}") from e


def sample(path: Path, size: int = 1 << 18) -> bytes:
    """The first lines of a file, about ``size`` bytes of them."""
    check_regular(path)
    try:
        with path.open("rb", buffering=0) as file:
            buffer = bytearray(size)
            text = bytes(buffer[: _reader(path, file)(memoryview(buffer))])
    except OSError as e:
        raise StorageError(f"cannot read {path}: {e.strerror or e}") from e
    return text if len(text) < size else text[: text.rfind(b"\n") + 1] or text


def read_ahead(items: Iterator[T]) -> Generator[T]:
    """The same items, each made in another thread while the one before is in use."""
    with ThreadPoolExecutor(1, thread_name_prefix="weft-read") as pool:
        pending = pool.submit(next, items, None)
        while (item := pending.result()) is not None:
            pending = pool.submit(next, items, None)
            yield item


def _cut(path: Path, file: BinaryIO, fill: Callable[[memoryview], int], size: int) -> Iterator[Block]:
    # Zeroed memory comes from the system page by page as it is touched: a small file takes little.
    buffers = np.zeros(size, np.uint8), np.zeros(size, np.uint8)
    carry = buffers[1][:0]
    number = 0
    while True:
        buffer = buffers[number % 2]
        buffer[: len(carry)] = carry
        filled = len(carry) + fill(buffer.data[len(carry) :])
        if filled < size:
            if filled:
                yield Block(buffer[:filled], file.tell())
            return
        end = _after_last_newline(buffer)
        if end == 0:
            raise ParseError(
                f"{path}: a line is longer than {size >> 20} MiB, so this is no edge list; "
                "lines must end in a newline (\\n)"
            )
        yield Block(buffer[:end], file.tell())
        carry = buffer[end:]
        number += 1


def _after_last_newline(buffer: npt.NDArray[np.uint8]) -> int:
    end = len(buffer)
    while end > 0:
        begin = max(0, end - (1 << 16))
        at = buffer[begin:end].tobytes().rfind(b"\n")
        if at >= 0:
            return begin + at + 1
        end = begin
    return 0


def _reader(path: Path, file: BinaryIO) -> Callable[[memoryview], int]:
    """What fills a buffer from the file: completely, unless the file ends."""
    kind = compression(file.read(4))
    file.seek(0)
    if kind is None:
        return lambda view: _fill_plain(file, view)
    pieces = _inflate(path, file, kind)
    left = memoryview(b"")

    def fill(view: memoryview) -> int:
        nonlocal left
        done = 0
        while done < len(view):
            if not left:
                piece = next(pieces, None)
                if piece is None:
                    break
                left = memoryview(piece)
            part = min(len(left), len(view) - done)
            view[done : done + part] = left[:part]
            left = left[part:]
            done += part
        return done

    return fill


def _fill_plain(file: BinaryIO, view: memoryview) -> int:
    done = 0
    while done < len(view) and (n := file.readinto(view[done:])):  # type: ignore[attr-defined]
        done += n
    return done


def _inflate(path: Path, file: BinaryIO, kind: str) -> Iterator[bytes]:
    """Decompressed pieces; a file may hold several compressed streams one after another."""
    suffix, piece = {"gzip": ".gz", "zstd": ".zst"}[kind], _PIECE[kind]
    data = b""
    while True:
        step, engine = _engine(kind)
        while not engine.eof:
            data = data or file.read(piece)
            ended = not data
            try:
                out, data = step(data)
            except (zlib.error, zstandard.ZstdError) as e:
                raise ParseError(
                    f"{path} is damaged: its {kind} stream cannot be decompressed near byte {file.tell():,} "
                    f"({e}); copy it again"
                ) from None
            if out:
                yield out
            elif ended and not engine.eof:
                raise ParseError(
                    f"{path} is truncated: it ends at byte {file.tell():,}, inside its {kind} stream; "
                    f"the end mark and checksum of a complete {suffix} file are missing, copy it again"
                )
        # Some tools pad archives with zeros.
        data = (engine.unused_data or file.read(piece)).lstrip(b"\0")
        while not data and (more := file.read(piece)):
            data = more.lstrip(b"\0")
        if not data:
            return


def _engine(kind: str) -> tuple[Callable[[bytes], tuple[bytes, bytes]], _Engine]:
    """A step that turns compressed bytes into (output, compressed bytes not used yet), and its state."""
    if kind == "gzip":
        gz = zlib.decompressobj(wbits=31)
        # The output of a step is bounded: a small file can stand for gigabytes.
        return lambda data: (gz.decompress(data, 1 << 20), gz.unconsumed_tail), gz
    zst = zstandard.ZstdDecompressor().decompressobj()
    return lambda data: (zst.decompress(data), b""), zst
