"""The frame of the command line: which verbs there are, how they are run, how errors are shown.

A verb is a module with ``Args``, a frozen keyword-only dataclass whose field docstrings are the
help texts, and ``run(args) -> int``, which returns the exit status. If ``Args`` has a field ``given``, it
receives the options that were written, by name, whatever their values. Only the module of the verb
that was called is imported, so ``weft --help`` and every ``weft <verb> --help`` answer at once.
"""

from __future__ import annotations

import dataclasses
import importlib
import os
import signal
import sys
import traceback
from typing import TYPE_CHECKING, Any, Protocol, cast

from weft import __version__
from weft.errors import Interrupted, StorageError, WeftError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["VERBS", "main"]

# verb: (module, what it does)
VERBS: dict[str, tuple[str, str]] = {
    "demo": ("weft.cli.demo", "make a graph, embed it, evaluate it and draw it: all in one minute"),
    "import": ("weft.cli.import_", "turn an edge list into a graph directory"),
    "attach": ("weft.cli.attach", "put features, labels and a split into a graph directory"),
    "generate": ("weft.cli.generate", "make a synthetic graph"),
    "info": ("weft.cli.info", "describe a directory that weft wrote, and check its files"),
    "embed": ("weft.cli.embed", "learn a vector for every node of a graph or edge list"),
    "update": ("weft.cli.update", "learn vectors further after the graph has changed"),
    "train": ("weft.cli.train", "train a graph neural network on features larger than memory"),
    "predict": ("weft.cli.predict", "what a trained network says of every node"),
    "stream": ("weft.cli.stream", "keep a model of events current, scored before it learns"),
    "evaluate": ("weft.cli.evaluate", "measure vectors by node classification or link prediction"),
    "neighbors": ("weft.cli.neighbors", "list the nodes whose vectors are closest to a node's"),
    "export": ("weft.cli.export", "write vectors as .npy, Parquet or word2vec text"),
}

# What a path that was given leads to, where the system itself has not failed.
_GIVEN = (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError)
_SIGNALLED = 128  # a shell reports this and the number of the signal


class _Verb(Protocol):
    Args: type[Any]

    @staticmethod
    def run(args: Any) -> int: ...  # noqa: ANN401 - each verb has its own Args


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: the arguments after the program's name; those of the process when not given.

    Returns:
        The exit status: 0 when all went well, 2 when what the user gave cannot be used, 1 when the
        system failed, 128 and the number of the signal when interrupted.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    try:
        status = _dispatch(words, debug)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has gone (weft neighbors … | head): Python's flush at exit must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def _dispatch(words: list[str], debug: bool) -> int:
    """Answer for the program itself, or hand over to a verb."""
    if not words or words[0] in ("-h", "--help", "help"):
        sys.stdout.write(_overview())
        return 0
    if words[0] in ("-V", "--version"):
        sys.stdout.write(f"weft {__version__}\n")
        return 0
    name, *rest = words
    if name not in VERBS:
        return _complain("weft", f"no verb {name!r}: it is one of {', '.join(VERBS)}", 2)
    try:
        verb = cast("_Verb", importlib.import_module(VERBS[name][0]))
        return verb.run(_parse(name, verb, rest))
    except BrokenPipeError:
        raise
    except Interrupted as stop:
        sys.stderr.write(f"weft {name}: {stop}\n")
        return _SIGNALLED + stop.signal
    except KeyboardInterrupt:
        return _complain(f"weft {name}", "interrupted", _SIGNALLED + signal.SIGINT)
    except Exception as error:
        if debug:
            traceback.print_exc()
        return _complain(f"weft {name}", *_explain(error, debug))


def _parse(name: str, verb: _Verb, words: list[str]) -> Any:  # noqa: ANN401
    """The verb's Args from the words of the command line; exits with 2 when they do not fit."""
    import tyro

    args = tyro.cli(
        verb.Args,
        prog=f"weft {name}",
        description=sys.modules[verb.Args.__module__].__doc__,
        args=words,
        config=(tyro.conf.FlagCreatePairsOff,),
    )
    if any(field.name == "given" for field in dataclasses.fields(args)):
        options = [word.partition("=")[0] for word in words if word.startswith("--")]
        names = [option[2:].replace("-", "_").removeprefix("no_") for option in options]
        return dataclasses.replace(args, given=dict(zip(names, options, strict=True)))
    return args


def _explain(error: Exception, debug: bool) -> tuple[str, int]:
    """One line and the exit status for an error."""
    if isinstance(error, WeftError):
        return str(error), 1 if isinstance(error, StorageError) else 2
    if isinstance(error, OSError):
        return str(error), 2 if isinstance(error, _GIVEN) else 1
    hint = "" if debug else " (this is a fault of weft; --debug shows where)"
    return f"{type(error).__name__}: {error}{hint}", 1


def _complain(prog: str, message: str, status: int) -> int:
    """One line on stderr."""
    sys.stderr.write(f"{prog}: error: {message}\n")
    return status


def _overview() -> str:
    """What ``weft --help`` shows."""
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {name:<{width}}  {text}" for name, (_, text) in VERBS.items())
    return (
        f"weft {__version__}: vectors for the nodes of large graphs\n\n"
        f"usage: weft <verb> [options]\n\nverbs:\n{verbs}\n\n"
        "weft <verb> --help describes a verb; --debug shows the traceback of an error; --version.\n"
    )
