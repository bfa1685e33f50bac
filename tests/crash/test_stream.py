"""A stream that is killed again and again, wherever it happens to be, ends as if it had not been."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from weft.stream.journal import read_lines
from weft.stream.loop import ASIDE, LATE, METRICS, STATE

RUN = """
import sys
from weft.stream import Run, Settings, TextSource
source = TextSource(sys.argv[1], op=3, eid=4, block=3000)
settings = Settings(**eval(sys.argv[3]))
Run(source, sys.argv[2], "logistic", settings=settings, resume=True, snapshot_rounds=1).go()
"""
SETTINGS = {
    "lateness": 30,
    "round_size": 150,
    "batch_size": 40,
    "negatives": 5,
    "warmup": 300,
    "retrain": 7,
    "window": 20_000,
    "deletes": "target",
    "seed": 5,
}


@pytest.fixture
def events(tmp_path):
    """Disorder, late events, repeated ids, deletions of some events and of none."""
    rng, count = np.random.default_rng(1), 6000
    time = np.arange(count) * 10 + rng.integers(0, 45, count)
    source = rng.integers(0, 60, count)
    target = (source * 7 + rng.integers(0, 4, count)) % 60
    eid = np.where(rng.random(count) < 0.02, rng.integers(0, count, count), np.arange(count))
    op = np.where(rng.random(count) < 0.03, "D", "A")
    gone = np.flatnonzero(op == "D")
    named = np.maximum(0, gone - rng.integers(10, 60, len(gone)))
    source[gone], target[gone], eid[gone] = source[named], target[named], eid[named]
    path = tmp_path / "events.csv"
    lines = (f"{s},{d},{t},{o},{e}\n" for s, d, t, o, e in zip(source, target, time, op, eid, strict=True))
    path.write_text("".join(lines))
    return path


def run(events, out, **more):
    command = [sys.executable, "-c", RUN, str(events), str(out), repr(SETTINGS)]
    return subprocess.Popen(command, **more)


def result(out):
    lines = [{k: v for k, v in line.items() if k != "seconds"} for line in read_lines(out / METRICS)]
    state = {path.name: path.read_bytes() for path in (out / STATE).iterdir()}
    return state, lines, read_lines(out / LATE), read_lines(out / ASIDE)


def rounds(out):
    metrics = out / METRICS
    return metrics.read_bytes().count(b"\n") if metrics.exists() else 0


def killed(events, out, kills, rng, longest, most):
    """Kill so often, at random moments but before the end, then let it end.

    Each child may come a little further than the one before: to its share of the rounds, and a random while.
    """
    for number in range(kills):
        child = run(events, out)
        deadline = time.monotonic() + rng.random() * longest
        while time.monotonic() < deadline and rounds(out) <= most * number // (kills + 1):
            time.sleep(0.002)
        time.sleep(rng.random() * 0.03)
        child.kill()
        assert child.wait() == -signal.SIGKILL
    assert run(events, out).wait() == 0


def check(events, tmp_path, kills, seed):
    begun = time.monotonic()
    assert run(events, tmp_path / "whole").wait() == 0
    whole = time.monotonic() - begun
    rng = np.random.default_rng(seed)
    killed(events, tmp_path / "killed", kills, rng, whole, rounds(tmp_path / "whole"))
    expected, found = result(tmp_path / "whole"), result(tmp_path / "killed")
    assert found[1:] == expected[1:]
    assert found[0].keys() == expected[0].keys()
    for name, data in expected[0].items():
        assert found[0][name] == data, name
    lines, late, aside = expected[1:]
    adds = sum(line["events"] for line in lines)
    repeated = sum(line["why"] == "repeated" for line in aside)
    told = events.read_text().count(",A,")
    assert adds + repeated + sum(line["op"] == "add" for line in late) == told
    assert min(len(late), repeated, sum(line["deleted"] for line in lines)) > 10
    assert [path.name for path in (tmp_path / "killed").iterdir() if ".tmp-" in path.name] == []


def test_killed_a_few_times(events, tmp_path):
    check(events, tmp_path, 4, 0)


@pytest.mark.slow
def test_killed_fifty_times(events, tmp_path):
    check(events, tmp_path, 50, 1)


def test_killed_in_the_middle_of_a_state(events, tmp_path):
    """The state before stays, and nothing of the unfinished one."""
    child = subprocess.run(
        [sys.executable, "-c", HALF + RUN, str(events), str(tmp_path / "r"), repr(SETTINGS)], check=False
    )
    assert child.returncode == -signal.SIGKILL
    before = result(tmp_path / "r")
    assert any(".tmp-" in path.name for path in (tmp_path / "r").iterdir())
    assert len(before[1]) == 5  # lines of rounds whose state was not written
    assert run(events, tmp_path / "r").wait() == 0
    assert run(events, tmp_path / "whole").wait() == 0
    assert result(tmp_path / "r") == result(tmp_path / "whole")
    assert not any(".tmp-" in path.name for path in (tmp_path / "r").iterdir())


HALF = """
import os, signal
from weft.graph.format import DirectoryWriter
write, calls = DirectoryWriter.finish, []
def finish(self, meta):
    calls.append(None)
    if len(calls) == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return write(self, meta)
DirectoryWriter.finish = finish
"""


def test_a_file_system_that_is_full(events, tmp_path):
    """No file may pass 20 kB: no state can be written then; with more room the run goes on."""

    def small():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    child = run(events, tmp_path / "r", preexec_fn=small, stderr=subprocess.PIPE, text=True)
    _, said = child.communicate()
    assert child.returncode == 1
    assert "StorageError" in said
    assert "size limit" in said
    assert run(events, tmp_path / "r").wait() == 0
    assert run(events, tmp_path / "whole").wait() == 0
    assert result(tmp_path / "r") == result(tmp_path / "whole")


def test_interrupted(events, tmp_path):
    """SIGTERM: the state of the round is saved."""
    child = run(events, tmp_path / "r", stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "r" / STATE).exists():
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGTERM)
    _, said = child.communicate()
    if child.returncode == 0:
        pytest.skip("it was done before the signal came")
    assert "go on with --resume" in said
    assert run(events, tmp_path / "r").wait() == 0
    assert run(events, tmp_path / "whole").wait() == 0
    assert result(tmp_path / "r") == result(tmp_path / "whole")
