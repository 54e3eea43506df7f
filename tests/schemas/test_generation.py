"""The registry of generations: whatever operators do, exactly one is live."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from schemas.errors import ConfigurationError, CorruptLog, Refused
from schemas.generation import (
    ABORTED,
    BUILDING,
    DROPPED,
    LIVE,
    READY,
    RETIRED,
    Generation,
    Registry,
    app_of,
    executes,
    group_of,
)

NUMBERS = st.integers(1, 6)
OFFSETS = st.integers(0, 30)


def registry(*commands: str) -> Registry:
    """Return a registry after some commands on generation 2."""
    found = Registry("crm")
    for command in commands:
        match command:
            case "start":
                found.apply(found.start(at_ms=1, note="try"))
            case "ready":
                found.apply(found.ready(2, 2))
            case "promote":
                found.apply(found.promote(2, [7, 9], 3))
            case "back":
                found.apply(found.promote(1, [11, 12], 4))
            case "abort":
                found.apply(found.abort(2, 5))
            case "drop":
                found.apply(found.drop(2, 6))
    return found


def states(found: Registry) -> dict[int, str]:
    """Return number → state."""
    return {each.number: each.state for each in found.all()}


def test_the_first_generation_is_live_before_anything_is_written() -> None:
    """An installation needs no record to begin with."""
    found = Registry("crm")
    assert (found.live.number, found.live.app, found.next_number) == (1, "crm", 2)
    assert found.previous is None


def test_every_generation_has_names_of_its_own() -> None:
    """Group, changelog and transactional ids of two generations never meet."""
    assert [app_of("crm", number) for number in (1, 2)] == ["crm", "crm-g2"]
    assert registry("start").get(2).app == "crm-g2"
    names = [group_of("crm", process, g) for process in ("worker", "sink", "live") for g in (1, 2)]
    assert len(set(names)) == len(names)


def test_promoting_retires_the_one_before_and_rolling_back_is_promoting_it() -> None:
    """One record flips; the other's state follows from it."""
    assert states(registry("start")) == {1: LIVE, 2: BUILDING}
    assert states(registry("start", "ready")) == {1: LIVE, 2: READY}
    promoted = registry("start", "ready", "promote")
    assert states(promoted) == {1: RETIRED, 2: LIVE}
    assert promoted.previous == promoted.get(1)
    back = registry("start", "ready", "promote", "back")
    assert states(back) == {1: LIVE, 2: RETIRED}
    assert back.previous == back.get(2)


@pytest.mark.parametrize(
    ("commands", "refused", "reason"),
    [
        (("start",), "promote", "replay resume 2"),
        (("start", "ready", "promote"), "promote", "is live"),
        (("start", "ready", "promote"), "drop", "promote another one first"),
        (("start", "ready", "promote"), "abort", "can't be aborted"),
        (("start", "ready", "promote", "back"), "abort", "is retired"),
        (("start", "abort"), "ready", "is aborted"),
        (("start", "abort"), "promote", "is aborted"),
        (("start", "drop"), "promote", "is dropped"),
    ],
)
def test_what_is_not_legal_is_refused_with_what_to_do(
    commands: tuple[str, ...], refused: str, reason: str
) -> None:
    """A refusal names the generation's state or the command that helps."""
    with pytest.raises(Refused, match=reason):
        registry(*commands, refused)


def test_a_part_of_the_data_is_never_promoted() -> None:
    """People would see the rest as gone."""
    found = Registry("crm")
    found.apply(found.start(at_ms=1, tenant="acme"))
    found.apply(found.ready(2, 2))
    with pytest.raises(Refused, match="holds a part of the data only"):
        found.promote(2, [0], 3)


def test_an_unknown_number_is_named_with_the_known_ones() -> None:
    """A typing error costs one look."""
    with pytest.raises(ConfigurationError, match="no generation 7, only 1, 2"):
        registry("start").get(7)


def test_dropping_the_live_one_behind_our_back_is_loud() -> None:
    """Nobody but the registry may write; what contradicts it stops the reader."""
    found = registry("start", "ready", "promote")
    with pytest.raises(CorruptLog, match="generation 2 is live"):
        found.apply(found.live._replace(state=DROPPED))


def test_numbers_are_never_used_twice() -> None:
    """A dropped generation's leftovers, if any, can't become another one's."""
    assert registry("start", "drop").next_number == 3
    assert [each.number for each in registry("start", "drop").existing()] == [1]


@given(
    changes=st.lists(st.tuples(NUMBERS, OFFSETS), max_size=8),
    cause=OFFSETS,
    offsets=st.integers(0, 3),
)
def test_every_effect_belongs_to_exactly_one_generation(
    changes: list[tuple[int, int]], cause: int, offsets: int
) -> None:
    """Whatever was promoted and rolled back, each cause is acted upon once."""
    turns = [Generation(1, LIVE, "crm", "", [], "", [], [], "", 0)]
    turns += [
        Generation(number, LIVE, "crm", "", [], "", [], [at] * 4, "", 0) for number, at in changes
    ]
    owners = [
        number
        for number in range(1, 7)
        if executes(turns, generation=number, partition=offsets, cause_offset=cause)
    ]
    assert len(owners) == 1


class Operators(RuleBasedStateMachine):
    """Any commands in any order, legal or not; refused ones write nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[Generation] = []
        self.known = Registry("crm")

    def _write(self, record: Generation) -> None:
        self.log.append(record)
        self.known.apply(record)

    @rule()
    def start(self) -> None:
        """Begin a replay."""
        self._write(self.known.start(at_ms=0))

    @rule(number=NUMBERS, command=st.sampled_from(["ready", "abort", "drop", "promote"]))
    def change(self, number: int, command: str) -> None:
        """Do something with a generation that may or may not allow it."""
        try:
            if command == "promote":
                self._write(self.known.promote(number, [], 0))
            else:
                self._write(getattr(self.known, command)(number, 0))
        except (Refused, ConfigurationError):
            return

    @invariant()
    def one_is_live(self) -> None:
        """Exactly one is live, and a reader of the log finds the same one."""
        live = [each.number for each in self.known.all() if each.state == LIVE]
        assert live == [self.known.live.number]
        assert Registry("crm", self.log).live == self.known.live

    @invariant()
    def the_one_before_still_exists(self) -> None:
        """Rolling back never goes to a generation that was dropped or aborted."""
        previous = self.known.previous
        assert previous is None or previous.state not in {DROPPED, ABORTED, LIVE}


TestOperators = Operators.TestCase
