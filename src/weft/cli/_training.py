"""What the verbs that train share: where the state goes, and what is said before and after."""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from weft.errors import WeftValueError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from weft.embed import Embedding, Estimate, NodeEmbedding
    from weft.embed.family import AnyPlan
    from weft.graph import Graph, Labels

__all__ = [
    "check_apart",
    "check_out",
    "check_report",
    "check_same",
    "finished",
    "go_on",
    "nearest",
    "notes",
    "other_than",
    "show_plan",
    "show_result",
    "show_time",
    "sibling",
    "unfinished_at",
    "write_report",
]


def check_apart(replaced: Mapping[str, Path], others: Mapping[str, Path | None]) -> None:
    """Refuse a directory that would go when another is replaced or removed as a whole.

    Args:
        replaced: option and directory of each that is.
        others: option and place of what must survive.
    """
    for name, place in replaced.items():
        whole = Path(os.path.realpath(place))
        for other, inner in {**others, **replaced}.items():
            if other != name and inner is not None and Path(os.path.realpath(inner)).is_relative_to(whole):
                raise WeftValueError(
                    f"{other} {inner} is not apart from {name} {place}, which is replaced as a whole; choose "
                    "another place"
                )


def check_report(page: Path, out: Path | None, *, picture: bool = True) -> None:
    """Refuse a page that could not be made or written when the training is over."""
    from weft.serve.picture import check_drawable

    if picture:
        check_drawable()
    if page.parent != out and not page.parent.is_dir():
        raise WeftValueError(f"there is no folder {page.parent} for --report; make it, or choose another")


def sibling(out: Path, ending: str) -> Path:
    """The directory beside the vectors whose name is theirs with an ending."""
    if not out.name:
        raise WeftValueError(f"--out must be the name of a directory to be made (got {str(out)!r})")
    return out.with_name(out.name + ending)


@contextlib.contextmanager
def notes() -> Iterator[None]:
    """Warnings of what is called inside as notes on stderr, without the place in the code."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        yield
    sys.stderr.write("".join(f"note: {warning.message}\n" for warning in caught))


def nearest(place: Path) -> Path:
    """The folder that will hold ``place``, or the nearest above it that exists."""
    place = place.absolute()
    return next((folder for folder in place.parents if folder.is_dir()), place)


def finished(out: Path, state: Path | None, made_with: Mapping[str, object], *, holdout: bool) -> bool:
    """Whether a run that shall go on has come to its end already; say so.

    Args:
        out: where its vectors would be.
        state: where its checkpoint would be.
        made_with: what the configuration of the vectors must say.
        holdout: whether edges were to be hidden.

    Raises:
        WeftValueError: there are vectors of another run.
    """
    from weft.embed import Embedding
    from weft.embed.store import KIND
    from weft.graph.format import format_of

    if format_of(out) != KIND or (state is not None and unfinished_at(state)):
        return False
    made = Embedding.open(out)
    there = {name: made.config.get(name) for name in made_with} | {"holdout": made.holdout is not None}
    check_same(out, there, {**made_with, "holdout": holdout})
    sys.stdout.write(f"  resume   nothing to do: {out} is finished, {made!r}\n")
    return True


def check_same(out: Path, there: Mapping[str, object], now: Mapping[str, object]) -> None:
    """Refuse to take what is there for what a run would make.

    Args:
        out: where it is.
        there: settings it was made with.
        now: settings of the run.

    Raises:
        WeftValueError: they differ.
    """
    if differ := [f"{name}={there[name]!r} (now {now[name]!r})" for name in now if there[name] != now[name]]:
        raise other_than(out, differ)


def other_than(out: Path, differ: Sequence[str]) -> WeftValueError:
    """What is there was made otherwise."""
    return WeftValueError(
        f"{out} exists and was made with {', '.join(differ)}; choose another --out or pass --overwrite"
    )


def check_out(out: Path, kind: str, state: Path | None, *, overwrite: bool, resume: bool) -> None:
    """Refuse what exists and shall not be replaced, and a place that cannot be written.

    Args:
        out: where the result goes.
        kind: of directory; another kind is never replaced.
        state: where the run's checkpoint is; None: it has none.
        overwrite: replace both.
        resume: go on from the checkpoint.
    """
    from weft.files import check_writable
    from weft.graph.format import check_target

    unfinished = state is not None and unfinished_at(state)
    if overwrite:
        check_target(out, overwrite=True, kind=kind)
    elif out.exists() or out.is_symlink():
        raise WeftValueError(f"{out} exists; choose another --out or pass --overwrite")
    elif unfinished and not resume:
        raise WeftValueError(
            f"{state} holds the checkpoint of an unfinished run: pass --resume to go on from it, or "
            "--overwrite to begin anew"
        )
    check_writable(out)


def unfinished_at(state: Path) -> bool:
    """Whether there is a checkpoint, which no other run writes, or else a place for one."""
    from weft.embed.checkpoint import check_place
    from weft.graph._lock import locked

    if not state.is_dir():
        return check_place(state)
    with locked(state):  # who writes there would change it while it is read
        return check_place(state)


def go_on(state: Path, *, resume: bool, unit: str = "pairs") -> int:
    """How many of a unit an earlier run trained; say so. Without ``resume`` its checkpoint goes."""
    from weft.embed.checkpoint import pairs_saved, remove
    from weft.graph._lock import locked

    if not resume:
        with locked(state):
            remove(state)
        return 0
    with locked(state):
        before = pairs_saved(state)
    sys.stdout.write(
        f"  resume   there is no checkpoint at {state}: from the beginning\n"
        if before is None
        else f"  resume   after {before:,} {unit}, from {state}\n"
    )
    sys.stdout.flush()
    return before or 0


def show_plan(graph: Graph, plan: AnyPlan, *, hidden: int = 0, open_end: bool = False) -> str:
    """Sizes of the run; ``hidden`` edges are not learned, and with an open end it may be shorter."""
    from weft.config import show_count, show_rows

    stored = f"{show_count(graph.num_nodes, 'node')}, {show_count(graph.num_edges, 'stored edge')}"
    rows = {"graph": stored + (f", {hidden:,} hidden" if hidden else "")}
    return show_rows(rows | plan.facts(at_most=open_end))


def show_time(estimate: Estimate, left: float = 1.0) -> str:
    """How long it will take, of which a share is ``left``."""
    from weft.config import show_bytes, show_seconds

    speed = "" if estimate.pairs is None else f": {estimate.pairs / 1e6:.1f} M pairs/s"
    disk = "" if estimate.bandwidth is None else f", {show_bytes(estimate.bandwidth)}/s of the disk"
    return f"  time     about {show_seconds(left * estimate.seconds)}, by a short trial{speed}{disk}\n"


def show_result(model: NodeEmbedding, made: Embedding, seconds: float, before: int) -> str:
    """What came out, ``before`` pairs having been trained by an earlier process."""
    from weft.config import show_count, show_rows

    rows = {
        "vectors": f"{made.num_nodes:,} of {made.dim} dimensions in {made.path}",
        "time": f"{seconds:.1f} s",
    }
    if len(made.history):
        pairs = int(made.history[-1, 0]) - before
        first, last = made.history[0, 1], made.history[-1, 1]
        rows["time"] += f", {pairs / seconds / 1e6:.1f} M pairs/s"
        rows["loss"] = f"{first:.3f} at first, {last:.3f} at the end"
    if len(made.scores):
        rows |= _show_score(made, model.plan_)
    if model.untrained_:
        kept = "initial vectors" if len(made.history) else "the vector 0"
        rows["isolated"] = f"{show_count(model.untrained_, 'node')} without out-edges: {kept}"
    return show_rows(rows)


def write_report(
    page: Path, model: NodeEmbedding, made: Embedding, labels: Labels | None, seconds: float
) -> str:
    """Write the page of what came out; the line that says so."""
    from weft.serve.report import describe

    report = describe(made, labels, plan=model.plan_, stages=[("embed", seconds)])
    return f"  report   {report.write(page)}\n"


def _show_score(made: Embedding, plan: AnyPlan) -> dict[str, str]:
    """Of the vectors that were kept, and how far the run went."""
    from weft.embed import Plan
    from weft.embed.validation import best

    kept = best(made.scores)
    score = float(made.scores[made.scores[:, 0] == kept, 1][0])
    trained = made.history[-1, 0]
    over = isinstance(plan, Plan) and trained < plan.pairs
    early = f"; it had stopped rising, {plan.pairs:,} were allowed" if over else ""
    return {
        "score": f"{score:.3f}: how often a hidden edge is closer than a pair without edge (0.5 by chance)",
        "kept": f"the vectors of this score, after {kept:,.0f} of the {trained:,.0f} pairs trained{early}",
    }
