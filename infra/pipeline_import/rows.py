"""The rows of a pipeline's four files, as typed values."""

from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

ACCOUNTS, PRODUCTS, TEAMS, PIPELINE = (
    "accounts.csv",
    "products.csv",
    "sales_teams.csv",
    "sales_pipeline.csv",
)
FILES = (ACCOUNTS, PRODUCTS, TEAMS, PIPELINE)

PROSPECTING, ENGAGING, WON, LOST = "prospecting", "engaging", "won", "lost"
STAGES = (PROSPECTING, ENGAGING, WON, LOST)


class BadRow(NamedTuple):
    """One row that can't be imported.

    Args:
        file: Its file's name.
        line: Line in that file, from 1; the header is line 1.
        problem: One sentence.
    """

    file: str
    line: int
    problem: str

    def text(self) -> str:
        """Return `file:line: problem`, the way compilers say it."""
        return f"{self.file}:{self.line}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Account:
    """A company.

    Args:
        name: As in the file; the opportunities name it so.
        sector: Spelling corrected.
        country: ISO 3166-1 alpha-2.
        employees: Head count.
        revenue_minor: Yearly, US cents.
        established: Year.
        parent: Name of the parent company or empty.
    """

    name: str
    sector: str
    country: str
    employees: int
    revenue_minor: int
    established: int
    parent: str


@dataclass(frozen=True, slots=True)
class Product:
    """Something sold; `list_price_minor` in US cents."""

    name: str
    series: str
    list_price_minor: int


@dataclass(frozen=True, slots=True)
class Agent:
    """A sales agent with manager and regional office, by their names."""

    name: str
    manager: str
    region: str


@dataclass(frozen=True, slots=True)
class Opportunity:
    """A deal as the file shows it at its end.

    Args:
        id: The file's own key.
        agent: Name.
        product: Name of a product of the catalogue.
        account: Name of an account, or empty: the file doesn't know.
        stage: One of `STAGES`.
        engaged: None while prospecting.
        closed: Only when won or lost.
        value_minor: What it closed for, US cents; None while open.
    """

    id: str
    agent: str
    product: str
    account: str
    stage: str
    engaged: date | None
    closed: date | None
    value_minor: int | None


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Everything readable of the four files.

    Args:
        corrections: What was put right → number of rows, for the summary.
        bad: Rows left out.
    """

    accounts: tuple[Account, ...]
    products: tuple[Product, ...]
    agents: tuple[Agent, ...]
    opportunities: tuple[Opportunity, ...]
    corrections: dict[str, int] = field(default_factory=dict)
    bad: tuple[BadRow, ...] = ()
