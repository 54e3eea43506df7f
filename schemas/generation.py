"""`ops.generation.v1`: which generations of the fold exist, and which of them people see.

A generation is one fold of the journal with everything it wrote: state, effects, metric values,
rows. A replay builds another one beside the live one; promoting it makes it the live one. The
registry is the fold of this topic and the only truth about it: the pointers in ClickHouse and
Valkey follow it.

    building ──▶ ready ──▶ live ◀──▶ retired      retired is: was live, another one is now
        │          │                    │
        └──▶ aborted ◀──┘               │
                │                       ▼
                └─────────────────▶ dropped       nothing of it is left
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from schemas.errors import ConfigurationError, CorruptLog, Refused

BUILDING, READY, LIVE = "building", "ready", "live"
RETIRED, ABORTED, DROPPED = "retired", "aborted", "dropped"
FIRST = 1
"""The generation an installation begins with; it has no record until something happens to it."""
BEGINNING = "beginning"
NOT_ALLOWED = 409


class Generation(NamedTuple):
    """One change of one generation (Avro single-object; Kafka key: its number).

    Args:
        number: From 1; never used twice.
        state: What became of it. `retired` is never written: it follows from another's `live`.
        app: Names its group, its changelog and its transactional ids; see `app_of`.
        origin: What it was folded from: `beginning`, or the time or offsets as they were given.
        start: First journal offset it folded itself, by partition; empty: 0 everywhere.
        tenant: The only one folded; empty: all.
        metrics: The only ones kept; empty: all.
        live_from: Of state `live`: first journal offset whose effects are this generation's to
            execute, by partition; empty: 0 everywhere.
        note: For people.
        at_ms: When this was written, UTC ms.
    """

    number: int
    state: str
    app: str
    origin: str
    start: list[int]
    tenant: str
    metrics: list[str]
    live_from: list[int]
    note: str
    at_ms: int

    @property
    def is_partial(self) -> bool:
        """Whether it holds a part of the data only; it can be compared and never be promoted."""
        return bool(self.tenant or self.metrics)

    @property
    def key(self) -> bytes:
        """Return its Kafka key."""
        return b"%d" % self.number


def app_of(app: str, generation: int) -> str:
    """Return the app id of one generation: its group, and the prefix of all its names.

    >>> app_of("daybook", 1), app_of("daybook", 3)
    ('daybook', 'daybook-g3')
    """
    return app if generation == FIRST else f"{app}-g{generation}"


def group_of(app: str, process: str, generation: int) -> str:
    """Return the consumer group of a process that follows one generation.

    Args:
        app: App id of the installation.
        process: `worker`, `sink` or `live`.
        generation: Which.

    >>> group_of("daybook", "worker", 2), group_of("daybook", "sink", 2)
    ('daybook-g2', 'daybook-sink-g2')
    """
    if process == "worker":
        return app_of(app, generation)
    return f"{app}-{process}-g{generation}"


class Registry:
    """All generations of one installation: the fold of `ops.generation.v1` in offset order.

    Commands (`start`, `ready`, `promote`, `abort`, `drop`) return the record to append and change
    nothing; `apply` takes in what was appended. A command that isn't legal is refused, with what to
    do instead.

    Args:
        app: App id of the installation.
        records: From the beginning of the topic, in order.
    """

    def __init__(self, app: str, records: Iterable[Generation] = ()) -> None:
        self._app = app
        first = Generation(FIRST, LIVE, app, BEGINNING, [], "", [], [], "", 0)
        self._known = {FIRST: first}
        self._turns = [first]
        for record in records:
            self.apply(record)

    def apply(self, record: Generation) -> None:
        """Take in one record.

        Raises:
            CorruptLog: The live generation was dropped or aborted; only `Registry` may write.
        """
        if record.state != LIVE and record.number == self.live.number:
            raise CorruptLog(f"generation {record.number} is live, and {record.state} was written")
        self._known[record.number] = record
        if record.state == LIVE:
            self._turns.append(record)

    @property
    def live(self) -> Generation:
        """Return the generation that people see."""
        return self._turns[-1]

    @property
    def turns(self) -> Sequence[Generation]:
        """Return every promotion, oldest first; the last one holds now."""
        return self._turns

    @property
    def next_number(self) -> int:
        """Return the number of the generation to come."""
        return max(self._known) + 1

    def all(self) -> list[Generation]:
        """Return the newest record of each generation by number, those of old ones `retired`."""
        return [self.get(number) for number in sorted(self._known)]

    def existing(self) -> list[Generation]:
        """Return those that may have left something behind: all but the dropped ones."""
        return [each for each in self.all() if each.state != DROPPED]

    def get(self, number: int) -> Generation:
        """Return one generation.

        Raises:
            ConfigurationError: There is none of that number.
        """
        found = self._known.get(number)
        if found is None:
            known = ", ".join(map(str, sorted(self._known)))
            raise ConfigurationError("GENERATION", f"there is no generation {number}, only {known}")
        if found.state == LIVE and number != self.live.number:
            return found._replace(state=RETIRED)
        return found

    @property
    def previous(self) -> Generation | None:
        """Return the generation to roll back to: live before, and not dropped since."""
        for turn in reversed(self._turns):
            found = self.get(turn.number)
            if found.state == RETIRED:
                return found
        return None

    def start(
        self,
        *,
        at_ms: int,
        origin: str = BEGINNING,
        start: Sequence[int] = (),
        tenant: str = "",
        metrics: Sequence[str] = (),
        note: str = "",
    ) -> Generation:
        """Return the record of a new generation; the arguments are those of `Generation`."""
        number = self.next_number
        app = app_of(self._app, number)
        return Generation(
            number, BUILDING, app, origin, list(start), tenant, list(metrics), [], note, at_ms
        )

    def ready(self, number: int, at_ms: int) -> Generation:
        """Return the record that says a generation has caught up with the journal.

        Raises:
            Refused: It isn't being built.
        """
        return self._change(number, READY, at_ms, (BUILDING, READY), "can't become ready")

    def promote(self, number: int, live_from: Sequence[int], at_ms: int) -> Generation:
        """Return the record that makes a generation the live one.

        Args:
            number: Which.
            live_from: Journal offset after the last the live generation has applied, by partition.
            at_ms: Now, UTC ms.

        Raises:
            Refused: It is partial, not ready, live already or gone.
        """
        self.check_promotable(number)
        changed = self._change(number, LIVE, at_ms, (READY, RETIRED), "can't be promoted")
        return changed._replace(live_from=list(live_from))

    def check_promotable(self, number: int) -> None:
        """Refuse what `promote` would refuse.

        Raises:
            Refused: See `promote`.
        """
        found = self.get(number)
        if found.is_partial:
            raise Refused(
                NOT_ALLOWED,
                f"generation {number} holds a part of the data only (--tenant or --metrics): "
                "compare it with `daybook replay diff`, and replay everything to promote",
            )
        if found.state == BUILDING:
            raise Refused(
                NOT_ALLOWED,
                f"generation {number} has not caught up yet; run `daybook replay resume {number}`",
            )
        self._change(number, LIVE, 0, (READY, RETIRED), "can't be promoted")

    def abort(self, number: int, at_ms: int) -> Generation:
        """Return the record that gives up a generation that was never live.

        Raises:
            Refused: It is or was live, or is gone.
        """
        return self._change(number, ABORTED, at_ms, (BUILDING, READY, ABORTED), "can't be aborted")

    def drop(self, number: int, at_ms: int) -> Generation:
        """Return the record that says nothing is left of a generation.

        Raises:
            Refused: It is live, or gone already.
        """
        allowed = (BUILDING, READY, RETIRED, ABORTED, DROPPED)
        return self._change(number, DROPPED, at_ms, allowed, "can't be dropped")

    def _change(
        self, number: int, state: str, at_ms: int, allowed: Sequence[str], problem: str
    ) -> Generation:
        found = self.get(number)
        if found.state not in allowed:
            todo = "; promote another one first" if found.state == LIVE else ""
            raise Refused(NOT_ALLOWED, f"generation {number} is {found.state}: it {problem}{todo}")
        return found._replace(state=state, at_ms=at_ms)


def executes(
    turns: Sequence[Generation], *, generation: int, partition: int, cause_offset: int
) -> bool:
    """Whether an effect is to be executed, or only belongs to a generation that didn't live then.

    Every generation writes the effects of every entry it folds. Exactly one generation owns the
    effects of an entry: the last one promoted whose `live_from` is not above the entry. So each
    cause is acted upon once, whatever was promoted and rolled back in between.

    Args:
        turns: `Registry.turns`.
        generation: That wrote the effect.
        partition: Of the journal.
        cause_offset: Of the entry that caused it.

    Examples:
        >>> registry = Registry("daybook")
        >>> registry.apply(registry.start(at_ms=0))
        >>> registry.apply(registry.ready(2, 0))
        >>> registry.apply(registry.promote(2, [10], 0))
        >>> [executes(registry.turns, generation=g, partition=0, cause_offset=o)
        ...  for g in (1, 2) for o in (9, 10)]
        [True, False, False, True]
    """
    for turn in reversed(turns):
        if _from(turn, partition) <= cause_offset:
            return turn.number == generation
    return False


def _from(turn: Generation, partition: int) -> int:
    return turn.live_from[partition] if turn.live_from else 0
