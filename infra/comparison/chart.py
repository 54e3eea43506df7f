"""Two series over days as one small drawing (SVG). Pure."""

from __future__ import annotations

from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 560, 150
LEFT, RIGHT, TOP, BOTTOM = 58, 8, 8, 22
LABELS = 4
DOTS_BELOW = 2


class Day(NamedTuple):
    """One day of both series.

    Args:
        ms: Its start, UTC ms: its place on the time axis.
        name: As people call it.
        before: Value in the fold compared with; None: no value.
        after: In the other one.
    """

    ms: int
    name: str
    before: float | None
    after: float | None

    @property
    def differs(self) -> bool:
        """Tell whether the two differ."""
        return self.before != self.after


def drawing(days: Sequence[Day], names: tuple[str, str], numbers: Sequence[str]) -> str:
    """Draw two lines over time, the days on which they differ shaded.

    Args:
        days: In order; at least one.
        names: Of the two series.
        numbers: What to say of each day under the pointer.
    """
    axes = _Axes(days)
    label = f"{names[0]} and {names[1]} by day"
    shapes = [
        *axes.grid(),
        *(axes.shade(day) for day in days if day.differs),
        axes.line([(day.ms, day.before) for day in days], "before"),
        axes.line([(day.ms, day.after) for day in days], "after"),
        *(axes.target(day, text) for day, text in zip(days, numbers, strict=True)),
    ]
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">'
        f"{''.join(shapes)}</svg>"
    )


class _Axes:
    """Where values and times lie in the drawing."""

    def __init__(self, days: Sequence[Day]) -> None:
        values = [v for day in days for v in (day.before, day.after) if v is not None] or [0.0]
        self._days = days
        self._low, self._high = min(0, *values), max(0, *values)
        if self._low == self._high:
            self._high = self._low + 1
        self._first, self._last = days[0].ms, days[-1].ms
        gaps = [later.ms - day.ms for day, later in pairwise(days)]
        self._gap = min(gaps, default=86_400_000)

    def x(self, ms: int) -> float:
        """Return the place of a day's middle; a single day lies in the middle."""
        span = self._last - self._first + self._gap
        return LEFT + (ms - self._first + self._gap / 2) / span * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Return the height of a value."""
        share = (value - self._low) / (self._high - self._low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    def grid(self) -> list[str]:
        """Return the horizontal lines with their values, and some dates."""
        shapes = []
        for value in sorted({self._low, (self._low + self._high) / 2, self._high, 0}):
            y = self.y(value)
            kind = "zero" if value == 0 else "rule"
            shapes.append(
                f'<line class="{kind}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
                f'<text x="{LEFT - 6}" y="{y + 3.5:.1f}" text-anchor="end">{_short(value)}</text>'
            )
        step = max(1, len(self._days) // LABELS)
        for place, day in enumerate(self._days[::step]):
            anchor = "start" if place == 0 and len(self._days) > 1 else "middle"
            x = min(self.x(day.ms), WIDTH - 34)
            shapes.append(
                f'<text x="{x:.1f}" y="{HEIGHT - 6}" text-anchor="{anchor}">'
                f"{escape(day.name[:10])}</text>"
            )
        return shapes

    def line(self, points: Sequence[tuple[int, float | None]], kind: str) -> str:
        """Return one series; a day without a value interrupts it."""
        path, drawn, pen = [], 0, "M"
        for ms, value in points:
            if value is None:
                pen = "M"
                continue
            path.append(f"{pen}{self.x(ms):.1f},{self.y(value):.1f}")
            pen, drawn = "L", drawn + 1
        found = f'<path class="{kind}" d="{"".join(path)}"/>'
        if drawn < DOTS_BELOW:  # a line needs two points; one is a dot
            found += "".join(
                f'<circle class="{kind}" cx="{self.x(ms):.1f}" cy="{self.y(value):.1f}" r="3"/>'
                for ms, value in points
                if value is not None
            )
        return found

    def shade(self, day: Day) -> str:
        """Return the band that says: here they differ."""
        return self._band(day, "differs", "")

    def target(self, day: Day, text: str) -> str:
        """Return the invisible band that shows a day's numbers under the pointer."""
        return self._band(day, "target", f"<title>{escape(text)}</title>")

    def _band(self, day: Day, kind: str, inside: str) -> str:
        span = self._last - self._first + self._gap
        wide = max(2.0, self._gap / span * (WIDTH - LEFT - RIGHT))
        return (
            f'<rect class="{kind}" x="{self.x(day.ms) - wide / 2:.1f}" y="{TOP}" '
            f'width="{wide:.1f}" height="{HEIGHT - TOP - BOTTOM}">{inside}</rect>'
        )


def _short(value: float) -> str:
    """Return a number of at most five characters or so.

    >>> [_short(v) for v in (0, 0.25, 950, 12500, 3_400_000)]
    ['0', '0.25', '950', '12.5k', '3.4M']
    """
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"
