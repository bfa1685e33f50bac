"""The README's tables, a short one and the whole: made from the results on disk, never typed."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from benchmarks.results import FOLDER, latest

__all__ = ["BEGIN", "END", "HEADLINES", "README", "check", "render", "write"]

README = Path(__file__).parents[1] / "README.md"
BEGIN = "<!-- benchmarks:begin -->"
END = "<!-- benchmarks:end -->"

# The rows that say most, by case and name, and the task as one would say it.
HEADLINES: dict[tuple[str, str], str] = {
    ("ingest", "csv"): "a CSV file of edges to a graph directory",
    ("embed.throughput", "K=1"): "a graph to a vector of each node, skip-gram, one negative a pair",
    ("sample", "2 threads"): "neighbours of neighbours for batches of a GNN",
    ("gather", "2 threads, torch on same pages"): "rows of features from memory",
    (
        "train",
        "SAGE 10, 10, the map as good as can be",
    ): "an epoch of GraphSAGE, a tenth of the features in memory",
    ("accuracy", "Cora, sage"): "test accuracy of GraphSAGE on Cora, sampled batches",
}

_SHORT = "| task | weft | peer | ratio |\n|---|---|---|---|"
_HEAD = "| case | weft | peer | ratio | of the limit | measured |\n|---|---|---|---|---|---|"


def render(folder: Path = FOLDER) -> str:
    """The tables in Markdown, the whole folded away; empty when there is no result."""
    results: list[Any] = list(latest(folder).values())
    lines = [_line(result, row) for result in results for row in result["rows"]]
    if not lines:
        return ""
    machines = dict.fromkeys(_machine(result["machine"]) for result in results)
    short = _summary(results)
    folded = f"<details><summary>All {len(lines)} figures</summary>"
    return "\n".join(
        [
            *([_SHORT, *short, ""] if short else []),
            f"Medians, of accuracies means; measured on {'; '.join(machines)}.",
            *["", folded, "", _HEAD, *lines, "", "</details>"],
        ]
    )


def _summary(results: list[Any]) -> list[str]:
    """A line for each headline that there is a result of."""
    rows = {(result["case"], row["name"]): (result, row) for result in results for row in result["rows"]}
    lines = []
    for place, task in HEADLINES.items():
        if place in rows:
            ours, peer, ratio, _ = _cells(*rows[place])
            lines.append(f"| {task}{_busy(rows[place][0]['machine'])} | {ours} | {peer} | {ratio} |")
    return lines


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
    cells = " | ".join(_cells(result, row))
    return f"| {label} | {cells} | {result['date'][:10]}{_busy(result['machine'])} |"


def _cells(result: dict[str, Any], row: dict[str, Any]) -> tuple[str, str, str, str]:
    """Our figure, the peer's, how many times it that is, and the share of the limit."""
    if result["unit"] == "%":
        return _shares(row)
    peer = f"{_number(row['peer'])} ({row['peer_name']})" if row["peer"] is not None else row["note"] or "–"
    times = row["ratio"]
    ratio = "–" if times is None else f"**{times:.0f}×**" if times >= 10 else f"**{times:.2g}×**"
    share = f"{row['of_limit']:.0%}" if row["of_limit"] is not None else "–"
    return f"{_number(row['ours'])} {result['unit']}", peer, ratio, share


def _shares(row: dict[str, Any]) -> tuple[str, str, str, str]:
    """The same of shares, such as an accuracy: means of all repetitions, and the points between them."""
    ours = statistics.mean(each["ours"] for each in row["repetitions"])
    if row["peer"] is None:
        return f"{ours:.1f} %", row["note"] or "–", "–", "–"
    peer = statistics.mean(each["peer"] for each in row["repetitions"])
    return f"{ours:.1f} %", f"{peer:.1f} ({row['peer_name']})", f"**{ours - peer:+.1f} points**", "–"


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
