"""Text of the four CSV files → rows, every problem with its line. Pure."""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from infra.pipeline_import.rows import (
    ACCOUNTS,
    ENGAGING,
    LOST,
    PIPELINE,
    PRODUCTS,
    PROSPECTING,
    STAGES,
    TEAMS,
    WON,
    Account,
    Agent,
    BadRow,
    Opportunity,
    Pipeline,
    Product,
)

COLUMNS = {
    ACCOUNTS: (
        "account",
        "sector",
        "year_established",
        "revenue",
        "employees",
        "office_location",
        "subsidiary_of",
    ),
    PRODUCTS: ("product", "series", "sales_price"),
    TEAMS: ("sales_agent", "manager", "regional_office"),
    PIPELINE: (
        "opportunity_id",
        "sales_agent",
        "product",
        "account",
        "deal_stage",
        "engage_date",
        "close_date",
        "close_value",
    ),
}
PRODUCT_SPELLINGS = {"GTXPro": "GTX Pro"}
SECTOR_SPELLINGS = {"technolgy": "technology"}
COUNTRIES = {
    "Belgium": "BE",
    "Brazil": "BR",
    "China": "CN",
    "Germany": "DE",
    "Italy": "IT",
    "Japan": "JP",
    "Jordan": "JO",
    "Kenya": "KE",
    "Korea": "KR",
    "Norway": "NO",
    "Panama": "PA",
    "Philipines": "PH",
    "Poland": "PL",
    "Romania": "RO",
    "United States": "US",
}
MISSPELT_COUNTRIES = {"Philipines": "Philippines"}
CENTS = 100
MILLION = 1_000_000

Row = Mapping[str, str]
Parsed = TypeVar("Parsed")


class _RowError(ValueError):
    """What is wrong with the row at hand."""


@dataclass(slots=True)
class _Findings:
    bad: list[BadRow] = field(default_factory=list)
    corrections: Counter[str] = field(default_factory=Counter)


def read(texts: Mapping[str, str]) -> Pipeline:
    """Read the four files and check each row against the others.

    Args:
        texts: File name → content. A file left out counts as empty, which shows as a bad header.

    Returns:
        All rows in file order; a row with any problem is in `bad` and nowhere else.
    """
    found = _Findings()
    accounts = tuple(_parse(ACCOUNTS, texts, lambda row: _account(row, found), found))
    products = tuple(_parse(PRODUCTS, texts, _product, found))
    agents = tuple(_parse(TEAMS, texts, _agent, found))
    check = _Known({a.name for a in agents}, {p.name for p in products}, {a.name for a in accounts})
    opportunities = tuple(
        _parse(PIPELINE, texts, lambda row: _opportunity(row, check, found), found)
    )
    return Pipeline(
        accounts, products, agents, opportunities, dict(found.corrections), tuple(found.bad)
    )


@dataclass(slots=True)
class _Known:
    agents: set[str]
    products: set[str]
    accounts: set[str]
    seen: set[str] = field(default_factory=set)


def _parse(
    file: str, texts: Mapping[str, str], parse: Callable[[Row], Parsed], found: _Findings
) -> Iterator[Parsed]:
    reader = csv.DictReader(io.StringIO(texts.get(file, ""), newline=""))
    missing = [c for c in COLUMNS[file] if c not in (reader.fieldnames or ())]
    if missing:
        found.bad.append(BadRow(file, 1, f"no column {', '.join(missing)}"))
        return
    try:
        for row in reader:
            try:
                parsed = parse(_stripped(row))
            except _RowError as wrong:
                found.bad.append(BadRow(file, reader.line_num, str(wrong)))
            else:
                yield parsed
    except csv.Error as error:  # an unclosed quote or an endless cell: nothing after it is a row
        found.bad.append(BadRow(file, reader.line_num, f"not CSV from here on: {error}"))


def _stripped(row: Mapping[str | None, object]) -> Row:
    cells = {name: cell.strip() for name, cell in row.items() if name and isinstance(cell, str)}
    if len(cells) != len(row):
        raise _RowError("has another number of cells than the header")
    return cells


def _account(row: Row, found: _Findings) -> Account:
    country = COUNTRIES.get(row["office_location"])
    if country is None:
        raise _RowError(f"unknown country {row['office_location']!r}")
    account = Account(
        name=_text(row, "account"),
        sector=SECTOR_SPELLINGS.get(row["sector"], row["sector"]),
        country=country,
        employees=_whole(row, "employees"),
        revenue_minor=_money(row, "revenue", MILLION * CENTS),
        established=_whole(row, "year_established"),
        parent=row["subsidiary_of"],
    )
    for spelling, right in (
        (row["sector"], SECTOR_SPELLINGS.get(row["sector"])),
        (row["office_location"], MISSPELT_COUNTRIES.get(row["office_location"])),
    ):
        if right:
            found.corrections[f"{spelling} → {right}"] += 1
    return account


def _product(row: Row) -> Product:
    return Product(_text(row, "product"), row["series"], _money(row, "sales_price", CENTS))


def _agent(row: Row) -> Agent:
    return Agent(_text(row, "sales_agent"), _text(row, "manager"), _text(row, "regional_office"))


def _opportunity(row: Row, known: _Known, found: _Findings) -> Opportunity:
    identity = _text(row, "opportunity_id")
    if identity in known.seen:
        raise _RowError(f"opportunity {identity} occurs twice")
    product = PRODUCT_SPELLINGS.get(row["product"], row["product"])
    stage = row["deal_stage"].lower()
    if row["sales_agent"] not in known.agents:
        raise _RowError(f"agent {row['sales_agent']!r} is not in {TEAMS}")
    if product not in known.products:
        raise _RowError(f"product {product!r} is not in {PRODUCTS}")
    if row["account"] and row["account"] not in known.accounts:
        raise _RowError(f"account {row['account']!r} is not in {ACCOUNTS}")
    if stage not in STAGES:
        raise _RowError(f"unknown stage {row['deal_stage']!r}")
    engaged, closed = _date(row, "engage_date"), _date(row, "close_date")
    _check_dates(stage, engaged, closed)
    if bool(row["close_value"]) != (stage in {WON, LOST}):
        raise _RowError(f"a deal in stage {stage} has close_value {row['close_value']!r}")
    known.seen.add(identity)
    if product != row["product"]:
        found.corrections[f"{row['product']} → {product}"] += 1
    return Opportunity(
        id=identity,
        agent=row["sales_agent"],
        product=product,
        account=row["account"],
        stage=stage,
        engaged=engaged,
        closed=closed,
        value_minor=_money(row, "close_value", CENTS) if row["close_value"] else None,
    )


def _check_dates(stage: str, engaged: date | None, closed: date | None) -> None:
    if (engaged is None) != (stage == PROSPECTING):
        raise _RowError(
            f"a deal in stage {stage} {'lacks' if engaged is None else 'has'} engage_date"
        )
    if (closed is None) != (stage in {PROSPECTING, ENGAGING}):
        raise _RowError(
            f"a deal in stage {stage} {'lacks' if closed is None else 'has'} close_date"
        )
    if engaged and closed and closed < engaged:
        raise _RowError(f"closed {closed} before it was engaged {engaged}")


def _text(row: Row, column: str) -> str:
    if not row[column]:
        raise _RowError(f"{column} is empty")
    return row[column]


def _whole(row: Row, column: str) -> int:
    if not row[column].isascii() or not row[column].isdigit():
        raise _RowError(f"{column} {row[column]!r} is not a whole number")
    return int(row[column])


def _money(row: Row, column: str, factor: int) -> int:
    """Return the amount times `factor`; fractions of a cent are a problem, not rounded away."""
    try:
        amount = Decimal(row[column]) * factor
    except InvalidOperation:
        raise _RowError(f"{column} {row[column]!r} is not a number") from None
    if not amount.is_finite() or amount < 0 or amount != int(amount):
        raise _RowError(f"{column} {row[column]!r} is not an amount of money")
    return int(amount)


def _date(row: Row, column: str) -> date | None:
    if not row[column]:
        return None
    try:
        return datetime.strptime(row[column], "%m/%d/%Y").date()  # noqa: DTZ007 - a calendar date
    except ValueError:
        raise _RowError(f"{column} {row[column]!r} is not month/day/year") from None
