"""Reading a pipeline's files: every bad row is found, by file and line, and nothing else."""

import pytest

from infra.pipeline_import.reading import read
from infra.pipeline_import.rows import ACCOUNTS, FILES, PIPELINE, PRODUCTS, TEAMS

HEADER = "opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value"
GOOD = "D1,Ada,Desk,Acme,Won,1/2/2017,1/3/2017,10"
FIXED = {
    ACCOUNTS: "account,sector,year_established,revenue,employees,office_location,subsidiary_of\n"
    "Acme,retail,1999,1.5,10,Kenya,\n",
    PRODUCTS: "product,series,sales_price\nDesk,D,55\n",
    TEAMS: "sales_agent,manager,regional_office\nAda,Grace,East\n",
}


def _texts(*rows: str) -> dict[str, str]:
    return {**FIXED, PIPELINE: "\n".join((HEADER, *rows)) + "\n"}


def test_a_good_row_is_a_deal() -> None:
    """Dates, money in cents and names are read as they are meant."""
    pipeline = read(_texts(GOOD))
    (deal,) = pipeline.opportunities
    assert pipeline.bad == ()
    assert (deal.id, deal.stage, deal.value_minor) == ("D1", "won", 1000)
    assert str(deal.engaged) == "2017-01-02"
    assert pipeline.accounts[0].revenue_minor == 150_000_000


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (",Ada,Desk,Acme,Won,1/2/2017,1/3/2017,10", "opportunity_id is empty"),
        ("D1,Bob,Desk,Acme,Won,1/2/2017,1/3/2017,10", "agent 'Bob'"),
        ("D1,Ada,Chair,Acme,Won,1/2/2017,1/3/2017,10", "product 'Chair'"),
        ("D1,Ada,Desk,Nope,Won,1/2/2017,1/3/2017,10", "account 'Nope'"),
        ("D1,Ada,Desk,Acme,Parked,1/2/2017,1/3/2017,10", "unknown stage 'Parked'"),
        ("D1,Ada,Desk,Acme,Won,2017-01-02,1/3/2017,10", "is not month/day/year"),
        ("D1,Ada,Desk,Acme,Won,13/2/2017,1/3/2017,10", "is not month/day/year"),
        ("D1,Ada,Desk,Acme,Won,1/4/2017,1/3/2017,10", "before it was engaged"),
        ("D1,Ada,Desk,Acme,Won,,1/3/2017,10", "lacks engage_date"),
        ("D1,Ada,Desk,Acme,Prospecting,1/2/2017,,", "has engage_date"),
        ("D1,Ada,Desk,Acme,Won,1/2/2017,,10", "lacks close_date"),
        ("D1,Ada,Desk,Acme,Engaging,1/2/2017,1/3/2017,", "has close_date"),
        ("D1,Ada,Desk,Acme,Won,1/2/2017,1/3/2017,", "close_value"),
        ("D1,Ada,Desk,Acme,Engaging,1/2/2017,,7", "close_value"),
        ("D1,Ada,Desk,Acme,Won,1/2/2017,1/3/2017,ten", "is not a number"),
        ("D1,Ada,Desk,Acme,Won,1/2/2017,1/3/2017,NaN", "is not an amount"),
        ("D1,Ada,Desk,Acme,Won,1/2/2017,1/3/2017,-1", "is not an amount"),
        ("D1,Ada,Desk,Acme,Won,1/2/2017,1/3/2017,0.001", "is not an amount"),
        ("D1,Ada,Desk", "another number of cells"),
        (GOOD + ",extra", "another number of cells"),
    ],
)
def test_a_bad_row_is_reported_with_its_line_and_left_out(row: str, problem: str) -> None:
    """Each kind of damage is named, with the line, and the row gives no deal."""
    pipeline = read(_texts("D0,Ada,Desk,,Prospecting,,,", row))
    (bad,) = pipeline.bad
    assert (bad.file, bad.line) == (PIPELINE, 3)
    assert problem in bad.problem
    assert bad.text().startswith("sales_pipeline.csv:3: ")
    assert [deal.id for deal in pipeline.opportunities] == ["D0"]


def test_an_opportunity_may_occur_once() -> None:
    """The second row with the same key is bad: it would be the same deal."""
    (bad,) = read(_texts(GOOD, GOOD)).bad
    assert bad.problem == "opportunity D1 occurs twice"


def test_bad_reference_rows_are_found_too() -> None:
    """An unknown country and an unreadable number are bad rows of the accounts."""
    texts = _texts(GOOD.replace("Acme", ""))
    texts[ACCOUNTS] += "Far,retail,1999,1,10,Atlantis,\nOdd,retail,then,1,10,Kenya,\n"
    assert [(bad.file, bad.line) for bad in read(texts).bad] == [(ACCOUNTS, 3), (ACCOUNTS, 4)]


@pytest.mark.parametrize("file", FILES)
def test_a_missing_column_is_named(file: str) -> None:
    """A file with another header gives one bad row, its line 1."""
    texts = _texts(GOOD)
    texts[file] = "something,else\n1,2\n"
    bad = [row for row in read(texts).bad if row.file == file]
    assert [row.line for row in bad] == [1]
    assert "no column" in bad[0].problem


def test_what_follows_an_unclosed_quote_is_not_read_as_rows() -> None:
    """A cell that never ends makes its row bad instead of a deal."""
    pipeline = read(_texts(GOOD, 'D2,"Ada,Desk,Acme,Won,1/2/2017,1/3/2017,10'))
    assert [deal.id for deal in pipeline.opportunities] == ["D1"]
    assert len(pipeline.bad) == 1
