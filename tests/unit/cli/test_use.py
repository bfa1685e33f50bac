"""``weft neighbors`` and ``weft export``."""

import json

import numpy as np
import polars as pl
import pytest

from weft.cli import main
from weft.embed import Embedding


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["neighbors", "{}/none", "n1"], "none"),
        (["neighbors", "{}/vectors"], "at least one id"),
        (["neighbors", "{}/vectors", "n1", "who"], "no node has the id 'who'"),
        (["neighbors", "{}/vectors", "n1", "-k", "0"], "k must be at least 1"),
        (["export", "{}/vectors", "--to", "{}/x.docx"], ".npy, .parquet"),
        (["export", "{}/vectors", "--to", "{}/no/where/x.npy"], "cannot write"),
    ],
)
def test_what_cannot_be_used(small, capsys, words, message):
    assert main([word.format(small) for word in words]) in (1, 2)
    error = capsys.readouterr().err
    assert error.startswith(f"weft {words[0]}: error: ")
    assert message in error
    assert error.count("\n") == 1


def test_neighbors_of_a_node_are_of_its_group(small, capsys):
    assert main(["neighbors", f"{small}/vectors", "n8", "n9", "-k", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [lines[0], lines[4]] == ["n8", "n9"]
    assert len(lines) == 8
    assert main(["neighbors", f"{small}/vectors", "n8", "-k", "3", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["id"] == "n8"
    found = [int(near["id"][1:]) for near in row["neighbors"]]
    assert 8 not in found
    assert sum(node % 4 == 0 for node in found) >= 2
    scores = [near["cosine"] for near in row["neighbors"]]
    assert scores == sorted(scores, reverse=True)


def test_export(small, tmp_path, capsys):
    assert main(["export", f"{small}/vectors", "--to", f"{tmp_path}/x.parquet"]) == 0
    assert f"{tmp_path}/x.parquet" in capsys.readouterr().out
    frame = pl.read_parquet(tmp_path / "x.parquet")
    assert frame["id"][:2].to_list() == ["n0", "n1"]
    np.testing.assert_array_equal(frame["vector"].to_numpy(), Embedding.open(small / "vectors").vectors)


@pytest.mark.parametrize("verb", ["demo", "evaluate", "export", "neighbors"])
def test_help(capsys, verb):
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])
    assert ended.value.code == 0
    assert f"usage: weft {verb}" in capsys.readouterr().out
