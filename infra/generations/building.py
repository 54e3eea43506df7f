"""Building a generation beside the live one: begin it, bring it up to date, go on later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.commands.connect import admin
from infra.commands.topic_state import converge
from infra.generations.catching_up import catch_up
from infra.generations.children import ALL, Children
from infra.generations.registry import change, read
from schemas.errors import Refused
from schemas.generation import ABORTED, BUILDING, DROPPED, NOT_ALLOWED, Generation
from schemas.topics import state_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from infra.generations.running import Name
    from infra.settings import Settings
    from schemas.generation import Registry

    Report = Callable[[str, int, int], None]


def begin(
    settings: Settings, *, tenant: str = "", metrics: Sequence[str] = (), note: str = ""
) -> Generation:
    """Register another generation, to be folded from the beginning of the journal.

    Args:
        settings: Where Kafka is.
        tenant: The only one folded; empty: all.
        metrics: The only ones published; empty: all.
        note: For people.

    Raises:
        Unavailable: the broker doesn't answer, or another command changed the registry.
    """

    def decide(registry: Registry, now_ms: int) -> Generation:
        return registry.start(at_ms=now_ms, tenant=tenant, metrics=metrics, note=note)

    _, record = change(settings, decide)
    assert record is not None  # noqa: S101 - `decide` always gives one
    return record


def processes_of(generation: Generation) -> tuple[Name, ...]:
    """Return the processes a generation needs: a part of the data is only folded and compared."""
    return ("worker",) if generation.is_partial else ALL


def build(
    settings: Settings,
    number: int,
    report: Report,
    *,
    keep_running: Callable[[Children], None] | None = None,
) -> Generation:
    """Fold the journal into a generation until it has caught up, and call it ready.

    Interrupted, it goes on later where it stopped: its state and its ledger are in the engines.

    Args:
        settings: Where everything is.
        number: Which generation.
        report: Called with (stage, done, total).
        keep_running: Called when it has caught up, with its processes still running.

    Returns:
        The generation as the registry has it afterwards.

    Raises:
        Refused: it was given up, or one of its processes keeps ending.
        Unavailable: an engine doesn't answer or nothing moves.
    """
    registry = read(settings)
    generation = registry.get(number)
    if generation.state in {ABORTED, DROPPED}:
        raise Refused(NOT_ALLOWED, f"generation {number} is {generation.state}; start another one")
    if number == registry.live.number:
        raise Refused(NOT_ALLOWED, f"generation {number} is live: `daybook worker` folds it")
    converge(admin(settings), [state_of(generation.app, settings.partitions)])
    with Children(settings, generation, processes_of(generation)) as children:
        catch_up(settings, generation, children, report)
        generation = _ready(settings, number)
        if keep_running is not None:
            keep_running(children)
    return generation


def _ready(settings: Settings, number: int) -> Generation:
    def decide(registry: Registry, now_ms: int) -> Generation | None:
        if registry.get(number).state != BUILDING:
            return None  # ready already, or live before
        return registry.ready(number, now_ms)

    registry, _ = change(settings, decide)
    return registry.get(number)
