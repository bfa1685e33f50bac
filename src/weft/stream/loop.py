"""A run: events are read, held back, scored, taken in and learned from, and the whole state is saved."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from weft.checks import check_path
from weft.embed.checkpoint import differences
from weft.embed.curves import Events as TensorBoard
from weft.embed.interrupt import Interrupts
from weft.errors import FormatError, Interrupted, WeftTypeError, WeftValueError
from weft.eval._pairs import Pairs
from weft.files import check_writable, storage_errors
from weft.graph._lock import locked
from weft.graph.format import DirectoryReader, DirectoryWriter, check_target
from weft.stream.batch import ADD, NO_ID, Batch, placed
from weft.stream.iterated import IteratorSource
from weft.stream.journal import Journal
from weft.stream.live import Live
from weft.stream.models import Make, can, maker
from weft.stream.settings import Settings
from weft.stream.state import decode, encode
from weft.stream.watermark import Columns, Watermark, joined, rows

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from weft.stream.batch import Source

__all__ = ["ASIDE", "KIND", "LATE", "METRICS", "STATE", "Run", "run"]

KIND = "weft.stream"
STATE, METRICS, LATE, ASIDE = "state", "metrics.jsonl", "late.jsonl", "aside.jsonl"
_EVENT = ("source", "target", "time", "eid")


class Run:
    """Keeps a model current with a stream, in a folder of its own.

    The folder holds ``state`` (a directory that is replaced as a whole), ``metrics.jsonl`` (a line for every
    round), ``late.jsonl`` (events that came too late) and ``aside.jsonl`` (others that were not taken in, and
    why). The state holds the graph, the model,
    its optimiser and memory, the baselines, what the watermark holds back, all counters that random numbers
    are counted by, how long these files are, and the place in the source; so a run that was killed at any
    moment goes on to the state it would have had, and every event counts once.

    Args:
        source: where events come from: a :class:`Source`, or what :class:`IteratorSource` takes.
        out: the folder.
        model: a name of ``MODELS``, or a function of the graph that makes a model; called again to go on,
            and to retrain.
        settings: what decides the result.
        resume: go on from the state in the folder, if there is one.
        overwrite: begin anew where there is one.
        snapshot_rounds: rounds between two states; None: by time alone.
        snapshot_minutes: minutes between two states.
        tensorboard: where curves go.

    Raises:
        WeftValueError: the folder holds a run, or a run of other settings.
        FormatError: the state is damaged.
        StorageError: the system refuses.
    """

    def __init__(
        self,
        source: Source | Any,  # noqa: ANN401
        out: str | os.PathLike[str],
        model: str | Make = "logistic",
        *,
        settings: Settings | None = None,
        resume: bool = False,
        overwrite: bool = False,
        snapshot_rounds: int | None = None,
        snapshot_minutes: float = 10.0,
        tensorboard: str | os.PathLike[str] | None = None,
    ) -> None:
        self.out, self.settings = check_path("out", out), settings or Settings()
        given: Any = source
        self.source: Source = given if hasattr(given, "batches") else IteratorSource(given)
        self.name, make = maker(model)
        self.live = Live(make, self.settings)
        self._watermark, self._ready = Watermark(self.settings.lateness), Columns()
        self.position: dict[str, int] = {}
        """Where in the source what comes next begins."""
        self.rounds = 0
        """How many there were."""
        self.counts = {"arrived": 0, "late": 0, "repeated": 0, "not there": 0}
        """Events that came, and those of them that were set aside, by reason."""
        self.repeats = 0
        """Batches that a source gave again, in this process."""
        self._given: bool | None = None
        self._seen = Pairs()  # ids of events, as pairs of their halves
        self._every = snapshot_rounds, snapshot_minutes
        self._saved = time.perf_counter(), 0
        self._lines = {METRICS: 0, LATE: 0, ASIDE: 0}
        self._begin(resume=resume, overwrite=overwrite)
        self._journals: dict[str, Journal] = {}
        self._curves = None if tensorboard is None else Path(tensorboard)

    def _begin(self, *, resume: bool, overwrite: bool) -> None:
        state = self.out / STATE
        there = state.exists() or state.is_symlink()
        if there and resume:
            self._load(state)
        elif there and not overwrite:
            raise WeftValueError(
                f"{self.out} holds a run: pass --resume (resume=True in Python) to go on from it, or "
                "--overwrite to begin anew"
            )
        else:
            check_target(state, overwrite=True, kind=KIND)
            check_writable(state)

    def score(self, source: Any, target: Any, time: npt.ArrayLike | None = None) -> npt.NDArray[np.floating]:  # noqa: ANN401
        """Scores of pairs of the live state; from any thread.

        Args:
            source: ids as in the source ``[K]``, or one for all.
            target: likewise.
            time: integers ``[K]``, or one for all; None: just after the newest event.

        Returns:
            Scores ``[K]``, higher where an event is likelier.

        Raises:
            WeftKeyError: no event has come with an id.
        """
        with self.live.gate.asking():
            a, b = self.live.ids.find(source), self.live.ids.find(target, target=True)
            at = (self.live.newest or 0) + 1 if time is None else time
            given = np.broadcast_arrays(a, b, np.asarray(at, np.int64))
            return np.asarray(self.live.model.score(*(np.ascontiguousarray(column) for column in given)))

    def embed(
        self,
        nodes: Any,  # noqa: ANN401
        time: npt.ArrayLike | None = None,
        *,
        target: bool = False,
    ) -> npt.NDArray[Any]:
        """Vectors of nodes of the live state, ``[K, D]``; from any thread.

        Args:
            nodes: ids as in the source ``[K]``.
            time: integers ``[K]``, or one for all; None: just after the newest event.
            target: of a bipartite stream, they are targets.

        Raises:
            WeftKeyError: no event has come with an id.
            WeftTypeError: the model has no vectors.
        """
        if not can(self.live.model, "embed"):
            raise WeftTypeError(f"the model {self.name} has no vectors of nodes; ask it for scores")
        with self.live.gate.asking():
            node = self.live.ids.find(nodes, target=target)
            at = (self.live.newest or 0) + 1 if time is None else time
            return np.asarray(
                self.live.model.embed(node, np.broadcast_to(np.asarray(at, np.int64), node.shape))
            )

    def go(self, *, rounds: int | None = None, stop: Callable[[], bool] | None = None) -> Self:
        """Work until the source is over, and save the state.

        Args:
            rounds: stop after so many more.
            stop: asked after every round and wherever nothing comes; True: stop.

        Raises:
            Interrupted: SIGINT or SIGTERM came; the state was saved.
            WeftValueError: the source gave what cannot be taken in; what came before was saved.
            StorageError: the state cannot be saved; the one before stays.
        """
        last = None if rounds is None else self.rounds + rounds
        with contextlib.ExitStack() as stack:
            with storage_errors("write", self.out):
                self.out.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(self.out / STATE))
            interrupts = stack.enter_context(Interrupts("round"))
            for name, lines in self._lines.items():
                self._journals[name] = Journal(self.out / name, lines)
                stack.callback(self._journals[name].close)
            board = None
            if self._curves is not None:
                board = TensorBoard(self._curves, self.live.events)
                stack.callback(board.close)
            batches = iter(self.source.batches(dict(self.position)))
            if isinstance(batches, Generator):
                stack.callback(batches.close)

            def asked() -> bool:
                return (stop is not None and stop()) or (last is not None and self.rounds >= last)

            while not asked():
                batch = self._next(batches)
                if batch is not None and batch is not _OVER:
                    self._take(batch)
                over = batch is _OVER
                if over:
                    self._ready = joined(self._ready, self._watermark.flush())
                while self._due(over=over):
                    self._round(board)
                    self._check(interrupts)
                    if asked():
                        break
                    self._save_when_due()
                self._check(interrupts)
                if over and not self._due(over=True):
                    break
            self.save()
        return self

    def _next(self, batches: Any) -> Any:  # noqa: ANN401
        """The next batch, None, or _OVER; what a source that fails had given is saved."""
        try:
            batch = next(batches, _OVER)
            if isinstance(batch, Batch) and not placed(self.position, batch, self.source.name):
                self.repeats += 1
                return None
            return (batch, self._checked(batch)) if isinstance(batch, Batch) else batch
        except Exception:
            self.save()
            raise

    def _checked(self, batch: Batch) -> dict[str, Any]:
        columns = batch.columns()
        named = columns["eid"][columns["op"] == ADD] != NO_ID
        if len(named) and (named != (named[0] if self._given is None else self._given)).any():
            raise WeftValueError(
                f"{self.source.name}: some events have ids and some have none; give all of them ids, or none"
            )
        return columns

    def _check(self, interrupts: Interrupts) -> None:
        if interrupts.asked is not None:
            self.save()
            raise Interrupted(
                f"stopped after round {self.rounds:,}; the state is in {self.out}: go on with --resume",
                interrupts.asked,
            )

    def _take(self, given: tuple[Batch, dict[str, Any]]) -> None:
        """Number nodes and events, set late ones aside, hold the others back."""
        batch, columns = given
        add = columns["op"] == ADD
        if self._given is None and add.any():
            self._given = bool(columns["eid"][add][0] != NO_ID)
        with self.live.gate.changing():
            ends = self.live.ids.add(columns["source"], columns["target"])
        count = len(add)
        if not self._given:
            columns["eid"] = np.where(add, self.counts["arrived"] + np.arange(count), columns["eid"])
        events = dict(zip(("source", "target"), ends, strict=True))
        events |= {name: columns[name] for name in ("time", "eid", "op")}
        self.counts["arrived"] += count
        self.position.update(batch.end)
        late = self._watermark.add(events)
        self._set_aside("late", late)
        self._ready = joined(self._ready, self._watermark.release())

    def _set_aside(self, why: str, events: Columns) -> None:
        if not events or len(events["time"]) == 0:
            return
        columns: dict[str, list[Any]] = {name: column.tolist() for name, column in events.items()}
        columns |= {end: self.live.ids.take(events[end]) for end in ("source", "target")}
        columns["eid"] = [None if eid == NO_ID else eid for eid in columns["eid"]]
        columns["op"] = ["add" if op == ADD else "delete" for op in columns["op"]]
        lines = [
            {"why": why, **dict(zip(columns, values, strict=True))}
            for values in zip(*columns.values(), strict=True)
        ]
        # Late ones are found as they are read, others as they are worked through: in one file, how much is
        # read together would show.
        self._journals[LATE if why == "late" else ASIDE].write(*lines)
        self.counts[why] += len(lines)

    def _due(self, *, over: bool) -> bool:
        size = len(self._ready["time"]) if self._ready else 0
        return size >= self._size() or (over and size > 0)

    def _size(self) -> int:
        return self.settings.warmup if self._warming() else self.settings.round_size

    def _warming(self) -> bool:
        return self.rounds == 0 and self.settings.warmup > 0

    def _round(self, board: TensorBoard | None) -> None:
        """Work through the next events, and say what came of it."""
        begun, warming = time.perf_counter(), self._warming()
        events = rows(self._ready, slice(0, self._size()))
        self._ready = rows(self._ready, slice(self._size(), None))
        events = self._once(events)
        frozen = self.settings.frozen
        figures, lost = self.live.round(events, score=not warming, learn=not warming and not frozen)
        self._set_aside("not there", rows(events, lost))
        self.rounds += 1
        figures["expired"] = self.live.expire()
        again = self.settings.retrain > 0 and self.rounds % self.settings.retrain == 0
        if warming or again:
            figures["loss"] = self.live.retrain()
            figures["retrained"] = True
        graph = self.live.graph
        line: dict[str, Any] = {"round": self.rounds, "time": self.live.newest, **figures}
        line |= {why: self.counts[why] for why in ("repeated", "not there")}
        line |= {"nodes": graph.num_nodes, "edges": graph.num_events, "seconds": time.perf_counter() - begun}
        self._journals[METRICS].write(line)
        if board is not None:
            curves = {f"{m} of {name}": v for name, found in line["scores"].items() for m, v in found.items()}
            curves |= {} if line["loss"] is None else {"loss": line["loss"]}
            board.write(self.live.events, {f"stream/{tag}": value for tag, value in curves.items()})

    def _once(self, events: Columns) -> Columns:
        """Events whose ids have not come before; the others are set aside."""
        if not self._given:
            return events
        add = np.flatnonzero(events["op"] == ADD)
        ids = events["eid"][add].view(np.uint64)
        halves = ids >> np.uint64(32), ids & np.uint64(0xFFFFFFFF)
        new = self._seen.find(*halves)[0] == 0
        first = np.zeros(len(ids), bool)
        first[np.unique(ids, return_index=True)[1]] = True
        new &= first
        self._seen.add(halves[0][new], halves[1][new], np.zeros(int(new.sum()), np.int64))
        self._set_aside("repeated", rows(events, add[~new]))
        keep = np.ones(len(events["op"]), bool)
        keep[add[~new]] = False
        return rows(events, keep)

    def _save_when_due(self) -> None:
        each, minutes = self._every
        at, done = self._saved
        if (each is not None and self.rounds - done >= each) or time.perf_counter() - at >= 60 * minutes:
            self.save()

    def save(self) -> None:
        """Write the state; until that is done, the one before stays.

        Raises:
            StorageError: the disk is full, or the system refuses otherwise.
        """
        for journal in self._journals.values():
            journal.sync()
        self._lines.update({name: journal.lines for name, journal in self._journals.items()})
        with DirectoryWriter(self.out / STATE, KIND, overwrite=True) as writer:
            dtypes = dict(zip(_EVENT, (np.uint32, np.uint32, np.int64, np.int64), strict=True))
            columns = {name: writer.array(name, dtypes[name], (None,)) for name in _EVENT}
            for piece in self.live.graph.events():
                for name in _EVENT:
                    columns[name].write(getattr(piece, name))
            tree = encode(writer, self._state())
            writer.finish({**self._identity(), "rounds": self.rounds, "state": tree})
        self._saved = time.perf_counter(), self.rounds

    def _identity(self) -> dict[str, Any]:
        return {"params": {"model": self.name, **self.settings.to_dict()}}

    def _state(self) -> dict[str, Any]:
        return {
            "live": self.live.state_dict(),
            "watermark": self._watermark.state_dict(),
            "ready": dict(self._ready),
            "position": dict(sorted(self.position.items())),
            "counts": dict(self.counts),
            "rounds": self.rounds,
            "lines": dict(self._lines),
            "given": self._given,
            "seen": self._seen.state_dict(),
        }

    def _load(self, path: Path) -> None:
        reader = DirectoryReader(path, KIND, verify=True)
        if differ := differences(reader.meta, self._identity()):
            raise WeftValueError(
                f"cannot go on from {self.out}: it was made with {', '.join(differ)}; give the same, or "
                "begin anew with --overwrite"
            )
        try:
            state = decode(reader, reader.meta["state"])
            events = {name: np.array(reader.get(name)) for name in _EVENT}
            self.live.load_state_dict(state["live"], events)
            self._watermark.load_state_dict(state["watermark"])
            self._ready, self.position = Columns(state["ready"]), dict(state["position"])
            self.counts, self.rounds = dict(state["counts"]), state["rounds"]
            self._lines, self._given = dict(state["lines"]), state["given"]
            self._seen.load_state_dict(state["seen"])
        except (KeyError, TypeError, IndexError) as error:
            raise FormatError(f"{path}: its state is not one of this weft ({error!r}); begin anew") from error
        self._saved = time.perf_counter(), self.rounds


_OVER = object()


def run(
    source: Source | Any,  # noqa: ANN401
    out: str | os.PathLike[str],
    model: str | Make = "logistic",
    *,
    resume: bool = False,
    overwrite: bool = False,
    snapshot_rounds: int | None = None,
    snapshot_minutes: float = 10.0,
    tensorboard: str | os.PathLike[str] | None = None,
    **settings: Any,  # noqa: ANN401
) -> Run:
    """Work through a stream until it is over: :class:`Run` and :meth:`Run.go` in one.

    Args:
        source: see :class:`Run`.
        out: likewise.
        model: likewise.
        resume: likewise.
        overwrite: likewise.
        snapshot_rounds: likewise.
        snapshot_minutes: likewise.
        tensorboard: likewise.
        settings: fields of :class:`Settings`.
    """
    made = Run(
        source,
        out,
        model,
        settings=Settings(**settings),
        resume=resume,
        overwrite=overwrite,
        snapshot_rounds=snapshot_rounds,
        snapshot_minutes=snapshot_minutes,
        tensorboard=tensorboard,
    )
    return made.go()
