"""Files as their publishers ship them."""

from __future__ import annotations

import pytest

from weft.graph.sources import open_source, read_label_pairs

pytestmark = pytest.mark.data

FILES = [
    ("map_of_github/edges.csv.gz", "string", 2_348_885),
    ("gowalla/edges.csv.gz", "string", 1_027_370),
    ("cnr2000/edges.tsv.gz", "int", 3_216_152),
    ("uboot/events.csv.gz", "int", 540_764),
    ("email_eu/email-Eu-core-temporal.txt.gz", "int", 332_334),
    ("collegemsg/CollegeMsg.txt.gz", "int", 59_835),
    ("mathoverflow/sx-mathoverflow.txt.gz", "int", 506_550),
    ("facebook_pages/facebook_edges.csv", "int", 171_002),
    ("twitch_de/DE_edges.csv", "int", 153_138),
    ("dblp/dblp.ungraph", "int", 127_968),
    ("jodie_wikipedia/wikipedia.csv", "int", 157_474),
    ("bitcoin_otc/soc-sign-bitcoinotc.csv.gz", "int", 35_592),
    ("blogcatalog/blogcatalog.mat", "int", 2 * 333_983),
]


@pytest.mark.parametrize(("file", "kind", "count"), FILES, ids=[file for file, _, _ in FILES])
def test_edges(data_dir, file, kind, count):
    source = open_source(data_dir / file)
    assert (source.id_kind, source.weighted) == (kind, False)
    assert sum(len(chunk) for chunk in source.chunks()) == count
    assert source.position == source.size_hint()


@pytest.mark.parametrize(
    ("file", "kind", "count", "different"),
    [
        ("map_of_github/labels.csv.gz", "string", 689_517, 1_514),
        ("facebook_pages/facebook_target.csv", "int", 22_470, 4),
        ("blogcatalog/blogcatalog.mat", "int", 14_476, 39),
    ],
)
def test_labels(data_dir, file, kind, count, different):
    ids, labels = read_label_pairs(data_dir / file, kind)
    assert (len(ids), len(labels), len(set(labels))) == (count, count, different)
