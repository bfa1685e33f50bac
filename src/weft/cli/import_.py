"""Turn edges into a graph directory: one file, or with --edges one for each type of edges.

Takes CSV, TSV or space-separated text (plain, gzip or zstd; # and % begin comments; with or without a first
line of names), Parquet, SciPy .npz and MATLAB .mat. Ids are integers of any size or text.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import Positional, UseAppendAction, arg

from weft.cli._typed import column, counts_of, edges_of
from weft.errors import WeftValueError

if TYPE_CHECKING:
    from weft.graph import Graph, HeteroGraph

__all__ = ["Args", "columns_of", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Options of ``weft import``."""

    source: Annotated[Positional[Path | None], arg(metavar="EDGE_FILE")] = None
    """The edges; not with --edges."""

    edges: Annotated[
        UseAppendAction[tuple[str, ...]], arg(metavar="SOURCE,RELATION,TARGET=FILE[:COLUMNS]")
    ] = ()
    """Edges of a type, such as author,writes,paper=writes.csv; given once for each type. Columns of source,
    target and, if need be, weight may follow the file. An id means the same node of its type in all files."""

    out: Annotated[Path, arg(metavar="DIR")]
    """Where the graph goes."""

    memory: Annotated[str | None, arg(metavar="SIZE")] = None
    """Memory to use, such as 4GiB; half of what is free when not given. Edges beyond it wait on disk."""

    directed: bool = False
    """Edges lead one way; otherwise each is stored in both directions, with --edges as rev_RELATION."""

    duplicates: Literal["keep", "drop", "sum"] = "drop"
    """Edges given twice: keep all, the first, or one with the sum of the weights."""

    self_loops: Literal["keep", "drop"] = "keep"
    """Edges from a node to itself."""

    num_nodes: Annotated[str | None, arg(metavar="INT")] = None
    """Ids are 0 to one less than this, whether they have edges or not; with --edges by type:
    paper=1000,author=50."""

    ids: Literal["auto", "int", "string"] = "auto"
    """What ids are; auto decides by the first lines."""

    columns: Annotated[tuple[str, str] | None, arg(metavar="SOURCE TARGET")] = None
    """The columns of source and target, by name or by number from 0."""

    weight: Annotated[str | None, arg(metavar="COLUMN")] = None
    """The column of weights, by name or by number from 0."""

    labels: Annotated[Path | None, arg(metavar="FILE")] = None
    """Lines of id and label; an id may have several."""

    label_columns: Annotated[tuple[str, str] | None, arg(metavar="ID LABEL")] = None
    """The columns of id and label in that file, by name or by number from 0."""

    features: Annotated[Path | None, arg(metavar="NPY")] = None
    """A row for each node, in the order of the nodes."""

    feature_ids: Annotated[str | None, arg(metavar="FILE|COLUMN")] = None
    """Which id each row of the features is for: a file, or the number of a column of the features."""

    delimiter: str = "auto"
    """Text: the character between fields, or tab, comma, semicolon, space."""

    header: Literal["auto", "yes", "no"] = "auto"
    """Text: whether the first line names the columns; where all ids are text it can only be told."""

    no_quotes: bool = False
    """Text: quotes do not enclose fields but are part of them."""

    variable: Annotated[str | None, arg(metavar="NAME")] = None
    """.mat: the name of the matrix."""

    on_error: Literal["fail", "skip"] = "fail"
    """Lines that cannot be read."""

    overwrite: bool = False
    """Replace what is at --out."""

    threads: Annotated[int | None, arg(metavar="INT")] = None
    """Threads to use; the result does not depend on it."""


def run(args: Args) -> int:
    """Import and describe."""
    from weft.kernels.threads import set_num_threads

    if args.threads is not None:
        set_num_threads(args.threads)
    begun = time.perf_counter()
    graph = _typed(args) if args.edges else _plain(args)
    seconds = time.perf_counter() - begun
    stored = graph.num_edges if isinstance(graph.num_edges, int) else sum(graph.num_edges.values())
    rate = stored / seconds / 1e6
    sys.stdout.write(f"{args.out}: {graph!r}, {seconds:.1f} s ({rate:.1f} M stored edges/s)\n")
    return 0


def _plain(args: Args) -> Graph:
    from weft.graph.ingest import ingest

    if args.source is None:
        raise WeftValueError(
            "which edges? give a file of them, or --edges SOURCE,RELATION,TARGET=FILE for each type"
        )
    num_nodes = None if args.num_nodes is None else counts_of(args.num_nodes)
    if isinstance(num_nodes, dict):
        raise WeftValueError(
            f"--num-nodes {args.num_nodes} counts nodes by type; without --edges there is one, give a number"
        )
    return ingest(
        args.source,
        args.out,
        num_nodes=num_nodes,
        columns=columns_of(args.columns),
        weight=None if args.weight is None else column(args.weight),
        labels=args.labels,
        label_columns=columns_of(args.label_columns),
        features=args.features,
        feature_ids=None if args.feature_ids is None else column(args.feature_ids),
        **_options(args),
    )


def _typed(args: Args) -> HeteroGraph:
    from weft.graph.hetero_ingest import ingest_typed

    if args.source is not None:
        raise WeftValueError(
            f"{args.source} is given beside --edges, which have files of their own; give it a type, too: "
            f"--edges SOURCE,RELATION,TARGET={args.source}"
        )
    for option, given in (
        ("--labels", args.labels),
        ("--label-columns", args.label_columns),
        ("--features", args.features),
        ("--feature-ids", args.feature_ids),
    ):
        if given is not None:
            raise WeftValueError(
                f"{option} is for graphs of one type; import the edges, then weft attach {args.out} "
                "--type NAME --labels FILE --features FILE"
            )
    num_nodes = None if args.num_nodes is None else counts_of(args.num_nodes)
    if isinstance(num_nodes, int):
        raise WeftValueError(
            f"--num-nodes {num_nodes}: of which type? with --edges give numbers by type, such as "
            "paper=1000,author=50"
        )
    return ingest_typed(
        edges_of(args.edges, columns_of(args.columns), None if args.weight is None else column(args.weight)),
        args.out,
        num_nodes=num_nodes,
        **_options(args),
    )


def _options(args: Args) -> dict[str, Any]:
    """Those of both kinds."""
    return {
        "memory": args.memory,
        "directed": args.directed,
        "duplicates": args.duplicates,
        "self_loops": args.self_loops,
        "ids": args.ids,
        "delimiter": args.delimiter,
        "variable": args.variable,
        "header": None if args.header == "auto" else args.header == "yes",
        "quote": None if args.no_quotes else '"',
        "on_error": args.on_error,
        "overwrite": args.overwrite,
        "progress": sys.stderr.isatty(),
        "say": lambda text: print(text, file=sys.stderr),
    }


def columns_of(words: tuple[str, str] | None) -> tuple[str | int, str | int] | None:
    """Two columns as given on the command line: digits are a number."""
    return None if words is None else (column(words[0]), column(words[1]))
