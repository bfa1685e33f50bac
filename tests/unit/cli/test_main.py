"""The frame of the command line: what each kind of ending prints and returns."""

import importlib
import subprocess
import sys
import time

import pytest

from weft import __version__
from weft.cli import main
from weft.cli._main import VERBS
from weft.errors import StorageError, WeftKeyError, WeftValueError

_FAKE = '''"""A verb for tests."""
import dataclasses

@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    count: int = 1
    """The status to return."""

def run(args):
    return args.count
'''


@pytest.fixture
def verb(monkeypatch, tmp_path):
    """A verb ``fake`` whose behaviour a test sets."""
    (tmp_path / "weft_fake_verb.py").write_text(_FAKE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(VERBS, "fake", ("weft_fake_verb", "for tests"))
    yield importlib.import_module("weft_fake_verb")
    del sys.modules["weft_fake_verb"]


def _raise(error):
    def run(args):
        raise error

    return run


def test_unknown_verb_names_the_verbs(capsys):
    assert main(["embde"]) == 2
    message = capsys.readouterr().err
    assert message.startswith("weft: error: no verb 'embde'")
    assert "embed" in message
    assert message.count("\n") == 1


def test_bad_option_shows_usage_and_exits_2(verb, capsys):
    with pytest.raises(SystemExit) as exit:
        main(["fake", "--count", "many"])
    assert exit.value.code == 2
    assert "--count" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (WeftValueError("dim must be at least 1 (got 0)"), 2, "dim must be at least 1 (got 0)"),
        (WeftKeyError("no node 'x'"), 2, "no node 'x'"),
        (StorageError("disk full"), 1, "disk full"),
        (FileNotFoundError(2, "No such file", "a.csv"), 2, "[Errno 2] No such file: 'a.csv'"),
        (PermissionError(13, "Permission denied", "a.csv"), 2, "[Errno 13] Permission denied: 'a.csv'"),
        (OSError(5, "Input/output error", "a.csv"), 1, "[Errno 5] Input/output error: 'a.csv'"),
    ],
)
def test_errors_are_one_line(verb, capsys, error, status, line):
    verb.run = _raise(error)
    assert main(["fake"]) == status
    assert capsys.readouterr().err == f"weft fake: error: {line}\n"


def test_a_fault_of_weft_says_so_and_debug_shows_where(verb, capsys):
    verb.run = _raise(ZeroDivisionError("division by zero"))
    assert main(["fake"]) == 1
    message = capsys.readouterr().err
    assert "ZeroDivisionError: division by zero" in message
    assert "--debug" in message
    assert main(["fake", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_interrupt_is_130(verb, capsys):
    verb.run = _raise(KeyboardInterrupt())
    assert main(["fake"]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_status_of_the_verb_is_returned(verb):
    assert main(["fake", "--count", "3"]) == 3


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"]])
def test_overview_names_every_verb(capsys, words):
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert all(f"  {name} " in shown for name in VERBS)


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"weft {__version__}\n"


def test_help_starts_fast_and_without_heavy_imports():
    code = (
        "import sys; from weft.cli import main; main(['--help']);"
        "heavy = {'torch', 'polars', 'sklearn', 'matplotlib', 'tyro'} & set(sys.modules);"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    # 0.1 s where it was measured; the limit leaves room for a machine under load.
    assert time.perf_counter() - begun < 2


def test_a_closed_pipe_ends_quietly(verb):
    shell = f"{sys.executable} -m weft --help | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", shell], check=False, capture_output=True)
    assert done.stderr == b""
