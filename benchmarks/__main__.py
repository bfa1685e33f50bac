"""The one entry for every benchmark: run, list, table, check."""

from __future__ import annotations

import argparse
import json
import sys

from benchmarks.cases import CASES
from benchmarks.results import save
from benchmarks.runner import run
from benchmarks.table import check, write


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    one = verbs.add_parser("run", help="measure a case, or all that are quick")
    one.add_argument("case", choices=[*CASES, "all"])
    one.add_argument("--repeat", type=int, help="measured repetitions (default: the case's own)")
    one.add_argument("--json", action="store_true", help="end with the result as one line of JSON")
    one.add_argument("--save", action="store_true", help="keep the result in benchmarks/results")
    verbs.add_parser("list", help="the cases")
    verbs.add_parser("table", help="write the README's tables from the results")
    verbs.add_parser("check", help="fail when the README's tables are not what the results say")
    return parser


def _run(args: argparse.Namespace) -> None:
    quick = [name for name, case in CASES.items() if not case.slow]
    for name in quick if args.case == "all" else [args.case]:
        result = run(CASES[name], args.repeat)
        if args.save:
            sys.stderr.write(f"saved {save(result)}\n")
        if args.json:
            sys.stdout.write(json.dumps(result) + "\n")


def main(argv: list[str] | None = None) -> int:
    """Return the exit status."""
    args = _parser().parse_args(argv)
    if args.verb == "run":
        _run(args)
    elif args.verb == "list":
        for case in CASES.values():
            sys.stdout.write(f"{case.name:12} {case.summary} [{case.unit}]\n")
    elif args.verb == "table":
        sys.stdout.write("README.md changed\n" if write() else "README.md is up to date\n")
    else:
        complaint = check()
        if complaint:
            sys.stderr.write(complaint + "\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
