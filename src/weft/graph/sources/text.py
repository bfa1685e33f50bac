"""Edge lists in text files: CSV, TSV, space-separated; plain, gzip or zstd."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from weft.errors import IdRangeError, ParseError, StorageError
from weft.graph.ids import Strings
from weft.graph.sources._blocks import BLOCK, Block, blocks, read_ahead, sample
from weft.graph.sources._messages import describe
from weft.graph.sources._sniff import TextOptions, sniff
from weft.graph.sources.base import EdgeChunk, IdArray, IdKind, ReadReport
from weft.kernels.parse import IntEdges, parse_ints, parse_strings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from weft.kernels.parse import StringEdges

__all__ = ["TextSource"]

_MESSAGES = 10


class TextSource:
    """Edges written one a line.

    How the file is written is taken from its first lines when the source is made; the options overrule
    any guess.

    Args:
        path: the file.
        options: what is known about it.
        block: how many bytes are read at once.
        ends: what messages call the two ids of a line.

    Raises:
        ParseError: the file is empty, holds no edges, is no text, or lacks a column asked for.
        StorageError: it cannot be read.
    """

    rereadable = False
    num_nodes: int | None = None
    num_edges: int | None = None
    isolated: IdArray | None = None

    def __init__(
        self,
        path: str | Path,
        options: TextOptions | None = None,
        *,
        block: int = BLOCK,
        ends: tuple[str, str] = ("source", "target"),
    ) -> None:
        self.path = Path(path)
        self.options = options or TextOptions()
        self.layout = sniff(self.name, sample(self.path), self.options)
        self.position = 0
        self._block, self._ends = block, ends
        self._skipped = 0
        self._messages: list[str] = []

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    @property
    def id_kind(self) -> IdKind:
        """What ids are, as asked for or by the first lines."""
        return self.layout.id_kind

    @property
    def weighted(self) -> bool:
        """Whether a column is read as the weight."""
        return self.layout.form.weight is not None

    def size_hint(self) -> int:
        """The size of the file."""
        try:
            return self.path.stat().st_size
        except OSError as e:
            raise StorageError(f"cannot read {self.path}: {e.strerror or e}") from e

    def as_strings(self) -> TextSource:
        """The same file with string ids."""
        return TextSource(self.path, replace(self.options, ids="string"), block=self._block, ends=self._ends)

    def report(self) -> ReadReport:
        """Lines skipped, and what was guessed."""
        return ReadReport(self._skipped, tuple(self._messages), self.layout.notes)

    def chunks(self) -> Iterator[EdgeChunk]:
        """The edges in order of the file; see ``EdgeSource.chunks``."""
        self.position = self._skipped = 0
        self._messages.clear()
        line, start = self.layout.first_line, self.layout.start
        with closing(read_ahead(blocks(self.path, self._block))) as pieces:
            for piece in pieces:
                begin = min(start, len(piece.text))
                start -= begin
                edges = self._parse(Block(piece.text[begin:], piece.position), line)
                line += edges.lines
                self.position = piece.position
                yield _chunk(edges)

    def line_of(self, edge: int) -> int:
        """The line, from 1, that edge number ``edge`` of a reading that skips nothing is on."""
        marks = tuple(mark.encode() for mark in self.options.comments)
        line, start = self.layout.first_line, self.layout.start
        for piece in blocks(self.path, self._block):
            for text in piece.text[start:].tobytes().removesuffix(b"\n").split(b"\n"):
                line += 1
                content = text.strip(b" \t\r")
                edge -= bool(content) and not content.startswith(marks)
                if edge < 0:
                    return line
            start = max(0, start - len(piece.text))
        raise IndexError(f"{self.name} has no edge of this number")

    def _parse(self, block: Block, line: int) -> IntEdges | StringEdges:
        skip = self.options.on_error == "skip"
        read = parse_ints if self.id_kind == "int" else parse_strings
        edges = read(block.text, self.layout.form, skip=skip, keep=_MESSAGES)
        if not edges.bad:
            return edges
        form = self.layout.form
        messages = [describe(self.name, line, block.text, bad, form, self._ends) for bad in edges.first]
        if edges.overflow and self.options.ids == "auto":
            raise IdRangeError(next((m for m in messages if "64 bits" in m), messages[0]))
        if not skip:
            raise ParseError(messages[0])
        self._skipped += edges.bad
        self._messages += messages[: _MESSAGES - len(self._messages)]
        return edges


def _chunk(edges: IntEdges | StringEdges) -> EdgeChunk:
    if isinstance(edges, IntEdges):
        return EdgeChunk(edges.src, edges.dst, edges.weight)
    return EdgeChunk(Strings(*edges.src), Strings(*edges.dst), edges.weight)
