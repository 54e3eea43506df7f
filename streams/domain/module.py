"""How a domain module plugs into the fold; docs/development/add-a-module.md shows one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from schemas.events import Event
from streams.domain.turn import Turn

AnEvent = TypeVar("AnEvent", bound=Event)
Step = Callable[[Turn, Any], None]
Firing = Callable[[Turn, str], None]


@dataclass(frozen=True, slots=True)
class Module:
    """A part of the domain: which events it folds, which of its timers it answers.

    Args:
        name: For people and telemetry.
        steps: (event type, step) pairs made by `on`; several modules may fold the same event, in
            the order of `fold.MODULES`.
        timers: Timer module name → what to do when it fires; gets the entity the timer is about.
    """

    name: str
    steps: tuple[tuple[str, Step], ...] = ()
    timers: Mapping[str, Firing] = field(default_factory=dict)


def on(event: type[AnEvent], step: Callable[[Turn, AnEvent], None]) -> tuple[str, Step]:
    """Pair an event class with the step that folds it, checked by the type checker."""
    return event.TYPE, step
