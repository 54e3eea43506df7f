"""The page's budgets and plots are made from a run's results, never by hand."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from benchmarks import budgets, plots
from benchmarks.figures import Latency, Rate, Run, Section

RUN = Run(1_000, 0.01, {"worker": 0.02, "kafka": 0.01})


def section(name: str, **fields: Any) -> Mapping[str, Any]:
    """Return a section as it is in the file of a run."""
    found: dict[str, Any] = json.loads(json.dumps(asdict(Section(name, name, "records", **fields))))
    return found


def test_budget_is_reached_missed_or_not_measured() -> None:
    """The bound itself counts as reached when more is better, and as missed when less is."""
    worker = section("worker", rates=(Rate.of("Daybook worker", [RUN]),))
    latency = section("latency", measures={"effect_p50_ms@1000": 40.0, "effect_p99_ms@1000": 99.0})
    verdicts = {row[0]: row[3] for row in budgets.rows([worker, latency])}
    assert list(verdicts.values()).count("reached") == 2
    assert list(verdicts.values()).count("**missed**") == 1
    assert "not measured" in verdicts.values()
    assert verdicts["event → effect visible at 1,000/s, p50"] == "**missed**"


def test_every_budget_finds_its_figure_by_the_names_the_benchmarks_use() -> None:
    """A renamed variant would leave a budget unmeasured for ever."""
    names = ("Daybook", "Kafka Streams `exactly_once_v2`, in memory", "Quix Streams, exactly once",
             "plain Faust tables, `take(500)`")  # fmt: skip
    rates = tuple(Rate.of(name, [RUN]) for name in names)
    measures = {"effect_p50_ms@1000": 1.0, "effect_p99_ms@1000": 1.0, "clickhouse_p99_ms@1000": 1.0,
                "p95_ms": 1.0, "memory_load_ms@1000000": 1.0}  # fmt: skip
    sections = [section(name, rates=rates, measures=measures)
                for name in ("worker", "peers", "latency", "sink", "query", "growth")]  # fmt: skip
    assert {row[3] for row in budgets.rows(sections)} <= {"reached", "**missed**"}


def test_plots_are_the_same_for_the_same_result(tmp_path: Path) -> None:
    """A page made twice doesn't change; each plot is SVG and names what it shows."""
    rates = tuple(
        Rate.of(f"{group}: {number}", [RUN], group)
        for group, numbers in (
            ("workers", (1, 2)),
            ("subjects, memory", (10, 100)),
            ("subjects, rocksdb", (10, 100)),
        )
        for number in numbers
    )
    grown = {
        f"{store}_{name}@{count}": float(count)
        for store in ("memory", "rocksdb")
        for name in ("loaded_mib", "load_ms", "reopened_mib", "reopen_ms")
        for count in (10, 100)
    }
    result = {
        "sections": [
            section("peers", rates=(Rate.of("Daybook", [RUN]), Rate.of("plain `Faust`", [RUN]))),
            section("latency", latencies=(Latency.of("effect, 1,000/s", [1.0, 2.0, 90.0]),)),
            section("growth", rates=rates, measures=grown),
            section("codec"),
        ]
    }
    first = {name: path.read_bytes() for name, path in plots.draw(result, tmp_path / "a").items()}
    again = {name: path.read_bytes() for name, path in plots.draw(result, tmp_path / "b").items()}
    assert first == again
    assert set(first) == {"peers", "latency", "growth"}
    texts = {name: "".join(ET.fromstring(svg).itertext()) for name, svg in first.items()}  # noqa: S314 - our own
    assert "plain Faust" in texts["peers"]
    assert "effect, 1,000/s" in texts["latency"]
    assert "workers" in texts["growth"]
