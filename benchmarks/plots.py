"""Results as plots: SVG without a background, in tones that can be read on light and on dark."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

Json = Mapping[str, Any]

TEXT = "#808080"
"""A contrast of about 4 : 1 against white and against the dark page."""
OURS, PEERS, BROKER = "#0f9d8a", "#8293ab", "#c98a3d"
TONES = (OURS, "#4f7cc4", BROKER)
WIDTH_IN = 8.0
ROW_IN = 0.34
SHARES = ("p50", "p90", "p99")


def _figure(height_in: float, panels: int) -> tuple[Figure, Sequence[Axes]]:
    figure = Figure(figsize=(WIDTH_IN, height_in), layout="constrained")
    FigureCanvasSVG(figure)
    figure.patch.set_alpha(0)
    axes = [figure.add_subplot(1, panels, number + 1) for number in range(panels)]
    for each in axes:
        each.patch.set_alpha(0)
        each.tick_params(colors=TEXT, labelsize=8)
        for name, spine in each.spines.items():
            spine.set_visible(name in {"left", "bottom"})
            spine.set_color(TEXT)
    return figure, axes


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, color=TEXT, fontsize=9, loc="left")


def bars(section: Json) -> Figure:
    """Return rates beside CPU per item, a row for each variant."""
    rates = section["rates"]
    figure, (speed, cost) = _figure(1.0 + ROW_IN * len(rates), 2)
    names = [rate["variant"].replace("`", "") for rate in rates]
    places = range(len(names))
    tones = [OURS if name.startswith("Daybook") else PEERS for name in names]
    medians = [rate["per_s"]["median"] for rate in rates]
    speed.barh(places, medians, color=tones)
    for place, value in zip(places, medians, strict=True):
        speed.text(value, place, f" {value:,.0f}", va="center", color=TEXT, fontsize=8)
    speed.set_xlim(right=max(medians) * 1.25)
    _title(speed, f"{section['unit']} per second")
    lefts = [0.0] * len(names)
    processes = list(dict.fromkeys(name for rate in rates for name in rate["cpu_us"]))
    for process, tone in zip(processes, (None, BROKER, "#b35c7a"), strict=False):
        used = [rate["cpu_us"].get(process, {"median": 0.0})["median"] for rate in rates]
        cost.barh(places, used, left=lefts, color=tone or tones, label=process)
        lefts = [left + value for left, value in zip(lefts, used, strict=True)]
    for place, value in zip(places, lefts, strict=True):
        cost.text(value, place, f" {value:,.0f}", va="center", color=TEXT, fontsize=8)
    cost.set_xlim(right=max(lefts) * 1.2)
    legend = "first " + ", then ".join(processes)
    _title(cost, f"CPU µs each: {legend}")
    for axes, labels in ((speed, names), (cost, [""] * len(names))):
        axes.set_yticks(places, labels)
        axes.invert_yaxis()
    return figure


def percentiles(section: Json) -> Figure:
    """Return latencies on a logarithmic scale, one row for each place, a dot for each share."""
    latencies = section["latencies"]
    figure, (axes,) = _figure(1.0 + ROW_IN * len(latencies), 1)
    places = range(len(latencies))
    for share, tone in zip(SHARES, TONES, strict=True):
        values = [each[share] for each in latencies]
        axes.scatter(values, places, color=tone, s=40, label=share, zorder=2)
        for place, value in zip(places, values, strict=True):
            axes.annotate(f"{value:,.0f}", (value, place), (0, 6), textcoords="offset points",
                          ha="center", color=TEXT, fontsize=7)  # fmt: skip
    for place, each in zip(places, latencies, strict=True):
        axes.plot([each["p50"], each["p99"]], [place, place], color=PEERS, zorder=1)
    axes.set_xscale("log")
    axes.set_yticks(places, [each["where"].replace("`", "") for each in latencies])
    axes.margins(y=0.15)
    axes.invert_yaxis()
    axes.legend(frameon=False, labelcolor=TEXT, fontsize=8, ncols=3, loc="upper right",
                bbox_to_anchor=(1.0, 1.12))  # fmt: skip
    _title(axes, "ms after the moment it was due (log)")
    return figure


def growth(section: Json) -> Figure:
    """Return what workers bring, and what subjects cost: CPU, memory, having the state again."""
    groups: dict[str, dict[int, Json]] = {}
    for rate in section["rates"]:
        number = int(rate["variant"].rpartition(" ")[2].replace(",", ""))
        groups.setdefault(rate["group"], {})[number] = rate
    figure, (workers, cpu, memory, ready) = _figure(2.8, 4)
    _line(workers, {n: rate["per_s"]["median"] for n, rate in groups["workers"].items()}, OURS, "")
    measures = section["measures"]
    for store, tone, again in (("memory", OURS, "load"), ("rocksdb", BROKER, "reopen")):
        steps = groups[f"subjects, {store}"]
        used = {n: sum(u["median"] for u in rate["cpu_us"].values()) for n, rate in steps.items()}
        weighed = "loaded_mib" if again == "load" else "reopened_mib"
        _line(cpu, used, tone, store)
        _line(memory, {n: measures[f"{store}_{weighed}@{n}"] for n in steps}, tone, store)
        _line(ready, {n: measures[f"{store}_{again}_ms@{n}"] / 1000 for n in steps}, tone, store)
    for panel, title in (
        (workers, "entries/s by workers"),
        (cpu, "CPU µs by subjects"),
        (memory, "MiB by subjects"),
        (ready, "s to restart by subjects"),
    ):
        if panel is not workers:
            panel.set_xscale("log")
        panel.set_ylim(bottom=0)
        panel.grid(visible=True, color=TEXT, alpha=0.25)
        _title(panel, title)
    cpu.legend(frameon=False, labelcolor=TEXT, fontsize=8)
    return figure


def _line(axes: Axes, points: Mapping[int, float], tone: str, label: str) -> None:
    axes.plot(list(points), list(points.values()), "o-", color=tone, label=label)


PLOTS: dict[str, Callable[[Json], Figure]] = {
    "peers": bars,
    "worker": bars,
    "sink": bars,
    "latency": percentiles,
    "query": percentiles,
    "growth": growth,
}
"""Section → how it is drawn; the others are tables alone."""


def draw(result: Json, folder: Path) -> dict[str, Path]:
    """Draw every section that has a plot; return section → file.

    Args:
        result: What is in the file of a run.
        folder: Where to; made if it isn't there. The same result gives the same bytes.
    """
    rcParams["svg.fonttype"] = "none"  # text stays text: small files, fonts of the reader
    rcParams["svg.hashsalt"] = "daybook"
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {}
    for section in result["sections"]:
        plot = PLOTS.get(section["name"])
        if plot is not None:
            path = drawn[section["name"]] = folder / f"{section['name']}.svg"
            plot(section).savefig(path, format="svg", metadata={"Date": None})
    return drawn
