"""What the documentation's examples may change, and how it is put back."""

from collections.abc import Callable

import pytest

from streams.domain import fold
from streams.domain.metrics import record
from streams.domain.metrics.catalogue import METRICS, Metric
from streams.domain.module import Module


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Callable[[object], None]:
    """Return a function that adds a module or a metric to the fold until the test ends."""

    def add(thing: object) -> None:
        if isinstance(thing, Module):
            monkeypatch.setattr(fold, "MODULES", (*fold.MODULES, thing))
            monkeypatch.setattr(fold, "_STEPS", fold._steps())  # noqa: SLF001 - what registering does
            for name, firing in thing.timers.items():
                monkeypatch.setitem(fold._TIMERS, name, firing)  # noqa: SLF001 - same
        elif isinstance(thing, Metric):
            assert thing.name not in METRICS, f"{thing.name} exists; take another example"
            monkeypatch.setattr(record, "METRICS", {**METRICS, thing.name: thing})
            monkeypatch.setattr(record, "_PLAN", record._by_fact())  # noqa: SLF001 - same

    return add
