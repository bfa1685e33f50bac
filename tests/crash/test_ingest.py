"""An import that is killed, or runs into a full disk: the output is absent or whole, never in between."""

from __future__ import annotations

import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from weft.graph import Graph
from weft.graph.generate import rmat
from weft.graph.ingest import ingest
from weft.graph.tables import write_edges

IMPORT = """
import sys
from weft.graph._plan import Plan
from weft.graph.ingest import ingest
# Small pieces, edges on disk: an import passes through all of its states.
tiny = Plan(budget=0, base=0, reader=0, nodes=0, block=2000, group=5000, keep=20000, fixed=True)
Plan.make = classmethod(lambda *_, **__: tiny)
print("ready", flush=True)
while True:
    ingest(sys.argv[1], sys.argv[2], overwrite=True)
    print("done", flush=True)
"""


@pytest.fixture(scope="module")
def edges(tmp_path_factory):
    return write_edges(rmat(12, 8, seed=3), tmp_path_factory.mktemp("edges") / "edges.csv")


@pytest.fixture(scope="module")
def whole(edges, tmp_path_factory):
    return ingest(edges, tmp_path_factory.mktemp("whole") / "g")


def start(edges, out):
    child = subprocess.Popen(
        [sys.executable, "-c", IMPORT, str(edges), str(out)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def check(folder, whole):
    """What stands under the final name is the whole graph, and what else there is has a telling name."""
    for entry in folder.iterdir():
        assert entry.name == "g" or re.fullmatch(r"\.g\.tmp-\d+-[0-9a-f]{8}(\.old)?", entry.name)
    if not (folder / "g").exists():
        return False
    graph = Graph.open(folder / "g", verify=True)
    np.testing.assert_array_equal(graph.indices, whole.indices)
    np.testing.assert_array_equal(graph.indptr, whole.indptr)
    return True


def test_kill_at_any_moment(tmp_path, edges, whole):
    out = tmp_path / "g"
    with start(edges, out) as child:
        begun = time.perf_counter()
        child.stdout.readline()
        one_import = min(2.0, time.perf_counter() - begun)
        child.kill()
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    present = []
    for number in range(24):
        if number % 3 == 0:
            shutil.rmtree(out, ignore_errors=True)
        with start(edges, out) as child:
            time.sleep(chance.uniform(0, one_import * 1.5))
            child.kill()
        present.append(check(tmp_path, whole))
    print("present after each kill:", present)
    # The next import of the same output removes what killed ones left.
    ingest(edges, out, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["g"]
    check(tmp_path, whole)


LIMITED = """
import resource, sys
from weft.errors import StorageError
from weft.graph.ingest import ingest
from weft.graph._plan import Plan
limit = int(sys.argv[3])
tiny = Plan(budget=0, base=0, reader=0, nodes=0, block=2000, group=5000, keep=20000, fixed=True)
Plan.make = classmethod(lambda *_, **__: tiny)
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    ingest(sys.argv[1], sys.argv[2], overwrite=True)
except StorageError as error:
    print("StorageError:", error)
else:
    print("done")
"""


@pytest.mark.parametrize("limit", [0, 100, 5000, 50_000, 150_000, 1 << 30])
@pytest.mark.parametrize("before", [False, True], ids=["fresh", "over"])
def test_no_room(tmp_path, edges, whole, limit, before):
    if before:
        whole.save(tmp_path / "g")
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(edges), str(tmp_path / "g"), str(limit)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        preexec_fn=_ignore_file_size_signal,
    )
    if limit == 1 << 30:
        assert done.stdout == "done\n"
        assert check(tmp_path, whole)
    else:
        assert re.match(r"StorageError: cannot .*the file would pass the size limit", done.stdout)
        assert check(tmp_path, whole) == before
        assert [p.name for p in tmp_path.iterdir()] == (["g"] if before else [])


def _ignore_file_size_signal():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(0o022)
