import json
import math

import pytest
from benchmarks import __main__ as entry
from benchmarks import results, table
from benchmarks.case import Case, Row, rate
from benchmarks.runner import run


def _case(*rows, **options):
    return Case(name="toy", summary="toys", unit="M toys/s", rows=lambda _: rows, **options)


def _steps(*values):
    return iter(values).__next__


def test_rate_is_work_per_second():
    assert rate(10.0, lambda: None) > 1000


def test_repeat_below_one_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        run(_case(Row(name="a", ours=lambda: 1.0)), repeat=0)


def test_medians_and_every_repetition():
    row = Row(name="a", ours=_steps(9.0, 1.0, 5.0, 3.0), peer=_steps(9.0, 2.0, 2.0, 1.0), peer_name="p 1")
    result = run(_case(row), repeat=3)
    assert (result["ours"], result["peer"], result["ratio"]) == (3.0, 2.0, 2.5)
    assert [r["ours"] for r in result["repetitions"]["a"]] == [
        1.0,
        5.0,
        3.0,
    ]  # the warm-up is not kept
    assert result["limit"] is None
    assert result["of_limit"] is None
    json.dumps(result)


def test_ours_and_peer_in_turn():
    order = []
    row = Row(
        name="a",
        ours=lambda: order.append("ours") or 1.0,
        peer=lambda: order.append("peer") or 1.0,
        limit=lambda: order.append("limit") or 2.0,
    )
    result = run(_case(row, warmup=False), repeat=2)
    assert order == ["limit", "ours", "peer"] * 2
    assert result["of_limit"] == 0.5


def test_headline_is_the_worst_row():
    rows = [Row(name=str(r), ours=lambda r=r: float(r), peer=lambda: 1.0) for r in (3, 2, 4)]
    result = run(_case(*rows), repeat=1)
    assert result["ratio"] == 2.0
    assert [row["name"] for row in result["rows"]] == ["3", "2", "4"]


def test_absent_peer_is_null_with_its_reason():
    result = run(_case(Row(name="a", ours=lambda: 1.0, peer_name="p", note="p is not installed")), repeat=1)
    assert result["peer"] is None
    assert result["ratio"] is None
    assert result["note"] == "p is not installed"


def test_the_folder_is_removed():
    seen = []

    def rows(folder):
        (folder / "x").write_text("x")
        seen.append(folder)
        return [Row(name="a", ours=lambda: 1.0)]

    run(Case(name="t", summary="", unit="", rows=rows), repeat=1)
    assert not seen[0].exists()


def test_results_are_never_overwritten(tmp_path):
    first = run(_case(Row(name="a", ours=lambda: 1.0)), repeat=1) | {"date": "2026-01-02T03:04:05Z"}
    names = [results.save(first | {"ours": float(i)}, tmp_path).name for i in range(3)]
    assert names == ["2026-01-02-toy.json", "2026-01-02-toy-2.json", "2026-01-02-toy-3.json"]
    newer = first | {"date": "2026-01-02T03:04:06Z", "ours": 7.0}
    results.save(newer, tmp_path)
    assert results.latest(tmp_path)["toy"]["ours"] == 7.0


def test_tenth_result_of_a_day_is_newer_than_the_second(tmp_path):
    result = run(_case(Row(name="a", ours=lambda: 1.0)), repeat=1)
    for i in range(11):
        results.save(result | {"date": f"2026-01-02T03:04:{i:02d}Z", "ours": float(i)}, tmp_path)
    assert results.latest(tmp_path)["toy"]["ours"] == 10.0


@pytest.fixture
def readme(tmp_path):
    path = tmp_path / "README.md"
    path.write_text(f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n")
    return path


def test_table_is_what_the_results_say(tmp_path, readme):
    row = Row(name="a", ours=lambda: 30.0, peer=lambda: 4.0, peer_name="other 1.2", limit=lambda: 40.0)
    results.save(run(_case(row), repeat=1), tmp_path)
    assert "out of date" in table.check(readme, tmp_path) or "not what" in table.check(readme, tmp_path)
    assert table.write(readme, tmp_path)
    assert table.check(readme, tmp_path) is None
    assert not table.write(readme, tmp_path)
    text = readme.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "| toys | 30 M toys/s | 4 (other 1.2) | **7.5×** | 75% |" in text


def test_table_says_when_the_machine_was_busy(tmp_path):
    result = run(_case(Row(name="a", ours=lambda: 1.0)), repeat=1)
    for load, busy in ((0.1, False), (9.06, True)):
        changed = result | {"machine": result["machine"] | {"load_before": load, "cores": 2}}
        results.save(changed | {"date": f"2026-01-02T03:04:0{int(load)}Z"}, tmp_path)
        assert ("busy machine (load 9.1)" in table.render(tmp_path)) == busy


def test_a_short_table_stands_before_the_whole(tmp_path, readme, monkeypatch):
    rows = [
        Row(name="a", ours=lambda: 30.0, peer=lambda: 4.0, peer_name="other 1.2"),
        Row(name="b", ours=lambda: 7.0),
    ]
    results.save(run(_case(*rows), repeat=1), tmp_path)
    assert not table.render(tmp_path).startswith("| task"), "nothing of it is a headline"
    monkeypatch.setattr(table, "HEADLINES", {("toy", "a"): "playing", ("none", "c"): "not measured"})
    shown = table.render(tmp_path).splitlines()
    assert shown[0] == "| task | weft | peer | ratio |"
    assert shown[2].startswith("| playing")
    assert shown[2].endswith(" | 30 M toys/s | 4 (other 1.2) | **7.5×** |")
    assert "<details><summary>All 2 figures</summary>" in shown
    assert sum(line.startswith("| toys: ") for line in shown) == 2
    assert shown[-1] == "</details>"
    assert table.write(readme, tmp_path)
    assert table.check(readme, tmp_path) is None
    readme.write_text(readme.read_text().replace("7.5×", "9×", 1))
    assert table.check(readme, tmp_path) is not None


def test_shares_stand_as_means_and_points(tmp_path):
    row = Row(name="a", ours=_steps(80.0, 81.0, 70.0), peer=_steps(79.0, 75.0, 78.5), peer_name="other 1.2")
    alone = Row(name="b", ours=_steps(3.0, 1.0, 5.0), note="nobody else")
    case = Case(name="toy", summary="toys", unit="%", rows=lambda _: [row, alone], warmup=False)
    results.save(run(case, repeat=3), tmp_path)
    text = table.render(tmp_path)
    assert "| toys: a | 77.0 % | 77.5 (other 1.2) | **-0.5 points** | – |" in text
    assert "| toys: b | 3.0 % | nobody else | – | – |" in text


def test_every_headline_was_measured():
    there = {(case, row["name"]) for case, result in results.latest().items() for row in result["rows"]}
    assert set(table.HEADLINES) <= there
    assert len(table.HEADLINES) == 6


def test_readme_without_markers(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("nothing\n")
    assert table.check(readme, tmp_path) is None
    with pytest.raises(ValueError, match="no <!-- benchmarks:begin"):
        table.write(readme, tmp_path)
    results.save(run(_case(Row(name="a", ours=lambda: 1.0)), repeat=1), tmp_path)
    assert table.check(readme, tmp_path) is not None


def test_last_line_is_one_json_object(monkeypatch, capsys):
    monkeypatch.setitem(entry.CASES, "toy", _case(Row(name="a", ours=lambda: math.pi)))
    assert entry.main(["run", "toy", "--repeat", "1", "--json"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    wanted = "case ours peer ratio limit of_limit unit machine versions repetitions config date rows"
    assert set(wanted.split()) <= set(result)
    assert {"cpu", "cores", "memory_gib", "kernel", "isa"} <= set(result["machine"])


def test_unknown_case_is_refused(capsys):
    with pytest.raises(SystemExit):
        entry.main(["run", "no-such-case"])
    assert "invalid choice" in capsys.readouterr().err


def test_list_names_every_case(capsys):
    assert entry.main(["list"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == list(entry.CASES)
    assert "walk" in listed
