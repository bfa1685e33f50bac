"""Writing and opening directories: what is refused, and how it is said."""

from __future__ import annotations

import errno
import os
import shutil

import msgspec
import numpy as np
import pytest

from weft import files
from weft.errors import FormatError, StorageError, WeftTypeError, WeftValueError
from weft.graph.format import DATA_OFFSET, MANIFEST, DirectoryReader, DirectoryWriter, npy_header


@pytest.fixture
def place(tmp_path):
    path = tmp_path / "thing"
    with DirectoryWriter(path, "weft.test") as writer:
        writer.write_array("a", np.arange(1000))
        writer.write_array("b", np.zeros((0, 3), np.float32))
        writer.finish({"n": 1})
    return path


def test_round_trip(place):
    reader = DirectoryReader(place, "weft.test", verify=True)
    np.testing.assert_array_equal(reader.get("a", np.int64, (1000,)), np.arange(1000))
    assert reader.get("b").shape == (0, 3)
    assert reader.meta == {"n": 1}


def test_numpy_opens_the_files(place):
    np.testing.assert_array_equal(np.load(place / "a.npy"), np.arange(1000))
    assert np.load(place / "a.npy", mmap_mode="r").offset == DATA_OFFSET


def test_chunks_make_one_array(tmp_path):
    with DirectoryWriter(tmp_path / "x", "weft.test") as writer:
        array = writer.array("a", np.uint32, (10,))
        for chunk in np.split(np.arange(10), [3, 3, 9]):
            array.write(chunk)
        writer.finish({})
    np.testing.assert_array_equal(
        DirectoryReader(tmp_path / "x", "weft.test", verify=True).get("a"), np.arange(10)
    )


@pytest.mark.parametrize("rows", [0, 1, 9])
def test_rows_may_be_counted_while_writing(tmp_path, rows):
    whole = np.arange(rows * 3, dtype=np.float32).reshape(rows, 3)
    with DirectoryWriter(tmp_path / "x", "weft.test") as writer:
        array = writer.array("a", np.float32, (None, 3))
        for chunk in np.array_split(whole, 4):
            array.write(chunk)
        writer.finish({})
    opened = DirectoryReader(tmp_path / "x", "weft.test", verify=True).get("a", np.float32, (rows, 3))
    np.testing.assert_array_equal(opened, whole)
    with (
        DirectoryWriter(tmp_path / "y", "weft.test") as writer,
        pytest.raises(WeftValueError, match="8 bytes fewer"),
    ):
        writer.array("a", np.float32, (None, 3)).write(np.zeros(4, np.float32))
        writer.finish({})


def test_too_few_or_too_many_elements(tmp_path):
    with DirectoryWriter(tmp_path / "x", "weft.test") as writer:
        writer.array("a", np.uint32, (10,)).write(np.arange(9))
        with pytest.raises(WeftValueError, match="4 bytes fewer"):
            writer.finish({})
    with (
        DirectoryWriter(tmp_path / "x", "weft.test") as writer,
        pytest.raises(WeftValueError, match="4 bytes more"),
    ):
        writer.array("a", np.uint32, (10,)).write(np.arange(11))
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), DirectoryWriter(tmp_path / "x", "weft.test") as writer:
        writer.write_array("a", np.arange(3))
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_existing_places(tmp_path, place):
    with pytest.raises(WeftValueError, match="exists"):
        DirectoryWriter(place, "weft.test")
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.tex").touch()
    with pytest.raises(WeftValueError, match="not a weft directory"):
        DirectoryWriter(foreign, "weft.test", overwrite=True)
    with pytest.raises(WeftValueError, match=r"cannot overwrite .*: it is a weft\.test, not a weft\.graph"):
        DirectoryWriter(place, "weft.graph", overwrite=True)
    with DirectoryWriter(place, "weft.test", overwrite=True) as writer:
        writer.write_array("a", np.arange(2))
        assert len(DirectoryReader(place, "weft.test").get("a")) == 1000  # the old one, until the end
        writer.finish({})
    assert len(DirectoryReader(place, "weft.test").get("a")) == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["foreign", "thing"]


def test_overwrite_without_exchange(place, monkeypatch):
    monkeypatch.setattr(files, "_swap", lambda a, b: False)
    with DirectoryWriter(place, "weft.test", overwrite=True) as writer:
        writer.finish({"n": 2})
    assert DirectoryReader(place, "weft.test").meta == {"n": 2}
    assert [p.name for p in place.parent.iterdir()] == ["thing"]


def test_leftovers_of_the_dead_are_removed(tmp_path):
    dead = tmp_path / ".x.tmp-999999999-00000000"
    alive = tmp_path / f".x.tmp-{os.getppid()}-00000000"
    other = tmp_path / ".y.tmp-999999999-00000000"
    for path in (dead, alive, other):
        path.mkdir()
    with DirectoryWriter(tmp_path / "x", "weft.test") as writer:
        writer.finish({})
    assert not dead.exists()
    assert alive.exists()
    assert other.exists()


def test_system_errors_name_path_and_remedy(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    full_disk = pytest.raises(StorageError, match=r"a\.npy: the disk is full; free some space")
    with full_disk as caught, DirectoryWriter(tmp_path / "x", "weft.test") as writer:
        writer.write_array("a", np.arange(3))
    assert caught.value.errno == errno.ENOSPC
    assert isinstance(caught.value, OSError)


def rewrite(place, change):
    manifest = msgspec.json.decode((place / MANIFEST).read_bytes())
    change(manifest)
    (place / MANIFEST).write_bytes(msgspec.json.encode(manifest))


DAMAGE = {
    "no directory": (lambda p: shutil.rmtree(p), "there is no such directory"),
    "no manifest": (lambda p: (p / MANIFEST).unlink(), "it has no manifest.json"),
    "not JSON": (lambda p: (p / MANIFEST).write_text("hello"), "manifest.json is damaged"),
    "empty manifest": (lambda p: (p / MANIFEST).write_text(""), "manifest.json is damaged"),
    "not an object": (lambda p: (p / MANIFEST).write_text("[1]"), "manifest.json is damaged"),
    "deep JSON": (
        lambda p: (p / MANIFEST).write_text('{"format":' + "[" * 100_000),
        "manifest.json is damaged",
    ),
    "other format": (
        lambda p: rewrite(p, lambda m: m.update(format="other")),
        "format is 'other', expected 'weft.test'",
    ),
    "other version": (lambda p: rewrite(p, lambda m: m.update(version=9)), "version is 9, this weft reads 1"),
    "edited": (lambda p: rewrite(p, lambda m: m["meta"].update(n=2)), "does not match its own checksum"),
    "missing file": (lambda p: (p / "a.npy").unlink(), "a.npy is missing"),
    "truncated": (
        lambda p: os.truncate(p / "a.npy", 5000),
        r"a.npy holds 5,000 bytes, the manifest says 12,096",
    ),
    "longer": (
        lambda p: os.truncate(p / "a.npy", 50_000),
        r"a.npy holds 50,000 bytes, the manifest says 12,096",
    ),
    "foreign": (
        lambda p: (p / "a.npy").write_bytes(npy_header(np.float64, (1000,)) + bytes(8000)),
        "the header of a.npy is not",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_named(place, damage):
    harm, message = DAMAGE[damage]
    harm(place)
    with pytest.raises(FormatError, match=message) as caught:
        DirectoryReader(place, "weft.test")
    assert str(place) in str(caught.value)


def test_a_manifest_may_not_point_elsewhere(place):
    reader = DirectoryReader(place, "weft.test")
    entry = msgspec.structs.replace(reader.manifest.arrays["a"], file="../a.npy")
    manifest = msgspec.structs.replace(reader.manifest, arrays={"a": entry}).seal()
    (place / MANIFEST).write_bytes(msgspec.json.encode(manifest))
    with pytest.raises(FormatError, match=r"names '\.\./a\.npy'"):
        DirectoryReader(place, "weft.test")


HOSTILE = {
    "addresses": ("|O", (2, 1)),
    "structure": ("|V8", (2, 1)),
    "text": ("<U2", (2, 1)),
    "no bytes": ("<U0", (2, 1)),
    "time": ("<M8[s]", (2, 1)),
    "two fields": ("i4,i4", (2, 1)),
    "big-endian": (">i8", (2, 1)),
    "unknown": ("zzz", (2, 1)),
    "negative": ("<i8", (-2, -1)),
    "past 64 bits": ("<i8", (1 << 70, 0)),
    "nothing of many": ("<i8", (0, 1 << 62)),
    "product past 64 bits": ("<i8", (1 << 62, 4)),
    "many dimensions": ("<i8", (1,) * 70),
}


@pytest.mark.parametrize("entry", HOSTILE)
def test_a_sealed_manifest_is_not_trusted(place, entry):
    dtype, shape = HOSTILE[entry]
    reader = DirectoryReader(place, "weft.test")
    (place / "a.npy").write_bytes(npy_header(np.int64, (2, 1)) + bytes(16))
    changed = msgspec.structs.replace(reader.manifest.arrays["a"], dtype=dtype, shape=shape)
    manifest = msgspec.structs.replace(reader.manifest, arrays={"a": changed}).seal()
    (place / MANIFEST).write_bytes(msgspec.json.encode(manifest))
    with pytest.raises(FormatError, match=r"a\.npy"):
        DirectoryReader(place, "weft.test")


def test_only_numbers_are_written_and_always_little_endian(tmp_path):
    with DirectoryWriter(tmp_path / "x", "weft.test") as writer:
        with pytest.raises(WeftTypeError, match="a directory holds numbers"):
            writer.write_array("a", np.array(["text"]))
        writer.write_array("b", np.arange(3, dtype=">f4"))
        writer.finish({})
    np.testing.assert_array_equal(DirectoryReader(tmp_path / "x", "weft.test").get("b", "<f4"), [0, 1, 2])


def test_of_two_writers_the_second_does_not_replace_the_first(tmp_path):
    with (
        DirectoryWriter(tmp_path / "x", "weft.test") as first,
        DirectoryWriter(tmp_path / "x", "weft.test") as second,
    ):
        first.finish({"n": 1})
        with pytest.raises(WeftValueError, match="another program wrote it"):
            second.finish({"n": 2})
    assert DirectoryReader(tmp_path / "x", "weft.test").meta == {"n": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_overwriting_a_link_leaves_what_it_led_to(tmp_path, place):
    link = tmp_path / "link"
    link.symlink_to(place)
    with DirectoryWriter(link, "weft.test", overwrite=True) as writer:
        writer.finish({"n": 2})
    assert DirectoryReader(link, "weft.test").meta == {"n": 2}
    assert DirectoryReader(place, "weft.test").meta == {"n": 1}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "thing"]


def test_verify_finds_a_changed_byte(place):
    with (place / "a.npy").open("r+b") as file:
        file.seek(DATA_OFFSET + 77)
        file.write(b"\xff")
    DirectoryReader(place, "weft.test")
    with pytest.raises(FormatError, match=r"a\.npy does not match its checksum"):
        DirectoryReader(place, "weft.test", verify=True)


def test_opening_a_file(place):
    with pytest.raises(FormatError, match="a file, not a directory"):
        DirectoryReader(place / MANIFEST, "weft.test")


@pytest.mark.parametrize(
    "dtype",
    [[("bfloat16", "<u2", (7,))], [("int8", "|i1", (7,)), ("scale", "<f4")]],
    ids=["bfloat16", "int8"],
)
def test_rows_of_a_codec(tmp_path, dtype):
    rows = np.frombuffer(np.random.default_rng(0).bytes(5 * np.dtype(dtype).itemsize), dtype)
    with DirectoryWriter(tmp_path / "d", "weft.test") as writer:
        writer.write_array("rows", rows)
        placed = writer.placed("placed", rows.dtype, (5,))
        placed.put(np.array([3, 1, 4]), rows[:3])
        writer.finish({})
    reader = DirectoryReader(tmp_path / "d", "weft.test", verify=True)
    np.testing.assert_array_equal(reader.get("rows"), rows)
    np.testing.assert_array_equal(np.load(tmp_path / "d" / "rows.npy"), rows)
    np.testing.assert_array_equal(reader.get("placed")[[3, 1, 4]], rows[:3])
    assert reader.get("placed")[[0, 2]].tobytes() == bytes(2 * rows.dtype.itemsize)


@pytest.mark.parametrize(
    "dtype",
    [
        [("bfloat16", "<u2", (7, 2))],
        [("bfloat16", "<f4", (7,))],
        [("int8", "|i1", (7,))],
        [("a", "<f4")],
        [("int8", "|O", (7,)), ("scale", "<f4")],
    ],
)
def test_other_records_are_refused(tmp_path, dtype):
    with (
        DirectoryWriter(tmp_path / "d", "weft.test") as writer,
        pytest.raises(WeftTypeError, match="holds numbers"),
    ):
        writer.array("rows", dtype, (3,))


def test_arrays_are_adopted(tmp_path, monkeypatch):
    with DirectoryWriter(tmp_path / "old", "weft.test") as writer:
        writer.write_array("a", np.arange(5))
        writer.finish({})
    reader = DirectoryReader(tmp_path / "old", "weft.test")
    for name in ("linked", "copied"):
        if name == "copied":

            def forbidden(*_):
                raise OSError(errno.EXDEV, "no links")

            monkeypatch.setattr(os, "link", forbidden)
        with DirectoryWriter(tmp_path / name, "weft.test") as writer:
            writer.adopt(reader, "a")
            writer.finish({})
        found = DirectoryReader(tmp_path / name, "weft.test", verify=True)
        np.testing.assert_array_equal(found.get("a"), np.arange(5))
        links = (tmp_path / name / "a.npy").stat().st_nlink
        assert links == (2 if name == "linked" else 1)


def test_placing_rows_on_a_full_disk(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with (
        DirectoryWriter(tmp_path / "d", "weft.test") as writer,
        pytest.raises(StorageError, match="disk is full"),
    ):
        writer.placed("a", np.float32, (3, 2))
    assert list(tmp_path.iterdir()) == []
