"""An interrupted run goes on; figures of different sizes are never mixed."""

import json
from pathlib import Path

from benchmarks.figures import Section
from benchmarks.results import Results

NAMES = ("a", "b")


def opened(path: Path, *, quick: bool = False, fresh: bool = False) -> Results:
    """Open the results of a run with the sections a and b."""
    return Results.open(path, quick=quick, names=NAMES, fresh=fresh)


def add(results: Results, name: str, title: str = "") -> None:
    """Keep an empty section."""
    results.add(Section(name, title, "records"), 1.0, NAMES)


def test_interrupted_run_goes_on_with_what_is_missing(tmp_path: Path) -> None:
    """What was measured before the interruption is kept."""
    path = tmp_path / "deep" / "results.json"
    add(opened(path), "b")
    again = opened(path)
    assert again.missing(NAMES) == ["a"]
    add(again, "a")
    names = [each["name"] for each in json.loads(path.read_text(encoding="utf8"))["sections"]]
    assert names == ["a", "b"]


def test_complete_file_is_measured_again(tmp_path: Path) -> None:
    """`make bench` after a whole run begins a new one."""
    path = tmp_path / "results.json"
    results = opened(path)
    add(results, "a")
    add(results, "b")
    assert opened(path).missing(NAMES) == ["a", "b"]


def test_small_and_full_sizes_are_not_mixed(tmp_path: Path) -> None:
    """A quick look doesn't end up among published figures."""
    path = tmp_path / "results.json"
    add(opened(path, quick=True), "a")
    assert opened(path).missing(NAMES) == ["a", "b"]
    assert opened(path, quick=True).missing(NAMES) == ["b"]
    assert opened(path, quick=True, fresh=True).missing(NAMES) == ["a", "b"]


def test_section_measured_again_replaces_the_older_one(tmp_path: Path) -> None:
    """One section per name, the newest."""
    path = tmp_path / "results.json"
    results = opened(path)
    add(results, "a", "old")
    add(results, "a", "new")
    (section,) = json.loads(path.read_text(encoding="utf8"))["sections"]
    assert section["title"] == "new"
