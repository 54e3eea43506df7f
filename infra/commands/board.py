"""The demo's live view: what is imported, what is simulated, and the figures as they move."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from infra.commands.output import note
from infra.commands.totals import current
from schemas.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import redis

FIGURES = (
    ("leads", "leads_created"),
    ("deals", "deals_created"),
    ("open", "open_deals"),
    ("won", "deals_won"),
    ("amount", "won_amount"),
    ("rate", "win_rate"),
    ("sent", "messages_sent"),
    ("overdue", "tasks_overdue"),
)
THOUSAND, MILLION = 1_000, 1_000_000
REFRESH_S = 0.5
PLAIN_S = 5.0
"""How often a line appears where no terminal can show a moving view."""


class Money(NamedTuple):
    """How a tenant's money is written."""

    currency: str
    minor: int


@dataclass(slots=True)
class Board:
    """What the demo's thread reports; the view reads it.

    Args:
        stages: Stage → (done, total), in the order they began.
        simulated: Events of the simulation so far.
        behind_s: How late it is, s.
    """

    stages: dict[str, tuple[int, int]] = field(default_factory=dict)
    simulated: int = 0
    behind_s: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def stage(self, name: str, done: int, total: int) -> None:
        """Note how far a stage is."""
        with self._lock:
            self.stages[name] = (done, total)

    def traffic(self, count: int, behind_s: float) -> None:
        """Note how far the simulation is."""
        self.simulated, self.behind_s = count, behind_s

    def latest(self) -> dict[str, tuple[int, int]]:
        """Return the stages reported so far."""
        with self._lock:
            return dict(self.stages)


def watch(
    board: Board,
    client: redis.Redis,
    generation: int,
    tenants: Mapping[str, Money],
    finished: Callable[[], bool],
) -> None:
    """Show the board until `finished`; moves on a terminal, else a line now and then.

    Args:
        board: What is reported.
        client: Valkey.
        generation: Whose figures.
        tenants: Tenant → how its money is written.
        finished: Asked twice a second.
    """
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        _plain(board, finished)
        return
    figures = Figures(client, generation, tenants)
    with Live(console=console, refresh_per_second=4) as live:
        while not finished():
            live.update(_view(board, figures))
            time.sleep(REFRESH_S)
        live.update(_view(board, figures))


@dataclass(slots=True)
class Figures:
    """The tenants' figures as they were last seen.

    Args:
        client: Valkey.
        generation: Whose figures.
        tenants: Tenant → how its money is written.
        rows: Tenant → one cell per figure.
        away: Whether the last look found nobody; the rows are then older.
    """

    client: redis.Redis
    generation: int
    tenants: Mapping[str, Money]
    rows: dict[str, list[str]] = field(default_factory=dict)
    away: bool = False

    def look(self) -> None:
        """Read all figures again; keeps those there are while Valkey is away."""
        try:
            self.rows = {
                tenant: [self._figure(tenant, metric, money) for _, metric in FIGURES]
                for tenant, money in self.tenants.items()
            }
        except Unavailable:
            self.away = True
        else:
            self.away = False

    def _figure(self, tenant: str, metric: str, money: Money) -> str:
        value = dict(current(self.client, self.generation, tenant, metric)).get("")
        if value is None:
            return "-"
        if metric == "won_amount":
            return f"{_short(value / money.minor)} {money.currency}"
        return f"{value:.0%}" if metric == "win_rate" else f"{value:,.0f}"


def _plain(board: Board, finished: Callable[[], bool]) -> None:
    said, said_at = "", time.monotonic()
    while not finished():
        time.sleep(REFRESH_S)
        line = _status(board)
        if line != said and time.monotonic() - said_at >= PLAIN_S:
            note(line)
            said, said_at = line, time.monotonic()


def _view(board: Board, figures: Figures) -> Group:
    figures.look()
    table = Table(show_edge=False, pad_edge=False)
    table.add_column("tenant", no_wrap=True)
    for title, _ in FIGURES:
        table.add_column(title, justify="right", no_wrap=True)
    for tenant, cells in figures.rows.items():
        table.add_row(tenant, *cells)
    foot = "Valkey is away: figures as last seen  ·  Ctrl-C ends" if figures.away else "Ctrl-C ends"
    return Group(Text(_status(board)), table, Text(foot, style="dim"))


def _status(board: Board) -> str:
    stages = board.latest()
    parts = []
    if stages:
        name, (done, total) = list(stages.items())[-1]
        parts.append(f"{name} {done:,}/{total:,}")
    if board.simulated:
        late = f", {board.behind_s:.1f} s behind" if board.behind_s > 1 else ""
        parts.append(f"simulated: {board.simulated:,} events{late}")
    return "  ·  ".join(parts) or "starting"


def _short(amount: float) -> str:
    """Return an amount of money in a few characters.

    >>> _short(10_005_534), _short(45_900), _short(800)
    ('10.01M', '45.9k', '800')
    """
    if abs(amount) >= MILLION:
        return f"{amount / MILLION:.2f}M"
    return f"{amount / THOUSAND:.1f}k" if abs(amount) >= 10 * THOUSAND else f"{amount:,.0f}"
