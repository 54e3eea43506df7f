"""Reports of tortures as tables: on the screen, and in docs/reliability.md between markers.

`python -m tests.exactness.report` writes the page's tables from docs/reliability/*.json.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"
PAGE, REPORTS = DOCS / "reliability.md", DOCS / "reliability"
BEGIN, END = "<!-- reports: begin -->", "<!-- reports: end -->"
KINDS_OF_ENDS = {"0": "as asked", "-9": "SIGKILL", "-15": "as asked", "70": "fail-stop",
                 "1": "no engine at the start"}  # fmt: skip

Report = Mapping[str, Any]


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table; all columns but the first are right-aligned."""
    lines = [" | ".join(head), " | ".join(["---", *["---:"] * (len(head) - 1)])]
    lines += [" | ".join(map(_text, row)) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def _text(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def by_kind(report: Report) -> Counter[str]:
    """Return kind and kind of target → how many faults were done."""
    found: Counter[str] = Counter()
    for name, count in report["faults"].items():
        kind, target = name.split(" ", 1)
        found[f"{kind} {target.partition('-')[0]}"] += count
    return found


def kills(report: Report) -> int:
    """Return how many SIGKILLs hit: our processes' ends by one, and the engines'."""
    ended = sum(each["codes"].get("-9", 0) for each in report["processes"].values())
    engines = sum(n for name, n in by_kind(report).items() if name in ENGINE_KILLS)
    return int(ended) + engines


ENGINE_KILLS = frozenset({"kill kafka", "kill clickhouse", "kill valkey"})


def ends(report: Report) -> Counter[str]:
    """Return how processes of ours ended → how often."""
    found: Counter[str] = Counter()
    for each in report["processes"].values():
        for code, count in each["codes"].items():
            found[KINDS_OF_ENDS.get(code, f"exit code {code}")] += count
    return found


def sections(reports: Sequence[Report]) -> list[tuple[str, str]]:
    """Return (title, table) of what there is to say, one column per report."""
    head = [f"seed {report['seed']}" for report in reports]

    def rows(counts: Sequence[Mapping[str, int]]) -> list[list[object]]:
        names = sorted(set().union(*counts))
        return [[name, *(count.get(name, 0) for count in counts)] for name in names]

    overview: list[list[object]] = [
        ["records published upstream", *(report["events"] for report in reports)],
        ["seconds", *(report["seconds"] for report in reports)],
        ["SIGKILLs that hit", *map(kills, reports)],
        ["faults in all", *(sum(report["faults"].values()) for report in reports)],
        ["differences", *(len(report["differences"]) for report in reports)],
        ["ends nobody can explain", *(len(report["unexpected_ends"]) for report in reports)],
        ["**equal**", *("yes" if report["equal"] else "**no**" for report in reports)],
    ]
    return [
        ("Runs", table(["", *head], overview)),
        ("Compared with the offline fold",
         table(["records", *head], rows([report["compared"] for report in reports]))),
        ("Faults done", table(["fault", *head], rows([by_kind(report) for report in reports]))),
        ("How our processes ended",
         table(["end", *head], rows([ends(report) for report in reports]))),
        ("Woken from SIGSTOP",
         table(["process", *head], rows([report["zombies"] for report in reports]))),
    ]  # fmt: skip


def summary(report: Report) -> str:
    """Return what a person wants to know of one run."""
    parts = [f"{title}\n\n{body}" for title, body in sections([report])]
    parts += [f"DIFFERENCE: {each}" for each in report["differences"]]
    parts += [f"UNEXPECTED: {each}" for each in report["unexpected_ends"]]
    return "\n\n".join(["", *parts, "EQUAL" if report["equal"] else "NOT EQUAL"])


def rendered(page: str, reports: Sequence[Report]) -> str:
    """Return the page with its tables written anew."""
    before, rest = page.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    tables = "\n\n".join(f"### {title}\n\n{body}" for title, body in sections(reports))
    return f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}"


def main() -> int:
    """Write the tables of the page."""
    reports = [json.loads(path.read_text()) for path in sorted(REPORTS.glob("*.json"))]
    PAGE.write_text(rendered(PAGE.read_text(), reports))
    sys.stdout.write(f"{PAGE.name}: {len(reports)} reports\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
