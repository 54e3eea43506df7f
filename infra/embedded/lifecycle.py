"""The life of one supervised process, as data: no process, no clock, no log.

    waiting → starting → healthy ⇄ unhealthy → backing_off → starting …
                 └→ backing_off        └→ condemned (to be ended) → backing_off
    a job ends in `done`; a process that gives up ends in `failed`; a stop ends in `stopped`

Every function takes the present `Life` and the time, and returns the next `Life`.
"""

from dataclasses import dataclass, replace
from enum import StrEnum


class Phase(StrEnum):
    """Where a supervised process stands."""

    WAITING = "waiting"
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    CONDEMNED = "condemned"
    BACKING_OFF = "backing_off"
    DONE = "done"
    FAILED = "failed"
    STOPPING = "stopping"
    STOPPED = "stopped"


FINAL = frozenset({Phase.DONE, Phase.FAILED, Phase.STOPPED})


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """When and how often a process that ended is started again.

    Args:
        first_delay_s: Pause before the first restart; doubled by every further failure.
        max_delay_s: No pause is longer.
        healthy_after_s: A process that was healthy for so long has no past: the next failure
            counts as the first.
        give_up_after: Failures in a row after which it is left alone; `None` is never.
        give_up_codes: Exit codes that a restart can't heal. 2 is a wrong setting or usage.
        at_once_codes: Exit codes of a process that was healthy and asks to be started anew: no
            failure, no pause. 75 says that another generation was promoted.
        misses_to_restart: Failed liveness probes in a row after which it is ended and started
            again; `None` only reports it as unhealthy.
    """

    first_delay_s: float = 0.25
    max_delay_s: float = 10.0
    healthy_after_s: float = 10.0
    give_up_after: int | None = None
    give_up_codes: frozenset[int] = frozenset({2})
    at_once_codes: frozenset[int] = frozenset({75})
    misses_to_restart: int | None = None

    def delay_s(self, failures: int) -> float:
        """Return the pause after the given number of failures in a row (1 or more)."""
        # The exponent is bounded: a process that fails for days must not overflow a float.
        return min(self.first_delay_s * 2.0 ** min(failures - 1, 30), self.max_delay_s)


@dataclass(frozen=True, slots=True)
class Life:
    """One supervised process at one moment.

    Args:
        phase: Where it stands.
        since_s: When it got there, on the supervisor's monotonic clock.
        failures: Failures in a row; decides the next pause.
        restarts: Starts after the first one, ever.
        retry_at_s: When a process that backs off is started again.
        misses: Failed liveness probes in a row.
        starts: Starts, ever.
    """

    phase: Phase = Phase.WAITING
    since_s: float = 0.0
    failures: int = 0
    retry_at_s: float = 0.0
    misses: int = 0
    starts: int = 0

    @property
    def restarts(self) -> int:
        """Starts after the first one."""
        return max(self.starts - 1, 0)

    @property
    def is_up(self) -> bool:
        """Whether others may rely on it: healthy, or a job that succeeded."""
        return self.phase in {Phase.HEALTHY, Phase.DONE}


def spawned(life: Life, now_s: float) -> Life:
    """Record a start; the process isn't ready yet."""
    return replace(life, phase=Phase.STARTING, since_s=now_s, misses=0, starts=life.starts + 1)


def became_ready(life: Life, now_s: float) -> Life:
    """Record that the ready check passed. A stop that came first wins."""
    if life.phase is not Phase.STARTING:
        return life
    return replace(life, phase=Phase.HEALTHY, since_s=now_s)


def probed(life: Life, *, alive: bool, now_s: float, policy: RestartPolicy) -> Life:
    """Record a liveness probe of a process that was ready once.

    Returns:
        `healthy` after one success; `unhealthy` after a miss; `condemned` when the policy's
        number of misses in a row is reached. Other phases are left alone.
    """
    if life.phase not in {Phase.HEALTHY, Phase.UNHEALTHY}:
        return life
    if alive:
        if life.phase is Phase.HEALTHY:
            return replace(life, misses=0) if life.misses else life
        return replace(life, phase=Phase.HEALTHY, since_s=now_s, misses=0)
    misses = life.misses + 1
    if _is_steady(life, now_s, policy):
        life = replace(life, failures=0)
    if policy.misses_to_restart is not None and misses >= policy.misses_to_restart:
        return replace(life, phase=Phase.CONDEMNED, since_s=now_s, misses=misses)
    if life.phase is Phase.UNHEALTHY:
        return replace(life, misses=misses)
    return replace(life, phase=Phase.UNHEALTHY, since_s=now_s, misses=misses)


def exited(life: Life, code: int, *, now_s: float, policy: RestartPolicy, job: bool) -> Life:
    """Record the end of the process and decide what comes next.

    Args:
        life: As it was when the process ended.
        code: Its exit code, negative for a signal.
        now_s: Monotonic time.
        policy: Pauses and limits.
        job: Whether it was meant to end: a job is done with code 0.

    Returns:
        `stopped` if that was asked for, `done`, `failed`, or `backing_off` until `retry_at_s`.
        A long-running process that ends with code 0 failed too: it was meant to stay.
    """
    if life.phase is Phase.STOPPING:
        return replace(life, phase=Phase.STOPPED, since_s=now_s)
    if job and code == 0:
        return replace(life, phase=Phase.DONE, since_s=now_s)
    if code in policy.at_once_codes and life.phase in {Phase.HEALTHY, Phase.UNHEALTHY}:
        return replace(life, phase=Phase.BACKING_OFF, since_s=now_s, failures=0, retry_at_s=now_s)
    failures = 1 if _is_steady(life, now_s, policy) else life.failures + 1
    if code in policy.give_up_codes or (
        policy.give_up_after is not None and failures >= policy.give_up_after
    ):
        return replace(life, phase=Phase.FAILED, since_s=now_s, failures=failures)
    return replace(
        life,
        phase=Phase.BACKING_OFF,
        since_s=now_s,
        failures=failures,
        retry_at_s=now_s + policy.delay_s(failures),
    )


def stop_asked(life: Life, now_s: float) -> Life:
    """Record that it should stop: one without a process is stopped at once."""
    if life.phase in FINAL:
        return life
    if life.phase in {Phase.WAITING, Phase.BACKING_OFF}:
        return replace(life, phase=Phase.STOPPED, since_s=now_s)
    return replace(life, phase=Phase.STOPPING, since_s=now_s)


def _is_steady(life: Life, now_s: float, policy: RestartPolicy) -> bool:
    return life.phase is Phase.HEALTHY and now_s - life.since_s >= policy.healthy_after_s
