"""``weft stream``, from a file to a page."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from weft.cli import main


@pytest.fixture
def events(tmp_path):
    rng = np.random.default_rng(0)
    source = rng.integers(0, 20, 900)
    path = tmp_path / "events.csv"
    frame = pl.DataFrame(
        {"who": source, "what": (source + rng.integers(0, 2, 900)) % 20, "at": np.arange(900)}
    )
    frame.write_csv(path)
    frame.rename({"who": "source", "what": "target", "at": "time"}).write_parquet(tmp_path / "events.parquet")
    return path


def test_run_resume_report(events, tmp_path, capsys):
    out = tmp_path / "r"
    words = ["stream", str(events), "--out", str(out), "--columns", "who,what,at", "--round-size", "100"]
    words += ["--bipartite", "--warmup", "200", "--seed", "2"]
    assert main([*words, "--rounds", "3"]) == 0
    assert "in 3 rounds" in capsys.readouterr().out
    assert main(words) == 2
    assert "--resume" in capsys.readouterr().err
    assert main([*words, "--resume"]) == 0
    shown = capsys.readouterr().out
    assert "resume   from round 3, 900 events read" in shown
    assert "900 events in 8 rounds" in shown
    for name in ("model", "edgebank", "heuristic"):
        assert f"{name} AP 0." in " ".join(shown.split())
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [line["events"] for line in lines] == [200] + [100] * 7
    page = (out / "report.html").read_text()
    assert page.count("<svg") == 3
    assert "EdgeBank" in page
    assert page.count('class="curve"') == 7
    assert main(["info", str(out / "state")]) == 0
    assert "the state of a run of weft stream" in capsys.readouterr().out


def test_parquet_gives_the_same(events, tmp_path, capsys):
    for name, source in (("a", [str(events), "--columns", "0,1,2"]), ("b", [str(events)[:-3] + "parquet"])):
        assert main(["stream", *source, "--out", str(tmp_path / name), "--model", "heuristic"]) == 0
    a, b = ((tmp_path / name / "state" / "time.npy").read_bytes() for name in "ab")
    assert a == b


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing.csv"], "there is no file nothing.csv"),
        (["EVENTS", "--columns", "0,1"], "--columns takes source, target and time"),
        (["EVENTS", "--columns", "a,b,c"], "there is no column 'a' among who, what, at"),
        (["EVENTS", "--rounds", "0"], "--rounds must be at least 1"),
        (["EVENTS", "--lateness", "-1"], "lateness must be"),
        (["EVENTS", "--snapshot-minutes", "-1"], "snapshot_minutes must be"),
        (["kafka://host", "--follow"], "kafka://HOST:PORT/TOPIC"),
    ],
)
def test_what_cannot_be_run(events, tmp_path, capsys, words, said):
    words = [str(events) if word == "EVENTS" else word for word in words]
    assert main(["stream", *words, "--out", str(tmp_path / "r")]) == 2
    assert said in capsys.readouterr().err


def test_a_wrong_line_is_told_and_the_rest_kept(events, tmp_path, capsys):
    text = events.read_text()
    events.write_text(text + "1,2\n" + "1,2,1000\n")
    words = ["stream", str(events), "--out", str(tmp_path / "r"), "--round-size", "100"]
    assert main(words) == 2
    assert f"{events}, line 902: '1,2' has 2 columns" in capsys.readouterr().err
    events.write_text(text + "1,2,1000\n")
    assert main([*words, "--resume"]) == 0
    assert "901 events in 10 rounds" in capsys.readouterr().out
