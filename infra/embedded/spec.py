"""What the supervisor is told about one process, and the order in which processes start."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import TypeAlias

from infra.embedded.lifecycle import RestartPolicy
from schemas.errors import ConfigurationError

Probe: TypeAlias = Callable[[], Awaitable[bool]]
"""Answers whether a process does its work. Bounded in time; raises nothing."""


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One process of the stack.

    Args:
        name: Unique in the stack; names its log file and its row in `dev status`.
        argv: The program and its arguments. Anyone on the machine can read them: no secrets.
        env: Added to the supervisor's own environment.
        ready: Polled after a start until it answers true; without one a started process is ready.
        after: Names of processes that must be up before the first start.
        one_shot: A job: it ends with code 0 and then counts as up.
        prepare: Runs before every start and changes nothing the second time. What it raises counts
            as a failed start.
        start_timeout_s: A process that isn't ready by then is ended and started again.
        stop_timeout_s: Between SIGTERM and SIGKILL.
        liveness: Asked every `liveness_period_s` once it was ready.
        liveness_period_s: Pause between two probes.
        restart: What happens when it ends by itself.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Probe | None = None
    after: tuple[str, ...] = ()
    one_shot: bool = False
    prepare: Callable[[], Awaitable[None]] | None = None
    start_timeout_s: float = 60.0
    stop_timeout_s: float = 10.0
    liveness: Probe | None = None
    liveness_period_s: float = 1.0
    restart: RestartPolicy = field(default_factory=RestartPolicy)


def start_order(specs: Sequence[ProcessSpec]) -> tuple[tuple[str, ...], ...]:
    """Group process names so that each group only needs the groups before it.

    Args:
        specs: All processes of one stack.

    Returns:
        Groups in starting order, each sorted by name. Stopping is the same order reversed.

    Raises:
        ConfigurationError: Two processes share a name, one needs an unknown one, or they need
            each other.
    """
    needs = {spec.name: set(spec.after) for spec in specs}
    if len(needs) != len(specs):
        raise ConfigurationError("processes", "two of them have the same name")
    unknown = set().union(*needs.values()) - set(needs)
    if unknown:
        raise ConfigurationError("processes", f"no process is called {', '.join(sorted(unknown))}")
    sorter = TopologicalSorter(needs)
    try:
        sorter.prepare()
    except CycleError as error:
        raise ConfigurationError("processes", f"they need each other: {error.args[1]}") from None
    groups = []
    while sorter.is_active():
        group = sorter.get_ready()
        groups.append(tuple(sorted(group)))
        sorter.done(*group)
    return tuple(groups)
