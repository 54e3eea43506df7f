"""Results as markdown, and into docs/performance.md between its markers.

Run as `python -m benchmarks.report [FILE]` with the JSON of a run to replace that part of the page.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import budgets, plots

BEGIN, END = "<!-- benchmarks:begin -->", "<!-- benchmarks:end -->"
PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
IMAGES = "images/performance"
"""Beside the page."""
RESULTS = Path(".daybook") / "benchmarks.json"
BUSY = 1.0
"""Load average above which the machine had something else to do when a benchmark began."""

Json = Mapping[str, Any]


def markdown(result: Json, images: Mapping[str, str] | None = None) -> str:
    """Return the whole result as markdown.

    Args:
        result: What is in the file of a run.
        images: Section → address of its plot.
    """
    shown = images or {}
    how = "`make bench ARGS=--quick` (small sizes)" if result["quick"] else "`make bench`"
    lines = [f"{result['at']}, {how}, {result['seconds']} s.", ""]
    lines += _table(("machine", ""), [list(pair) for pair in result["machine"].items()])
    lines += ["", "### Against the budgets", ""]
    lines += _table(("", "budget", "measured", ""), budgets.rows(result["sections"]))
    for section in result["sections"]:
        lines += _section(section, shown.get(section["name"]))
    return "\n".join(lines).rstrip() + "\n"


def replaced(page: str, text: str) -> str:
    """Return a page with what is between the markers replaced.

    Raises:
        ValueError: It doesn't have the two markers, in order, once each.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise ValueError(f"the page needs {BEGIN} and then {END}, once each")
    return f"{before}{BEGIN}\n\n{text}\n{END}{after}"


def _section(section: Json, plot: str | None) -> list[str]:
    before, after = section["load"]
    busy = " (**the machine was busy**)" if before > BUSY else ""
    lines = ["", f"### {section['title']}", ""]
    lines += [line for note in section["notes"] for line in (note, "")]
    when = f"{section['at']}. " if section.get("at") else ""
    lines += [f"{when}Load average before {before:.1f}, after {after:.1f}{busy}.", ""]
    if plot:
        lines += [f"![{section['title']}: the figures below as a plot]({plot})", ""]
    if section["rates"]:
        lines += _rates(section["unit"], section["rates"])
    if section["latencies"]:
        lines += ["", *_latencies(section["latencies"])]
    if section["facts"]:
        lines += ["", *_table(("figure", ""), [list(pair) for pair in section["facts"].items()])]
    return lines


def _rates(unit: str, rates: Sequence[Json]) -> list[str]:
    processes = list(dict.fromkeys(name for rate in rates for name in rate["cpu_us"]))
    weighed = list(dict.fromkeys(name for rate in rates for name in rate["peak_mib"]))
    header = (
        "variant", unit, "per second", "min … max", "ratio", *_cpu_titles(processes),
        *(f"peak MiB: {name}" for name in weighed),
    )  # fmt: skip
    firsts: dict[str, float] = {}
    rows = []
    for rate in rates:
        speed = rate["per_s"]
        spread = f"{speed['low']:,.0f} … {speed['high']:,.0f}"
        first = firsts.setdefault(rate["group"], speed["median"])
        ratio = f"{speed['median'] / first:.2f}"
        row = [rate["variant"], f"{rate['count']:,}", f"{speed['median']:,.0f}", spread, ratio]
        peaks = [
            f"{rate['peak_mib'][name]:,.0f}" if name in rate["peak_mib"] else "" for name in weighed
        ]
        rows.append(row + _cpu(rate["cpu_us"], processes) + peaks)
    return _table(header, rows)


def _cpu_titles(processes: Sequence[str]) -> list[str]:
    titles = [f"CPU µs: {name}" for name in processes]
    return titles if len(processes) < 2 else [*titles, "together"]


def _cpu(cpu_us: Json, processes: Sequence[str]) -> list[str]:
    """Return the CPU cells: µs with the share of the whole, then the whole."""
    medians = {name: cpu_us[name]["median"] for name in processes if name in cpu_us}
    whole = sum(medians.values())
    if len(processes) < 2:
        return [f"{value:.2f}" for value in medians.values()]
    cells = []
    for name in processes:
        if name not in medians:
            cells.append("")
        elif whole:
            cells.append(f"{medians[name]:.1f} ({medians[name] / whole:.0%})")
        else:
            cells.append("0.0")
    return [*cells, f"{whole:.1f}"]


def _latencies(latencies: Sequence[Json]) -> list[str]:
    names = ("p50", "p90", "p95", "p99", "p999", "most")
    return _table(
        ("visible as", "samples", "p50 ms", "p90 ms", "p95 ms", "p99 ms", "p99.9 ms", "longest ms"),
        [
            [each["where"], f"{each['samples']:,}", *(f"{each[name]:,.0f}" for name in names)]
            for each in latencies
        ],
    )


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def main(argv: Sequence[str]) -> int:
    """Put the result of a run into the page; exit code 0, or 2 when there is none."""
    path = Path(argv[0]) if argv else RESULTS
    if len(argv) > 1 or not path.exists():
        sys.stderr.write(f"usage: python -m benchmarks.report [FILE]; there is no {path}\n")
        return 2
    result = json.loads(path.read_text(encoding="utf8"))
    page = PAGE.read_text(encoding="utf8")
    drawn = plots.draw(result, PAGE.parent / IMAGES)
    images = {name: f"{IMAGES}/{path.name}" for name, path in drawn.items()}
    PAGE.write_text(replaced(page, markdown(result, images)), encoding="utf8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
