"""The README's table: made from the results on disk, never typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.results import FOLDER, latest

__all__ = ["BEGIN", "END", "README", "check", "render", "write"]

README = Path(__file__).parents[1] / "README.md"
BEGIN = "<!-- benchmarks:begin -->"
END = "<!-- benchmarks:end -->"

_HEAD = "| case | weft | peer | ratio | of the limit | measured |\n|---|---|---|---|---|---|"


def render(folder: Path = FOLDER) -> str:
    """The table in Markdown; empty when there is no result."""
    results: list[Any] = list(latest(folder).values())
    lines = [_line(result, row) for result in results for row in result["rows"]]
    if not lines:
        return ""
    machines = dict.fromkeys(_machine(result["machine"]) for result in results)
    return "\n".join([_HEAD, *lines, "", f"Medians; measured on {'; '.join(machines)}."])


def _machine(machine: dict[str, Any]) -> str:
    widest = "AVX-512" if "avx512f" in machine["isa"] else "AVX2" if "avx2" in machine["isa"] else ""
    parts = [
        machine["cpu"],
        f"{machine['cores']} cores",
        f"{machine['memory_gib']:.0f} GiB",
        widest,
    ]
    return ", ".join(part for part in parts if part)


def _line(result: dict[str, Any], row: dict[str, Any]) -> str:
    label = result["summary"] if len(result["rows"]) == 1 else f"{result['summary']}: {row['name']}"
    peer = f"{_number(row['peer'])} ({row['peer_name']})" if row["peer"] is not None else row["note"] or "–"
    times = row["ratio"]
    ratio = "–" if times is None else f"**{times:.0f}×**" if times >= 10 else f"**{times:.2g}×**"
    share = f"{row['of_limit']:.0%}" if row["of_limit"] is not None else "–"
    ours = f"{_number(row['ours'])} {result['unit']}"
    return (
        f"| {label} | {ours} | {peer} | {ratio} | {share} | {result['date'][:10]}{_busy(result['machine'])} |"
    )


def _busy(machine: dict[str, Any]) -> str:
    """A reader must know when others used the machine: rates are then low, ratios still hold."""
    load = machine["load_before"]
    return f", busy machine (load {load:.1f})" if load > machine["cores"] else ""


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _parts(text: str) -> tuple[str, str, str] | None:
    """The README before, between and after the markers; None without markers."""
    before, begin, rest = text.partition(BEGIN)
    inside, end, after = rest.partition(END)
    return (before, inside, after) if begin and end else None


def write(readme: Path = README, folder: Path = FOLDER) -> bool:
    """Put the table between the markers; True when the file changed.

    Raises:
        ValueError: the README has no markers.
    """
    text = readme.read_text()
    parts = _parts(text)
    if parts is None:
        raise ValueError(f"{readme.name} has no {BEGIN} and {END}: add both where the table belongs")
    new = f"{parts[0]}{BEGIN}\n{render(folder)}\n{END}{parts[2]}"
    if new != text:
        readme.write_text(new)
    return new != text


def check(readme: Path = README, folder: Path = FOLDER) -> str | None:
    """What is wrong with the README's table, or None."""
    table = render(folder)
    parts = _parts(readme.read_text() if readme.exists() else "")
    if parts is None:
        return f"{readme.name} has results but no {BEGIN} … {END}" if table else None
    if parts[1].strip() != table.strip():
        return f"{readme.name}: the table is not what the results say; run: python -m benchmarks table"
    return None
