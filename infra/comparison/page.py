"""A comparison as one page to look at: series by day, and every bucket that differs. Pure.

The page needs nothing but itself: no font, script or style from anywhere, so it can be kept and
sent, and opened years later.
"""

from __future__ import annotations

from collections import defaultdict
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

from infra.commands.metric_rows import bucket_text
from infra.comparison.buckets import value_of
from infra.comparison.chart import Day, drawing
from infra.comparison.outcome import (
    BUCKET_COLUMNS,
    EFFECT_COLUMNS,
    bucket_cells,
    effect_cells,
    example_text,
    number_text,
    signed_text,
    unit_of,
)
from schemas.derived.metric import MetricKey, MetricPartial, merge_partials

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from infra.comparison.outcome import Outcome

MOST_ROWS = 5_000
"""Differing buckets on a page; a browser shows more of them, nobody reads more."""
_NOTHING = merge_partials(())
_NUMBERS = frozenset({"before", "after", "difference", "removed", "added"})


def page(outcome: Outcome) -> str:
    """Return the page as HTML."""
    body = [
        _head(outcome),
        *_charts(outcome),
        *_effects(outcome),
        *_buckets(outcome),
    ]
    frame = files("infra.comparison").joinpath("page.html").read_text()
    return Template(frame).substitute(title=escape(outcome.title), body="\n".join(body))


def _head(outcome: Outcome) -> str:
    compared = outcome.compared
    about = [*outcome.about, ("buckets compared", f"{compared.buckets:,}")]
    if compared.closed:
        about.append(("closed hours left out", f"{compared.closed:,}"))
    lines = "".join(f"<dt>{escape(what)}</dt><dd>{escape(value)}</dd>" for what, value in about)
    verdict = '<span class="verdict equal">nothing differs</span>'
    if not outcome.equal:
        verdict = f'<span class="verdict">{_counted(outcome)}</span>'
    return f"<h1>{escape(outcome.title)}</h1>\n<dl>{lines}</dl>\n{verdict}"


def _counted(outcome: Outcome) -> str:
    count = len(outcome.compared.differences)
    said = [f"{count:,} {'bucket differs' if count == 1 else 'buckets differ'}"]
    if outcome.effects:
        changed = sum(change.removed + change.added for change in outcome.effects)
        said.append(f"{changed:,} effects")
    return ", ".join(said)


# charts


def _charts(outcome: Outcome) -> Iterable[str]:
    series = _series(outcome)
    if not series:
        return
    yield (
        '<h2>By day</h2><div class="key">'
        f'<span class="before">{escape(outcome.before)}</span>'
        f'<span class="after">{escape(outcome.after)}</span>'
        '<span class="differs">they differ</span></div>'
    )
    differing = {(each.tenant, each.metric) for each in outcome.totals}
    same = [name for name in series if name not in differing]
    yield _cards(outcome, [(name, series[name]) for name in series if name in differing])
    if same:
        shown = "" if differing else " open"
        yield f"<details{shown}><summary>{len(same)} metrics without a difference</summary>"
        yield _cards(outcome, [(name, series[name]) for name in same])
        yield "</details>"


Series = tuple[tuple[str, str], list[Day]]


def _series(outcome: Outcome) -> dict[tuple[str, str], list[Day]]:
    """Return (tenant, metric) → its days, of the totals that any of the two folds has.

    Days are matched by date, each in the zone of its own fold: where another zone is what was
    asked about, the same date begins at another time.
    """
    found: dict[tuple[str, str], dict[str, Day]] = defaultdict(dict)
    for side, sums in enumerate(outcome.sums):
        for key, partial in sums.items():
            if key.grain == "day" and not key.dimension:
                _note(found[key.tenant, key.metric], outcome, side, key, partial)
    return {
        name: sorted(days.values(), key=lambda day: day.ms) for name, days in sorted(found.items())
    }


def _note(
    days: dict[str, Day], outcome: Outcome, side: int, key: MetricKey, partial: MetricPartial
) -> None:
    date = bucket_text(key.bucket_ms, "day", outcome.zones_of(key.tenant)[side])
    nothing, value = value_of(key.metric, _NOTHING), value_of(key.metric, partial)
    day = days.get(date, Day(key.bucket_ms, date, nothing, nothing))
    days[date] = day._replace(after=value) if side else day._replace(before=value)


def _cards(outcome: Outcome, series: Sequence[Series]) -> str:
    cards = "".join(_card(outcome, *each) for each in series)
    return f'<div class="cards">{cards}</div>'


def _card(outcome: Outcome, name: tuple[str, str], days: list[Day]) -> str:
    tenant, metric = name
    all_time = MetricKey(tenant, metric, "all", 0, "", "")
    before, after = (value_of(metric, side.get(all_time, _NOTHING)) for side in outcome.sums)
    names = (outcome.before, outcome.after)
    said = [_under_pointer(day, names) for day in days]
    return (
        f'<section class="card"><header><h3>{escape(metric)} '
        f'<span class="soft">{escape(tenant)}</span></h3>'
        f'<span class="total">{_change(before, after)} <span class="soft">{unit_of(metric)}</span>'
        f"</span></header>{drawing(days, names, said)}</section>"
    )


def _under_pointer(day: Day, names: tuple[str, str]) -> str:
    if not day.differs:
        return f"{day.name}: {number_text(day.before)}"
    by = (day.after or 0) - (day.before or 0)
    return (
        f"{day.name}\n{names[0]}: {number_text(day.before)}\n"
        f"{names[1]}: {number_text(day.after)} ({signed_text(by)})"
    )


def _change(before: float | None, after: float | None) -> str:
    by = (after or 0) - (before or 0)
    if before == after:
        return number_text(after)
    return f"{number_text(before)} → {number_text(after)} {_coloured(by)}"


def _coloured(by: float) -> str:
    return f'<span class="{"more" if by > 0 else "less"}">{signed_text(by)}</span>' if by else ""


# tables


def _effects(outcome: Outcome) -> Iterable[str]:
    if not outcome.effects:
        return
    rows = []
    for change in outcome.effects:
        examples = "<br>".join(escape(example_text(each)) for each in change.examples)
        rows.append(
            f"{_row(EFFECT_COLUMNS, effect_cells(change))[:-5]}"
            f'<td class="example">{examples}</td></tr>'
        )
    yield "<h2>Effects</h2>"
    yield _table("effects", [*EFFECT_COLUMNS, "examples"], rows, {})


def _buckets(outcome: Outcome) -> Iterable[str]:
    differences = outcome.compared.differences
    if not differences:
        return
    yield "<h2>Every bucket that differs</h2>"
    if len(differences) > MOST_ROWS:
        yield f'<p class="soft">The first {MOST_ROWS:,} of {len(differences):,}.</p>'
    yield '<input type="search" data-filters="buckets" placeholder="Filter: deals_won day 2026-03">'
    rows = [_row(BUCKET_COLUMNS, bucket_cells(outcome, each)) for each in differences[:MOST_ROWS]]
    names = {"before": outcome.before, "after": outcome.after}
    yield _table("buckets", BUCKET_COLUMNS, rows, names)


def _table(name: str, columns: Sequence[str], rows: Iterable[str], names: Mapping[str, str]) -> str:
    heads = "".join(
        f"<th{_class(column)}>{escape(names.get(column, column))}</th>" for column in columns
    )
    return (
        f'<div class="wide"><table id="{name}"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _row(columns: Sequence[str], cells: Sequence[str]) -> str:
    shown = (
        f"<td{_class(column)}>{escape(cell)}</td>"
        for column, cell in zip(columns, cells, strict=True)
    )
    return f"<tr>{''.join(shown)}</tr>"


def _class(column: str) -> str:
    return ' class="n"' if column in _NUMBERS else ""
