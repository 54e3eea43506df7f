"""The life of a supervised process and the order of starts, without a process."""

import pytest

from infra.embedded import lifecycle
from infra.embedded.lifecycle import Life, Phase, RestartPolicy
from infra.embedded.spec import ProcessSpec, start_order
from schemas.errors import ConfigurationError

POLICY = RestartPolicy(first_delay_s=0.5, max_delay_s=4, healthy_after_s=10)


def fail(life: Life, now_s: float, code: int = 1, policy: RestartPolicy = POLICY) -> Life:
    """Start the process and let it end with a code at once."""
    life = lifecycle.spawned(life, now_s)
    return lifecycle.exited(life, code, now_s=now_s, policy=policy, job=False)


def healthy(now_s: float, life: Life | None = None) -> Life:
    """Start the process and let it become ready at once."""
    return lifecycle.became_ready(lifecycle.spawned(life or Life(), now_s), now_s)


def spec(name: str, *after: str) -> ProcessSpec:
    """Return a process that only has a name and needs."""
    return ProcessSpec(name=name, argv=("true",), after=after)


def test_pauses_double_up_to_the_limit() -> None:
    """Each failure in a row doubles the pause, and no pause is longer than the limit."""
    life, pauses = Life(), []
    for _ in range(6):
        life = fail(life, now_s=100)
        pauses.append(life.retry_at_s - 100)
    assert pauses == [0.5, 1, 2, 4, 4, 4]


def test_thousands_of_failures_still_have_a_pause() -> None:
    """The pause doesn't overflow for a process that has failed for days."""
    assert POLICY.delay_s(100_000) == 4


def test_a_healthy_period_forgives_earlier_failures() -> None:
    """A process that was healthy long enough starts its back-off anew."""
    life = fail(fail(fail(Life(), 0), 1), 2)
    life = healthy(5, life)
    after_long = lifecycle.exited(life, 70, now_s=15, policy=POLICY, job=False)
    after_short = lifecycle.exited(life, 70, now_s=14.9, policy=POLICY, job=False)
    assert (after_long.failures, after_short.failures) == (1, 4)


def test_becoming_unhealthy_after_a_healthy_period_forgives_too() -> None:
    """The way over missed probes counts earlier failures no more than a sudden death does."""
    life = healthy(5, fail(fail(Life(), 0), 1))
    life = lifecycle.probed(life, alive=False, now_s=60, policy=POLICY)
    life = lifecycle.exited(life, -9, now_s=61, policy=POLICY, job=False)
    assert life.failures == 1


def test_a_process_that_asks_for_another_start_gets_it_at_once() -> None:
    """Exit 75 of a healthy process is no failure: another generation was promoted."""
    life = lifecycle.exited(healthy(3), 75, now_s=4, policy=POLICY, job=False)
    assert (life.phase, life.retry_at_s, life.failures) == (Phase.BACKING_OFF, 4, 0)


def test_a_process_that_only_asks_for_other_starts_is_slowed_down() -> None:
    """Exit 75 before it was ever healthy is a failure like others: no endless loop."""
    life = fail(Life(), now_s=1, code=75)
    assert (life.retry_at_s, life.failures) == (1.5, 1)


def test_a_configuration_error_is_not_retried() -> None:
    """Exit code 2 is a wrong setting: starting again can't heal it."""
    assert fail(Life(), 0, code=2).phase is Phase.FAILED


def test_a_limit_of_failures_ends_in_failed() -> None:
    """After `give_up_after` failures in a row the process is left alone."""
    policy = RestartPolicy(give_up_after=2)
    once = fail(Life(), 0, policy=policy)
    assert (once.phase, fail(once, 1, policy=policy).phase) == (Phase.BACKING_OFF, Phase.FAILED)


def test_a_job_is_done_with_code_0_and_counts_as_up() -> None:
    """A job that succeeded satisfies those that wait for it."""
    life = lifecycle.exited(lifecycle.spawned(Life(), 0), 0, now_s=1, policy=POLICY, job=True)
    assert life.phase is Phase.DONE
    assert life.is_up


def test_a_long_running_process_that_ends_with_code_0_is_started_again() -> None:
    """A process that was meant to stay failed, whatever its exit code says."""
    assert fail(Life(), 0, code=0).phase is Phase.BACKING_OFF


def test_restarts_count_starts_after_the_first() -> None:
    """The first start is no restart."""
    life = lifecycle.spawned(Life(), 0)
    assert life.restarts == 0
    life = lifecycle.exited(life, 70, now_s=1, policy=POLICY, job=False)
    assert lifecycle.spawned(life, 2).restarts == 1


def test_missed_probes_condemn_only_in_a_row() -> None:
    """One answer between misses starts the count anew."""
    policy = RestartPolicy(misses_to_restart=3)
    life = healthy(0)
    for alive in (False, False, True, False, False):
        life = lifecycle.probed(life, alive=alive, now_s=1, policy=policy)
    assert life.phase is Phase.UNHEALTHY
    assert lifecycle.probed(life, alive=False, now_s=2, policy=policy).phase is Phase.CONDEMNED


def test_without_a_limit_missed_probes_are_only_reported() -> None:
    """A policy without `misses_to_restart` never ends a process for its silence."""
    life = healthy(0)
    for _ in range(1000):
        life = lifecycle.probed(life, alive=False, now_s=1, policy=POLICY)
    assert life.phase is Phase.UNHEALTHY
    assert not life.is_up
    assert lifecycle.probed(life, alive=True, now_s=2, policy=POLICY).phase is Phase.HEALTHY


def test_a_condemned_process_backs_off_like_one_that_died() -> None:
    """The end of a condemned process is a failure, not a stop."""
    policy = RestartPolicy(misses_to_restart=1)
    life = lifecycle.probed(healthy(0), alive=False, now_s=1, policy=policy)
    assert lifecycle.exited(life, -15, now_s=2, policy=policy, job=False).phase is Phase.BACKING_OFF


@pytest.mark.parametrize("life", [Life(), fail(Life(), 0)], ids=["waiting", "backing off"])
def test_a_stop_without_a_process_is_immediate(life: Life) -> None:
    """What has no process is stopped at once."""
    assert lifecycle.stop_asked(life, 1).phase is Phase.STOPPED


def test_a_stop_beats_readiness_and_restart() -> None:
    """Once a stop is asked for, neither a ready check nor an exit code starts anything."""
    life = lifecycle.stop_asked(lifecycle.spawned(Life(), 0), 1)
    life = lifecycle.became_ready(life, 2)
    assert life.phase is Phase.STOPPING
    assert lifecycle.exited(life, 70, now_s=3, policy=POLICY, job=False).phase is Phase.STOPPED


def test_a_stop_leaves_the_finished_alone() -> None:
    """A job that is done stays done."""
    done = lifecycle.exited(lifecycle.spawned(Life(), 0), 0, now_s=1, policy=POLICY, job=True)
    assert lifecycle.stop_asked(done, 2) == done


def test_start_order_puts_each_after_its_needs() -> None:
    """Processes without unmet needs start together."""
    specs = [spec("sink", "topics", "migrate"), spec("topics", "kafka"), spec("kafka")]
    specs += [spec("migrate", "clickhouse"), spec("clickhouse")]
    assert start_order(specs) == (("clickhouse", "kafka"), ("migrate", "topics"), ("sink",))


@pytest.mark.parametrize(
    ("specs", "problem"),
    [
        ([spec("a"), spec("a")], "same name"),
        ([spec("a", "nobody")], "nobody"),
        ([spec("a", "b"), spec("b", "a")], "need each other"),
    ],
)
def test_start_order_refuses_what_can_not_start(specs: list[ProcessSpec], problem: str) -> None:
    """Equal names, unknown needs and circles are configuration errors."""
    with pytest.raises(ConfigurationError, match=problem):
        start_order(specs)
