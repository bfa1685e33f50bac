"""The report and its picture: complete, escaped, self-contained."""

import sys
from html.parser import HTMLParser

import numpy as np
import pytest

from weft.errors import MissingExtraError, StorageError, WeftValueError
from weft.eval import ClassificationReport, LinkReport, PortionScore
from weft.graph import Labels
from weft.serve.picture import draw
from weft.serve.report import Report

CLASSES = ClassificationReport(
    scores=(PortionScore(portion=0.1, train=10, test=90, micro=(0.5, 0.75), macro=(0.25, 0.5)),),
    nodes=100,
    labels=3,
    trials=2,
    seed=0,
    seconds=1.0,
)
LINK = LinkReport(
    auc=0.91,
    mrr=0.42,
    hits={1: 0.3, 10: 0.7},
    edges=50,
    skipped=0,
    num_negatives=100,
    score="cosine",
    seed=0,
    seconds=1.0,
)


class _Page(HTMLParser):
    """Checks that tags close in order and gathers text and references."""

    void = frozenset({"meta", "line", "path"})

    def __init__(self):
        super().__init__()
        self.open, self.text, self.references = [], [], []

    def handle_starttag(self, tag, attrs):
        self.references += [v for k, v in attrs if k in ("src", "href", "srcset")]
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def _parse(html):
    page = _Page()
    page.feed(html)
    assert page.open == []
    return page


def _groups(count=200, groups=4, seed=0):
    rng = np.random.default_rng(seed)
    group = np.arange(count) % groups
    vectors = rng.normal(size=(groups, 8))[group] * 5 + rng.normal(size=(count, 8))
    labels = Labels(np.arange(count + 1), group.astype(np.uint32), tuple("abcdefgh"[:groups]))
    return vectors.astype(np.float32), labels, group


def test_a_place_that_cannot_be_written(tmp_path):
    with pytest.raises(StorageError, match=r"cannot write .*report\.html"):
        Report(title="x").write(tmp_path / "no" / "report.html")


@pytest.mark.parametrize("vectors", [np.zeros((4, 3), np.float32), np.full((9, 3), np.nan, np.float32)])
def test_vectors_that_cannot_be_drawn(vectors):
    with pytest.raises(WeftValueError, match="at least 5 finite vectors"):
        draw(vectors)


def test_drawing_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    with pytest.raises(MissingExtraError, match=r"weft\[eval\]"):
        draw(_groups()[0])


def test_a_picture_keeps_groups_together_and_is_fixed_by_its_seed():
    vectors, labels, group = _groups()
    picture = draw(vectors, labels, points=100, seed=3)
    assert picture.xy.shape == (100, 2)
    assert picture.groups == 4
    # Each picture group is one label.
    assert len({(a, b) for a, b in zip(picture.group, group[picture.nodes], strict=True)}) == 4
    middle = np.array([picture.xy[picture.group == g].mean(0) for g in range(4)])
    nearest = ((picture.xy[:, None] - middle) ** 2).sum(2).argmin(1)
    assert (nearest == picture.group).mean() > 0.95
    np.testing.assert_array_equal(picture.nodes, draw(vectors, labels, points=100, seed=3).nodes)


def test_a_picture_of_equal_vectors_and_of_few_groups():
    vectors, labels, _ = _groups()
    assert np.isfinite(draw(np.ones_like(vectors), points=50).xy).all()
    picture = draw(vectors, labels, points=100, max_groups=2)
    assert picture.groups == 2
    assert (picture.group == -1).any()
    assert draw(vectors, Labels.from_pairs(np.zeros(0, np.int64), [], 200), points=20).groups == 0


def test_an_empty_report():
    page = _parse(Report(title="Only a title").html())
    assert "Only a title" in page.text


def test_a_report_shows_everything_escaped_and_needs_nothing_else(tmp_path):
    vectors, labels, _ = _groups(60)
    report = Report(
        title="<script>alert(1)</script>",
        lead="lead & more",
        numbers=[("0.98", "micro-F1")],
        picture=draw(vectors, labels),
        classification=CLASSES,
        link=LINK,
        loss=[(0.0, 4.0), (10.0, 2.5), (20.0, 2.0)],
        stages=[("import", 1.25), ("embed", 20.0)],
        facts={"Configuration": {"dim": 128, "rate": 0.025, "weights": None, "on": True}, "Empty": {}},
        next_steps="weft embed a.csv > b",
    )
    html = report.write(tmp_path / "report.html").read_text("utf-8")
    page = _parse(html)
    text = " ".join(page.text)
    for shown in ("lead & more", "0.6250", "0.3750", "0.9100", "hits@10", "1.2 s", "0.025", "a.csv > b"):
        assert shown in text
    assert "Empty" not in text
    assert "<script" not in html
    assert page.references == []
    assert "url(" not in html
    assert "@import" not in html
