"""A graph of events on disk: what is refused, and that what is opened goes on as what was saved."""

import contextlib
import resource

import msgspec
import numpy as np
import pytest

from weft.errors import FormatError, StorageError, WeftError, WeftKeyError, WeftValueError
from weft.graph import Graph, TemporalGraph
from weft.graph.format import MANIFEST, DirectoryReader, DirectoryWriter

KIND = "weft.temporalgraph"


def life(rng, graph, batches=8, given=False):
    """Batches, some late, deletions and expiry: 170,000 events, so that whole chunks are gone."""
    for step in range(batches):
        count = 30_000 if step else 5
        time = (
            np.sort(rng.integers(0, 1000, count)) + 900 * step - rng.integers(0, 300, count) * (step % 3 == 2)
        )
        first = graph.num_events + 10**6 * step
        eid = rng.permutation(np.arange(first, first + count)) if given else None
        ids = graph.append(*rng.integers(0, 300, (2, count)), time, eid)
        if step:
            graph.delete(rng.choice(ids, 200, replace=False))
    graph.expire(3000)
    graph.delete_node(7)
    return graph


@pytest.fixture(scope="module")
def graph():
    return life(np.random.default_rng(0), TemporalGraph(5), given=True)


@pytest.fixture
def place(graph, tmp_path):
    graph.save(tmp_path / "g")
    return tmp_path / "g"


def assert_same(ours, theirs):
    assert (ours.num_nodes, ours.num_events, ours.directed) == (
        theirs.num_nodes,
        theirs.num_events,
        theirs.directed,
    )
    rng = np.random.default_rng(1)
    root, time = rng.integers(0, ours.num_nodes, 500), rng.integers(2500, 8000, 500)
    for more in ({}, {"how": "uniform"}, {"how": "uniform", "replace": True, "window": 400}):
        for fanout in (10, 100):
            a, b = (graph.rows.sample(root, time, fanout, **more) for graph in (ours, theirs))
            for one, other in zip(a, b, strict=True):
                np.testing.assert_array_equal(one, other)
            np.testing.assert_array_equal(ours.eids(a.number), theirs.eids(b.number))
    for one, other in zip(ours.events(), theirs.events(), strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_types_are_kept(tmp_path):
    rng, graph = np.random.default_rng(7), TemporalGraph(20)
    for kind in (None, rng.integers(0, 1 << 16, 70_000), None):
        graph.append(*rng.integers(0, 20, (2, 70_000)), rng.integers(0, 99, 70_000), type=kind)
    graph.save(tmp_path / "g")
    opened = TemporalGraph.open(tmp_path / "g", verify=True)
    for one in (graph, opened):
        one.append([0], [1], [50], type=[9])
    number = np.arange(210_001, dtype=np.uint32)
    np.testing.assert_array_equal(opened.types(number), graph.types(number))
    assert opened.types(number)[[-1, 0]].tolist() == [9, 0]
    (tmp_path / "g" / "type.npy").unlink()
    with pytest.raises(FormatError, match=r"type\.npy is missing"):
        TemporalGraph.open(tmp_path / "g")


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("given", [False, True])
def test_goes_on_as_what_was_saved(tmp_path, directed, given):
    rng = np.random.default_rng(2)
    graph = life(rng, TemporalGraph(directed=directed), given=given)
    deleted = graph.append([1], [2], [5000], None if not given else [77])
    graph.delete(deleted)
    graph.save(tmp_path / "g")
    opened = TemporalGraph.open(tmp_path / "g", verify=True)
    assert_same(opened, graph)
    for one in (graph, opened):
        with pytest.raises(WeftValueError, match="deleted before"):
            one.delete(deleted)
        with pytest.raises(WeftKeyError, match="no event has"):
            one.delete([-5])
        if given:
            with pytest.raises(WeftValueError, match="came before"):
                one.append([1], [1], [9000], deleted)
    same = (
        [life(np.random.default_rng(3), one, 3) for one in (graph, opened)] if not given else [graph, opened]
    )
    assert_same(*same)
    assert graph.append([0], [1], [5]).tolist() == opened.append([0], [1], [5]).tolist()


def test_a_graph_without_events(tmp_path):
    for graph in (TemporalGraph(), TemporalGraph(9, directed=True)):
        graph.save(tmp_path / "g", overwrite=True)
        opened = TemporalGraph.open(tmp_path / "g", verify=True)
        assert repr(opened) == repr(graph)
        assert opened.append([0], [1], [5]).tolist() == [0]


def test_places_that_are_taken(graph, place, tmp_path):
    with pytest.raises(WeftValueError, match="it exists"):
        graph.save(place)
    Graph.from_edges([0], [1]).save(tmp_path / "static")
    with pytest.raises(WeftValueError, match=r"is a weft\.graph, not a weft\.temporalgraph"):
        graph.save(tmp_path / "static", overwrite=True)
    graph.save(place, overwrite=True)
    assert_same(TemporalGraph.open(place), graph)


def test_what_is_no_temporal_graph(tmp_path, place):
    with pytest.raises(FormatError, match="no such directory"):
        TemporalGraph.open(tmp_path / "nothing")
    Graph.from_edges([0], [1]).save(tmp_path / "static")
    with pytest.raises(FormatError, match=r"its format is 'weft\.graph'"):
        TemporalGraph.open(tmp_path / "static")
    with pytest.raises(FormatError, match=r"its format is 'weft\.temporalgraph'"):
        Graph.open(place)


def test_damage(place):
    time = place / "time.npy"
    whole = time.read_bytes()
    time.write_bytes(whole[:-8])
    with pytest.raises(FormatError, match="the copy is incomplete"):
        TemporalGraph.open(place)
    time.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(FormatError, match=r"time\.npy does not match its checksum"):
        TemporalGraph.open(place, verify=True)
    time.unlink()
    with pytest.raises(FormatError, match="missing"):
        TemporalGraph.open(place)


def test_another_version(place):
    manifest = msgspec.json.decode((place / MANIFEST).read_bytes())
    (place / MANIFEST).write_bytes(msgspec.json.encode(manifest | {"version": 2}))
    with pytest.raises(FormatError, match="version is 2, this weft reads 1"):
        TemporalGraph.open(place)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"num_nodes": 250}, "names a node that is not one of 250"),
        ({"num_nodes": -1}, "num_nodes as -1"),
        ({"num_events": 3}, r"gone\.npy leaves"),
        ({"next": 10}, r"chunk\.npy does not place"),
        ({"directed": 1}, "directed as 1"),
        ({"implied": None}, "says that there are none"),
        ({"implied": 1 << 40}, "implied as"),
        ({"runs": [3]}, "runs of ids as"),
        ({"chunk": np.array([1, 0, 2])}, r"chunk\.npy does not place"),
        ({"chunk": np.array([[1]])}, "have shapes"),
        ({"gone": np.zeros(3, bool)}, r"gone\.npy has shape"),
        ({"gone": None}, "neither true nor false"),
        ({"index_eid": None}, "does not rise"),
        ({"index_number": None}, "names an event that is not one of"),
    ],
)
def test_what_does_not_agree(place, tmp_path, change, match):
    reader = DirectoryReader(place, KIND)
    arrays = {name: np.array(array) for name, array in reader.arrays.items()}
    (name, value), meta = next(iter(change.items())), dict(reader.meta)
    if name in meta:
        meta[name] = value
    elif value is not None:
        arrays[name] = value
    elif name == "gone":
        arrays[name].view(np.uint8)[5] = 7
    elif name == "index_eid":
        arrays[name][:2] = arrays[name][:2][::-1].copy()
    else:
        arrays[name][3] = 1 << 50
    with DirectoryWriter(tmp_path / "wrong", KIND) as writer:
        for name, array in arrays.items():
            writer.write_array(name, array)
        writer.finish(meta)
    with pytest.raises(FormatError, match=match):
        TemporalGraph.open(tmp_path / "wrong", verify=True)


def test_a_full_disk(graph, place, tmp_path):
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limit[1]))
    try:
        for where in (place, tmp_path / "other"):
            with pytest.raises(StorageError, match="size limit"):
                graph.save(where, overwrite=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert [path.name for path in tmp_path.iterdir()] == ["g"]
    assert_same(TemporalGraph.open(place, verify=True), graph)


def test_any_byte_of_the_manifest(graph, place):
    """Whatever byte is changed: an error of ours, or the same graph."""
    file, rng = place / MANIFEST, np.random.default_rng(4)
    whole = file.read_bytes()
    for at in rng.integers(0, len(whole), 60):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << rng.integers(0, 8))]) + whole[at + 1 :])
        with contextlib.suppress(WeftError):
            opened = TemporalGraph.open(place)
            assert (opened.num_events, opened.num_nodes) == (graph.num_events, graph.num_nodes)


def test_compact():
    rng = np.random.default_rng(5)
    graph = TemporalGraph(2000)
    for step in range(5):
        graph.append(*(rng.integers(0, 2000, (2, 40_000)) ** 2 // 2000), np.arange(40_000) + 40_000 * step)
    graph.expire(40_000)
    graph.delete(rng.choice(np.arange(40_000, 200_000), 20_000, replace=False))
    root, time = np.arange(2000), rng.integers(50_000, 210_000, 2000)
    wanted = [graph.rows.sample(root, time, n, how=how) for n in (10, 50) for how in ("recent", "uniform")]
    seen, held = graph.snapshot(), graph.rows.held
    graph.compact()
    del seen
    graph.append([], [], [])
    got = [graph.rows.sample(root, time, n, how=how) for n in (10, 50) for how in ("recent", "uniform")]
    for one, other in zip(got, wanted, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)
    entries = 2 * graph.num_events
    # events, rounded to two a block; rows; directories
    assert graph.rows.used < 16 * entries + 2048 * (32 + 32) + 32 * entries / 256
    assert graph.rows.held < held
    graph.compact()
    ids = graph.append([3] * 500, [4] * 500, np.arange(500) * 400)  # late ones go between what is packed
    drawn = graph.rows.sample([3], [300_000], 5000)
    assert (np.diff(drawn.time) <= 0).all()
    assert set(ids.tolist()) <= set(graph.eids(drawn.number).tolist())


def test_what_many_events_leave_is_packed_by_itself():
    rng = np.random.default_rng(6)
    graph = TemporalGraph(500)
    for step in range(10):
        graph.append(*rng.integers(0, 500, (2, 40_000)), np.arange(40_000) + 40_000 * step)
    graph.delete(rng.choice(400_000, 100_000, replace=False))
    assert graph.rows.used > 16 * 2 * 300_000 * 1.08
    left = np.concatenate([piece.eid for piece in graph.events()])
    graph.delete(left[:60_000])
    assert graph.rows.used < 16 * 2 * 240_000 * 1.02 + 512 * 40
    assert graph.num_events == 240_000
    drawn = graph.rows.sample(np.arange(500), np.full(500, 10**6), 10**4)
    np.testing.assert_array_equal(np.unique(graph.eids(drawn.number)), left[60_000:])
