"""The table of `make prove` stays true: its texts are in the code, its tests exist."""

from pathlib import Path

import pytest

from tests.exactness.prove.mutation import Mutation, apply, one, problems
from tests.exactness.prove.overrides import OVERRIDES
from tests.exactness.prove.protections import PROTECTIONS
from tests.exactness.prove.table import MUTATIONS, rows

ROOT = Path(__file__).parents[2]


def test_every_mutation_can_be_applied_and_names_tests_that_exist() -> None:
    """Whoever changes a protection changes its row; a row that fits nothing proves nothing."""
    assert list(problems(ROOT, MUTATIONS)) == []


def test_page_shows_every_protection() -> None:
    """What is published is what is proved; `python -m tests.exactness.prove --tables` prints it."""
    page = (ROOT / "docs" / "reliability-proofs.md").read_text(encoding="utf8")
    for table in (OVERRIDES, PROTECTIONS):
        assert rows(table) in page


def test_table_that_does_not_fit_is_named(tmp_path: Path) -> None:
    """A text that is gone, a test that doesn't exist and a name used twice are all found."""
    (tmp_path / "code.py").write_text("x = 1\n")
    (tmp_path / "test_code.py").write_text("def test_x() -> None: ...\n")
    gone = Mutation("a", "", one("code.py", "x = 2", "x = 3"), ("test_code.py::test_x",))
    tested = Mutation("a", "", one("code.py", "x = 1", "x = 3"), ("test_code.py::test_y[1]",))
    assert list(problems(tmp_path, [gone, tested])) == [
        "a: text found 0 times in code.py",
        "a: twice in the table",
        "a: no test test_code.py::test_y[1]",
    ]


def test_mutation_changes_its_text_and_nothing_else(tmp_path: Path) -> None:
    """What it doesn't find once it doesn't guess."""
    (tmp_path / "code.py").write_text("x = 1\ny = 1\n")
    mutation = Mutation("a", "", one("code.py", "x = 1", "x = 3"), ())
    apply(tmp_path, mutation)
    assert (tmp_path / "code.py").read_text() == "x = 3\ny = 1\n"
    with pytest.raises(ValueError, match="doesn't hold its text once"):
        apply(tmp_path, mutation)
