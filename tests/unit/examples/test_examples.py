"""The examples run and do what they say."""

import importlib.util
from pathlib import Path

EXAMPLES = Path(__file__).parents[3] / "examples"


def _load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_edge_list_to_vectors(tmp_path, capsys):
    assert _load("edge_list_to_vectors").main(tmp_path) > 0.95
    assert "400 nodes" in capsys.readouterr().out


def test_events_to_scores(capsys):
    assert _load("events_to_scores").main() > 0.68
    assert "goes most likely to page" in capsys.readouterr().out
