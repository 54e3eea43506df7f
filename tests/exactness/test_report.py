"""Reports as tables: written between the markers of the page, the rest left alone."""

from typing import Any

from tests.exactness.report import BEGIN, END, kills, rendered, summary

REPORT: dict[str, Any] = {
    "seed": 11,
    "events": 200_000,
    "seconds": 700,
    "faults": {"kill kafka": 2, "kill worker-0": 3, "kill worker-1": 1, "clock all": 1},
    "processes": {"worker-0": {"starts": 5, "codes": {"-9": 3, "70": 1, "0": 1}},
                  "worker-1": {"starts": 2, "codes": {"-9": 1, "0": 1}}},
    "zombies": {"worker stopped": 1},
    "compared": {"effects": 1_234},
    "differences": [],
    "unexpected_ends": [],
    "equal": True,
}  # fmt: skip


def test_kills_are_those_that_hit() -> None:
    """Our processes' by how they ended, the engines' by what was sent."""
    assert kills(REPORT) == 6


def test_page_gets_its_tables_anew() -> None:
    """What is around the markers stays; what was between them goes."""
    page = f"# Reliability\n\n{BEGIN}\nstale\n{END}\nafter\n"
    once = rendered(page, [REPORT])
    assert "stale" not in once
    assert once.startswith("# Reliability")
    assert once.endswith(f"{END}\nafter\n")
    assert "| kill worker | 4 |" in once
    assert rendered(once, [REPORT]) == once


def test_summary_says_what_went_wrong() -> None:
    """A difference and an unexplained end are told in full."""
    wrong = REPORT | {"differences": ["effects: 1 missing"], "equal": False,
                      "unexpected_ends": ["sink-0: exit code -11"]}  # fmt: skip
    said = summary(wrong)
    assert "DIFFERENCE: effects: 1 missing" in said
    assert "UNEXPECTED: sink-0: exit code -11" in said
    assert said.endswith("NOT EQUAL")
    assert summary(REPORT).endswith("\n\nEQUAL")
