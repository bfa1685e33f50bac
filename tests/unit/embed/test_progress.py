"""The bar: where it begins after a resumption, and how long it is."""

from __future__ import annotations

import numpy as np
import pytest
import tqdm

from weft.embed.plan import make_plan
from weft.embed.progress import Progress
from weft.embed.run import Run, Settings, complete
from weft.graph import Graph
from weft.graph.format import DirectoryReader, DirectoryWriter


@pytest.fixture
def bars(monkeypatch):
    """Every bar that is made, and what it showed last."""
    made = []

    class Bar(tqdm.tqdm):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **{**kwargs, "mininterval": 0, "miniters": 0})
            made.append(self)

    monkeypatch.setattr(tqdm, "tqdm", Bar)
    return made


def a_run(rounds=(100_000,)):
    graph = Graph.from_edges(*np.random.default_rng(0).integers(0, 60, (2, 200)), num_nodes=60)
    plan = make_plan(graph, dim=8, pairs=rounds[-1], length=8, window=3)
    settings = Settings(
        dim=8,
        num_negatives=1,
        negative_weight=5.0,
        learning_rate=0.025,
        weight_decay=0.0,
        seed=0,
        rounds=rounds,
    )
    run = Run(graph, plan, settings)
    run.begin()
    return run


def test_from_the_beginning(bars, capsys):
    run, seen = a_run(), []
    with Progress(run, bar=True, hook=lambda *figures: seen.append(figures)) as progress:
        complete(run, [progress])
    (bar,) = bars
    assert (bar.initial, bar.n, bar.total) == (0, 100_000, 100_000)
    assert [(done, loss) for done, _, loss in seen] == [tuple(row) for row in run.history.tolist()]
    shown = capsys.readouterr().err
    for word in ("embed: 100%", "100k/100k", " pairs/s", f"loss={run.history[-1, 1]:.3f}"):
        assert word in shown


def test_after_a_resumption_only_new_pairs_count_for_the_speed(bars, tmp_path, capsys):
    run = a_run()
    for _ in range(3):
        run.step()
    with DirectoryWriter(tmp_path / "state", "weft.test") as writer:
        run.save(writer)
        writer.finish({})
    other = a_run()
    other.load(DirectoryReader(tmp_path / "state", "weft.test"))
    with Progress(other, bar=True, hook=None) as progress:
        (bar,) = bars
        assert bar.initial == bar.n == run.pairs
        other.step()
        progress(other, other.step())
        figures = bar.format_dict
    assert figures["n"] - figures["initial"] < figures["total"]
    # By hand: the speed is that of the pairs since, and what is left is the rest at that speed.
    line = tqdm.tqdm.format_meter(**{**figures, "n": 60_000, "initial": 40_000, "elapsed": 2.0, "rate": None})
    assert "00:02<00:04" in line
    assert "10.0k pairs/s" in line
    assert "60%" in line


def test_rounds(bars, capsys):
    run = a_run((20_000, 60_000, 140_000))
    with Progress(run, bar=True, hook=None) as progress:
        totals = []

        def note(run, step):
            totals.append((run.pairs - step.pairs, bars[0].total))
            run.over = run.pairs == 60_000

        complete(run, [note, progress])
    assert all(total == (20_000 if pairs < 20_000 else 60_000) for pairs, total in totals)
    shown = capsys.readouterr().err
    assert "embed, round 1 of at most 3" in shown
    assert "embed, round 2 of at most 3" in shown
    assert "round 3" not in shown
