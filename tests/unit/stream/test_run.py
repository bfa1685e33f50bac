"""A run from beginning to end, and everything that may go wrong on the way."""

from __future__ import annotations

import errno
import shutil
import threading
import time

import numpy as np
import pytest

from weft.errors import FormatError, StorageError, WeftKeyError, WeftTypeError, WeftValueError
from weft.graph import TemporalGraph
from weft.stream import DELETE, Batch, NeighborLogistic, Run, Settings, TextSource, run
from weft.stream.journal import read_lines
from weft.stream.loop import ASIDE, LATE, METRICS, STATE

SMALL = {"round_size": 100, "batch_size": 30, "negatives": 6, "seed": 3}


def stream(count=600, nodes=25, seed=0, disorder=0):
    rng = np.random.default_rng(seed)
    source = rng.integers(0, nodes, count)
    target = (source * 3 + rng.integers(0, 3, count)) % nodes + 100
    moved = (
        np.arange(count) * 10 + rng.integers(0, disorder + 1, count) if disorder else np.arange(count) * 10
    )
    return source, target, moved


def cut(columns, size):
    return [tuple(c[i : i + size] for c in columns) for i in range(0, len(columns[0]), size)]


def state(folder):
    """Bytes of the state, and of what was written beside it but for the clock."""
    files = {p.name: p.read_bytes() for p in sorted((folder / STATE).iterdir())}
    lines = [{k: v for k, v in line.items() if k != "seconds"} for line in read_lines(folder / METRICS)]
    return files, lines, read_lines(folder / LATE), read_lines(folder / ASIDE)


@pytest.mark.parametrize("model", ["edgebank", "heuristic", "logistic"])
def test_every_event_is_scored_and_taken_in_once(tmp_path, model):
    made = run(cut(stream(), 77), tmp_path / "r", model, **SMALL)
    lines = read_lines(tmp_path / "r" / METRICS)
    assert [line["events"] for line in lines] == [100] * 6
    assert made.counts == {"arrived": 600, "late": 0, "repeated": 0, "not there": 0}
    assert made.live.graph.num_events == 600
    assert lines[0]["scores"] == {}
    for line in lines[1:]:
        assert set(line["scores"]) == {"model", "edgebank", "heuristic"}
        if model != "logistic":
            assert line["scores"]["model"] == line["scores"][model]
    assert (lines[-1]["loss"] is None) == (model != "logistic")
    events = [np.concatenate(part) for part in zip(*made.live.graph.events(), strict=True)]
    np.testing.assert_array_equal(events[3], np.arange(600))
    np.testing.assert_array_equal(made.live.ids.take(events[0]), stream()[0])


def test_batches_do_not_matter(tmp_path):
    columns = stream(disorder=40)
    runs = [
        run(cut(columns, size), tmp_path / str(size), lateness=25, **SMALL, snapshot_rounds=every)
        for size, every in ((1, 2), (64, None), (600, 1))
    ]
    first = state(tmp_path / "1")
    assert runs[0].counts["late"] > 0
    assert len(first[2]) == runs[0].counts["late"]
    assert state(tmp_path / "64") == first
    assert state(tmp_path / "600") == first


def test_late_events_take_their_place(tmp_path):
    source, target, moved = stream(disorder=40)
    shuffled = run(cut((source, target, moved), 50), tmp_path / "a", lateness=1000, **SMALL)
    order = np.argsort(moved, kind="stable")
    ordered = run(cut((source[order], target[order], moved[order]), 50), tmp_path / "b", **SMALL)
    assert shuffled.counts["late"] == ordered.counts["late"] == 0
    ours, theirs = (read_lines(tmp_path / name / METRICS) for name in "ab")
    for a, b in zip(ours, theirs, strict=True):
        # Nodes are numbered as they arrive, so negatives are other ones; what is learned from is the same.
        assert (a["events"], a["time"], a["edges"]) == (b["events"], b["time"], b["edges"])


@pytest.mark.parametrize("stops", [[1], [2, 1, 1], [5]])
def test_resumed_is_the_same(tmp_path, stops):
    settings = SMALL | {"lateness": 25, "retrain": 2, "window": 3000, "warmup": 150}
    batches = cut(stream(disorder=40), 64)
    run(batches, tmp_path / "whole", **settings)
    for number, rounds in enumerate(stops):
        made = Run(batches, tmp_path / "parts", settings=Settings(**settings), resume=number > 0)
        made.go(rounds=rounds)
    Run(batches, tmp_path / "parts", settings=Settings(**settings), resume=True).go()
    assert state(tmp_path / "parts") == state(tmp_path / "whole")


def test_a_model_of_torch(tmp_path):
    torch = pytest.importorskip("torch")

    class Embedded:
        """Dot products, with dropout and Adam, whose draws are counted by step."""

        def __init__(self, graph):
            self.table = torch.nn.Embedding(64, 4)
            self.optimizer = torch.optim.Adam(self.table.parameters(), lr=0.05)
            self.seen = 0

        def score(self, source, target, time):
            with torch.no_grad():
                return (
                    (self.table(torch.from_numpy(source)) * self.table(torch.from_numpy(target)))
                    .sum(1)
                    .numpy()
                )

        def learn(self, source, target, time, negative):
            ends = [self.table(torch.from_numpy(end)) for end in (source, target, negative)]
            kept = torch.nn.functional.dropout(ends[0], 0.5)
            loss = torch.nn.functional.softplus((kept * (ends[2] - ends[1])).sum(1)).mean()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            return loss.item()

        def observe(self, source, target, time, eid):
            self.seen += len(eid)

        def embed(self, nodes, time):
            return self.table(torch.from_numpy(nodes)).detach().numpy()

        def state_dict(self):
            parts = {"table": self.table.state_dict(), "optimizer": self.optimizer.state_dict()}
            return parts | {"seen": self.seen, "none": None, "pair": (1, [2.5, float("nan")])}

        def load_state_dict(self, held):
            self.table.load_state_dict(held["table"])
            self.optimizer.load_state_dict(held["optimizer"])
            self.seen = held["seen"]
            assert held["pair"][0] == 1
            assert np.isnan(held["pair"][1][1])

    torch.manual_seed(99)  # what the process drew before does not matter
    batches = cut(stream(), 64)
    run(batches, tmp_path / "whole", Embedded, **SMALL)
    torch.manual_seed(7)
    Run(batches, tmp_path / "parts", Embedded, settings=Settings(**SMALL)).go(rounds=3)
    torch.rand(5)
    made = Run(batches, tmp_path / "parts", Embedded, settings=Settings(**SMALL), resume=True).go()
    assert state(tmp_path / "parts") == state(tmp_path / "whole")
    assert made.embed([0, 1]).shape == (2, 4)
    assert made.live.model.seen == 600


def test_repeated_ids_count_once(tmp_path):
    source, target, moved = stream(300)
    eid = np.arange(300) * 7 - 100
    twice = [np.concatenate([c[:150], c[100:]]) for c in (source, target, moved, eid)]
    batches = [Batch(source=s, target=d, time=t, eid=e) for s, d, t, e in cut(twice, 64)]
    repeated = run(batches, tmp_path / "a", lateness=10**6, **SMALL)
    assert repeated.counts["repeated"] == 50
    assert repeated.live.graph.num_events == 300
    assert [line["why"] for line in read_lines(tmp_path / "a" / ASIDE)] == ["repeated"] * 50
    found = np.concatenate([piece.eid for piece in repeated.live.graph.events()])
    np.testing.assert_array_equal(np.sort(found), eid)


def test_some_ids_are_refused(tmp_path):
    batches = [([1], [2], [3], [4]), ([1], [2], [4])]
    with pytest.raises(WeftValueError, match="some events have ids and some have none"):
        run(batches, tmp_path / "r")


def test_a_batch_that_comes_again(tmp_path):
    columns, again = cut(stream(), 64), []
    for number, (s, d, t) in enumerate(columns):
        batch = Batch(source=s, target=d, time=t, begin={"part": number}, end={"part": number + 1})
        again += [batch] * (1 + number % 3)
    made = run(again, tmp_path / "a", **SMALL)
    run(columns, tmp_path / "b", **SMALL)
    assert made.repeats == len(again) - len(columns)
    a, b = state(tmp_path / "a"), state(tmp_path / "b")
    assert a[1:] == b[1:]
    assert {n: d for n, d in a[0].items() if n != "manifest.json"} == {
        n: d for n, d in b[0].items() if n != "manifest.json"
    }


class Dying:
    name = "a source that dies"

    def __init__(self, columns, after, error):
        self._columns, self._after, self._error = columns, after, error

    def batches(self, offset):
        for number in range(offset.get("n", 0), len(self._columns)):
            if number == self._after:
                raise self._error
            s, d, t = self._columns[number]
            yield Batch(source=s, target=d, time=t, begin={"n": number}, end={"n": number + 1})


def test_a_source_that_dies(tmp_path):
    columns = cut(stream(), 64)
    run(Dying(columns, None, None), tmp_path / "whole", **SMALL)
    for after in (0, 3, 5, 6):
        with pytest.raises(ConnectionError):
            run(Dying(columns, after, ConnectionError("gone")), tmp_path / "parts", resume=True, **SMALL)
    run(Dying(columns, None, None), tmp_path / "parts", resume=True, **SMALL)
    assert state(tmp_path / "parts") == state(tmp_path / "whole")


@pytest.mark.parametrize("bad", [np.nan, 1.5, 2.0**63, np.inf])
def test_times_that_are_none_leave_the_state_whole(tmp_path, bad):
    columns = cut(stream(), 64)
    wrong = (columns[4][0], columns[4][1], np.where(np.arange(64) == 5, bad, columns[4][2]))
    with pytest.raises(WeftValueError, match="no integer of 64 bits"):
        run([*columns[:4], wrong, *columns[5:]], tmp_path / "parts", **SMALL)
    run(columns, tmp_path / "parts", resume=True, **SMALL)
    run(columns, tmp_path / "whole", **SMALL)
    assert state(tmp_path / "parts") == state(tmp_path / "whole")


def test_times_before_1970(tmp_path):
    source, target, moved = stream(200)
    made = run([(source, target, moved - 10**12)], tmp_path / "r", window=500, **SMALL)
    assert made.live.newest == 1990 - 10**12
    assert made.live.graph.num_events == 51


def test_a_full_disk_leaves_the_state_before(tmp_path, monkeypatch):
    from weft.stream import loop

    columns = cut(stream(), 64)
    full, written = [], []

    class Full(loop.DirectoryWriter):
        def array(self, name, dtype, shape):
            if full and name == "eid":
                raise StorageError(errno.ENOSPC, "cannot write: the disk is full")
            written.append(name)
            return super().array(name, dtype, shape)

    monkeypatch.setattr(loop, "DirectoryWriter", Full)
    made = Run(columns, tmp_path / "parts", settings=Settings(**SMALL), snapshot_rounds=1)
    made.go(rounds=2)
    before = state(tmp_path / "parts")
    full.append(True)
    with pytest.raises(StorageError, match="the disk is full"):
        made.go()
    assert state(tmp_path / "parts")[0] == before[0]
    assert [p.name for p in (tmp_path / "parts").iterdir() if "tmp" in p.name] == []
    full.clear()
    Run(columns, tmp_path / "parts", settings=Settings(**SMALL), resume=True).go()
    run(columns, tmp_path / "whole", **SMALL)
    assert state(tmp_path / "parts") == state(tmp_path / "whole")


def deletions(settings, rows, tmp_path):
    """A run over rows of (source, target, time, op[, eid])."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    batch = Batch(**dict(zip(("source", "target", "time", "op", "eid"), columns, strict=False)))
    return run([batch], tmp_path / "r", "edgebank", round_size=100, **settings)


def left(made):
    events = [np.concatenate(part) for part in zip(*made.live.graph.events(), strict=True)]
    ends = [made.live.ids.take(end) for end in events[:2]]
    return list(zip(*ends, events[2].tolist(), strict=True))


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_deletions_of_pairs(tmp_path, batch_size):
    rows = [
        (1, 2, 10, 0),
        (1, 2, 11, 0),
        (1, 3, 12, 0),
        (1, 2, 13, DELETE),
        (1, 2, 14, 0),
        (1, 4, 15, DELETE),
    ]
    made = deletions({"batch_size": batch_size}, rows, tmp_path)
    assert left(made) == [(1, 3, 12), (1, 2, 14)]
    assert made.counts["not there"] == 1
    (aside,) = read_lines(tmp_path / "r" / ASIDE)
    assert (aside["why"], aside["source"], aside["target"], aside["op"]) == ("not there", 1, 4, "delete")


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_deletions_of_targets(tmp_path, batch_size):
    rows = [(1, 2, 10, 0), (5, 2, 11, 0), (1, 3, 12, 0), (1, 2, 13, DELETE), (7, 2, 14, 0), (1, 2, 15, 0)]
    settings = {"batch_size": batch_size, "deletes": "target", "bipartite": True}
    made = deletions(settings, rows, tmp_path)
    assert left(made) == [(1, 3, 12), (7, 2, 14), (1, 2, 15)]
    assert made.score([5, 7, 1], [2, 2, 3]).tolist() == [0, 1, 1]


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_deletions_of_ids(tmp_path, batch_size):
    rows = [(1, 2, 10, 0, 50), (1, 2, 11, 0, 51), (3, 2, 12, 0, 52), (1, 2, 13, 1, 50), (1, 2, 13, 1, 50)]
    made = deletions({"batch_size": batch_size}, rows, tmp_path)
    assert left(made) == [(1, 2, 11), (3, 2, 12)]
    assert made.counts["not there"] == 1  # it was deleted before
    assert made.score(1, 2).tolist() == [1]


def test_a_window(tmp_path):
    made = run(cut(stream(), 64), tmp_path / "r", window=1000, **SMALL)
    lines = read_lines(tmp_path / "r" / METRICS)
    assert [line["expired"] for line in lines] == [0, 99, 100, 100, 100, 100]
    assert made.live.graph.num_events == 101
    assert {t for _, _, t in left(made)} == set(range(4990, 6000, 10))


def test_frozen_learns_no_more(tmp_path):
    made = Run(cut(stream(), 64), tmp_path / "r", settings=Settings(warmup=200, frozen=True, **SMALL))
    made.go(rounds=1)
    weights = made.live.model.weights.copy()
    assert (weights != 0).any()
    made.go()
    np.testing.assert_array_equal(made.live.model.weights, weights)
    assert read_lines(tmp_path / "r" / METRICS)[-1]["loss"] is None


def test_retraining_makes_a_new_model(tmp_path):
    made = Run(cut(stream(), 64), tmp_path / "r", settings=Settings(retrain=2, epochs=2, **SMALL))
    made.go(rounds=1)
    before = made.live.model
    made.go(rounds=1)
    assert made.live.model is not before
    # Two passes of 200 events in batches of 30.
    assert made.live.model.state_dict()["at"][:2] == [14, 200]


def test_questions_from_another_thread(tmp_path):
    """Answers are those of a state between two batches."""
    made = Run(cut(stream(3000), 64), tmp_path / "r", "edgebank", settings=Settings(**SMALL))
    wrong, answers, over = [], [], threading.Event()

    def ask():
        while not over.is_set():
            try:
                answers.append(float(made.score(0, 100)[0]))
            except WeftKeyError:
                if answers:
                    wrong.append("a node went away")
            except Exception as error:
                wrong.append(repr(error))
                return
            time.sleep(0.001)

    asker = threading.Thread(target=ask)
    asker.start()
    made.go()
    over.set()
    asker.join()
    assert not wrong
    assert sorted(answers) == answers  # EdgeBank never forgets
    assert len(answers) > 3


def test_questions_that_have_no_answer(tmp_path):
    made = run(cut(stream(), 64), tmp_path / "r", bipartite=True, **SMALL)
    with pytest.raises(WeftKeyError, match="no event has come with the source 4000"):
        made.score([1, 4000], 100)
    with pytest.raises(WeftKeyError, match="the target 1 "):
        made.score(1, 1)
    with pytest.raises(WeftKeyError, match="source u"):
        made.score("u", 100)
    with pytest.raises(WeftValueError, match="integers or strings"):
        made.score(1.5, 100)
    with pytest.raises(WeftTypeError, match="has no vectors"):
        made.embed([1])
    assert made.score([], []).tolist() == []


def test_what_is_there_is_kept(tmp_path):
    columns = cut(stream(), 64)
    run(columns, tmp_path / "r", **SMALL)
    with pytest.raises(WeftValueError, match="--resume"):
        run(columns, tmp_path / "r", **SMALL)
    with pytest.raises(WeftValueError, match=r"seed=3 \(now 4\)"):
        run(columns, tmp_path / "r", resume=True, **(SMALL | {"seed": 4}))
    with pytest.raises(WeftValueError, match=r"model='logistic' \(now 'edgebank'\)"):
        run(columns, tmp_path / "r", "edgebank", resume=True, **SMALL)
    again = run(columns, tmp_path / "r", resume=True, **SMALL)
    assert again.rounds == 6
    assert run(columns, tmp_path / "r", overwrite=True, **SMALL).rounds == 6
    shutil.copytree(tmp_path / "r", tmp_path / "damaged")
    file = tmp_path / "damaged" / STATE / "time.npy"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(FormatError, match="time"):
        run(columns, tmp_path / "damaged", resume=True, **SMALL)
    (tmp_path / "r" / METRICS).write_text("")
    with pytest.raises(StorageError, match="fewer than 6 lines"):
        run(columns, tmp_path / "r", resume=True, **SMALL)


@pytest.mark.parametrize(
    "wrong",
    [
        {"round_size": 0},
        {"lateness": -1},
        {"replay": -0.1},
        {"historical": 1.1},
        {"window": 0},
        {"deletes": "all"},
        {"deletes": "target", "directed": True},
        {"frozen": 1},
        {"seed": -1},
        {"model": "tgnn"},
        {"model": 7},
    ],
)
def test_settings_that_are_none(tmp_path, wrong):
    with pytest.raises((WeftValueError, WeftTypeError)):
        run([], tmp_path / "r", **wrong)


def test_no_events(tmp_path):
    assert run([], tmp_path / "r", **SMALL).rounds == 0
    assert run(cut(stream(), 64), tmp_path / "r", resume=True, **SMALL).rounds == 6


def test_logistic_learns_what_recurs():
    rng = np.random.default_rng(0)
    graph = TemporalGraph(60)
    model = NeighborLogistic(graph)
    source = rng.integers(0, 30, 3000)
    target = 30 + (source + rng.integers(0, 2, 3000)) % 30
    moved = np.arange(3000)
    graph.append(source, target, moved)
    losses = []
    for begin in range(0, 3000, 10):
        at = slice(begin, begin + 10)
        losses.append(model.learn(source[at], target[at], moved[at], rng.integers(30, 60, 10)))
        model.observe(source[at], target[at], moved[at], moved[at])
    assert losses[0] == pytest.approx(np.log(2))
    assert np.mean(losses[-5:]) < 0.35
    likely, unlikely = (
        model.score(source[:30], target[:30], moved[:30] * 0 + 3000),
        model.score(source[:30], 30 + (source[:30] + 15) % 30, moved[:30] * 0 + 3000),
    )
    assert likely.min() > unlikely.max()


def test_logistic_knows_nothing_of_the_future():
    """What comes at the time asked for, or later, changes no score."""
    columns = stream(400, nodes=10)
    whole, part = TemporalGraph(200), TemporalGraph(200)
    whole.append(*columns)
    part.append(*(c[:200] for c in columns))
    scores = []
    for graph in (whole, part):
        model = NeighborLogistic(graph, neighbors=5)
        model.weights[:] = np.arange(1, 10)
        model.observe(*(c[:200] for c in columns), np.arange(200))
        scores.append(model.score(columns[0][:50], columns[1][50:100], np.full(50, columns[2][199] + 1)))
    np.testing.assert_array_equal(*scores)
    assert len(np.unique(scores[0])) > 10


@pytest.mark.parametrize("name", ["collegemsg/CollegeMsg.txt.gz"])
def test_learning_pays_on_messages(tmp_path, data_dir, name):
    path = data_dir / name
    if not path.is_file():
        pytest.skip(f"{name} is not there")

    def ap(folder, **more):
        run(
            TextSource(path), tmp_path / folder, warmup=5000, round_size=5000, lateness=0, negatives=5, **more
        )
        lines = [line for line in read_lines(tmp_path / folder / METRICS) if line["scores"]]
        return np.average([x["scores"]["model"]["ap"] for x in lines], weights=[x["events"] for x in lines])

    assert ap("learning") > ap("frozen", frozen=True) > 0.5


def test_tgn_goes_on_bit_for_bit(tmp_path):
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    settings = SMALL | {"warmup": 150, "retrain": 3, "lateness": 25}
    batches = cut(stream(500, disorder=40), 64)
    try:
        run(batches, tmp_path / "whole", "tgn", **settings)
        for _ in range(2):
            torch.rand(3)  # what else the process draws does not matter
            made = Run(batches, tmp_path / "parts", "tgn", settings=Settings(**settings), resume=True)
            made.go(rounds=2)
        made = Run(batches, tmp_path / "parts", "tgn", settings=Settings(**settings), resume=True).go()
    finally:
        torch.set_num_threads(before)
    assert state(tmp_path / "parts") == state(tmp_path / "whole")
    vectors = made.embed([0, 1, 2])
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()
    assert len(np.unique(vectors, axis=0)) == 3
    np.testing.assert_array_equal(vectors, made.embed([0, 1, 2]))


def test_a_file_that_is_followed(tmp_path):
    """Rounds and results are those of the whole file; what is held back waits for more."""
    columns, path = stream(600), tmp_path / "events.csv"
    lines = [f"{s},{d},{t}\n" for s, d, t in zip(*columns, strict=True)]
    path.write_text("".join(lines[:250]))
    made = Run(TextSource(path, follow=True, poll=0.001), tmp_path / "a", settings=Settings(**SMALL))
    made.go(stop=lambda: made.rounds >= 2)
    assert (made.rounds, made.live.graph.num_events) == (2, 200)
    with path.open("a") as file:
        file.write("".join(lines[250:]))
    asked = []
    again = Run(
        TextSource(path, follow=True, poll=0.001), tmp_path / "a", settings=Settings(**SMALL), resume=True
    )
    again.go(stop=lambda: asked.append(1) or (again.rounds >= 5 and len(asked) > 50))
    assert again.rounds == 5  # the last event may have others of its time behind it
    Run(TextSource(path), tmp_path / "a", settings=Settings(**SMALL), resume=True).go()
    run(TextSource(path), tmp_path / "b", **SMALL)
    assert state(tmp_path / "a") == state(tmp_path / "b")


def test_curves(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run(cut(stream(), 64), tmp_path / "r", tensorboard=tmp_path / "curves", **SMALL)
    found = EventAccumulator(str(tmp_path / "curves"))
    found.Reload()
    lines = read_lines(tmp_path / "r" / METRICS)
    for tag, name in (("stream/ap of model", "model"), ("stream/mrr of edgebank", "edgebank")):
        metric = tag.split("/")[1].split()[0]
        expected = [line["scores"][name][metric] for line in lines if line["scores"]]
        assert [event.value for event in found.Scalars(tag)] == pytest.approx(expected, rel=1e-6)
    assert [event.step for event in found.Scalars("stream/loss")] == [100, 200, 300, 400, 500, 600]
