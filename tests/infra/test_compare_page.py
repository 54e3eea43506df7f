"""Laws of what people and programs see of a comparison."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from infra.commands.comparing import show
from infra.comparison.buckets import Choice, Sums, compare
from infra.comparison.effects import EffectChange
from infra.comparison.outcome import Outcome
from infra.comparison.page import page
from schemas.derived.metric import MetricKey, MetricPartial
from schemas.errors import ConfigurationError
from tests.streams.journal_builder import ms

HOSTILE = '<script>alert("x")</script>'
VOID = {"meta", "input", "br", "line", "rect", "path", "circle"}


def key(at: str, metric: str = "deals_won", *, by: str = "") -> MetricKey:
    """Return a day of acme; `by` is a region."""
    return MetricKey("acme", metric, "day", ms(at), "region" if by else "", by)


def sums(values: dict[MetricKey, int]) -> Sums:
    """Return buckets that count."""
    return {each: MetricPartial(1, 1, n, n, 1, 1, []) for each, n in values.items()}


def outcome(
    before: dict[MetricKey, int],
    after: dict[MetricKey, int],
    zones: tuple[str, str] = ("UTC", "UTC"),
    effects: list[EffectChange] | None = None,
) -> Outcome:
    """Compare two sets of buckets of acme."""
    both = sums(before), sums(after)
    compared = compare(*both, Choice())
    about = [("journal", "7 entries")]
    return Outcome(
        "Two folds", "one", "other", about, {0: 7}, compared, both, {"acme": zones}, effects
    )


def notified(subject: str) -> EffectChange:
    """Return a notification that one of the folds doesn't send."""
    example = {"change": "removed", "subject": subject, "time_ms": 0, "to": ["ann", "max"]}
    return EffectChange("acme", "action", "notify", 1, 0, [example])


class Reader(HTMLParser):
    """Reads a page as a browser does: its text, its elements, and what it would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.text: list[str] = []
        self.fetched: list[str] = []
        self.depth: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element, and an address it names."""
        self.seen.append(f"{tag}.{dict(attrs).get('class') or ''}")
        self.fetched += [value or "" for name, value in attrs if name in {"src", "href"}]
        if tag not in VOID:
            self.depth.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close an element; a page that closes another one isn't well-formed."""
        if tag not in VOID:
            assert self.depth.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text.append(data)


def test_the_page_needs_nothing_from_elsewhere() -> None:
    """No font, script, style or picture is fetched, so it can be kept and sent."""
    text = page(outcome({key("2026-03-02"): 1}, {key("2026-03-02"): 2}))
    read = Reader(text)
    assert (read.fetched, read.depth) == ([], [])
    assert not re.search(r"https?://|@import|url\(", text)


def test_names_from_events_are_text_on_the_page() -> None:
    """A member may hold any character; none of them becomes markup."""
    one = outcome({key("2026-03-02", by=HOSTILE): 1}, {}, effects=[notified(HOSTILE)])
    read = Reader(page(one))
    assert read.seen.count("script.") == 1
    assert f"region {HOSTILE}" in read.text


def test_days_that_differ_are_shaded_and_metrics_that_do_not_are_put_away() -> None:
    """One of two days differs; the other metric is folded away."""
    days = {key("2026-03-02"): 1, key("2026-03-03"): 2, key("2026-03-02", "tasks_created"): 4}
    read = Reader(page(outcome(days, {**days, key("2026-03-03"): 5})))
    assert read.seen.count("rect.differs") == 1
    assert read.seen.count("section.card") == 2
    assert "1 metrics without a difference" in read.text


def test_days_are_matched_by_date_in_the_zone_of_each_fold() -> None:
    """Another zone: the same date begins at another time, and is one day of the drawing."""
    other = outcome(
        {key("2026-03-02"): 3}, {key("2026-03-02T05:00"): 3}, ("UTC", "America/New_York")
    )
    read = Reader(page(other))
    assert read.seen.count("rect.target") == 1
    assert "2026-03-02: 3" in read.text
    assert [other.bucket(each.key) for each in other.compared.differences] == [
        "2026-03-02",
        "2026-03-02 America/New_York",
    ]


def test_a_day_of_no_known_zone_is_shown_by_its_time() -> None:
    """The tenant's zone was another one when it was counted."""
    assert outcome({}, {}).bucket(key("2026-03-02T09:00")) == "2026-03-02T09:00+00:00"


def test_nothing_that_differs_is_said_so() -> None:
    """Equal folds have no table, and the page says it."""
    days = {key("2026-03-02"): 1}
    read = Reader(page(outcome(days, days)))
    assert "nothing differs" in read.text
    assert "table." not in read.seen


def test_lists_are_cut_where_asked_and_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    """A person sees the first ones and how many more there are."""
    days = {key(f"2026-03-{day:02d}"): day for day in range(1, 10)}
    show(outcome(days, {}, effects=[notified("contact/7")]), as_json=False, html=None, limit=2)
    said = capsys.readouterr().out
    assert "… and 7 more" in said
    assert "notify - 1970-01-01T00:00:00Z contact/7: to ann and max" in said


def test_json_holds_every_difference_unless_a_limit_is_given(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Programs get all of it, in the order people do."""
    days = {key(f"2026-03-{day:02d}"): day for day in range(1, 10)}
    for limit, shown in ((None, 9), (2, 2)):
        show(outcome(days, {}), as_json=True, html=None, limit=limit)
        said = json.loads(capsys.readouterr().out)
        assert (said["equal"], said["differing"], len(said["differences"])) == (False, 9, shown)
    assert said["differences"][0]["bucket"] == "2026-03-01"
    assert (said["totals"][0]["days"], said["cuts"]) == (9, {"0": 7})


def test_page_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    """The option is named, not a stack of calls."""
    with pytest.raises(ConfigurationError, match=r"--html: can't write"):
        show(outcome({}, {}), as_json=False, html=tmp_path / "no" / "page.html", limit=None)
