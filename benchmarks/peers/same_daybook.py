"""The workload on Daybook's worker runtime: its lanes, transactions and changelog, another fold.

Arguments: broker, records. The rest is settings, as for `daybook worker`.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.peers.marks import Marks, say
from benchmarks.peers.workload import step
from infra.generations.registry import generation_of
from infra.generations.running import worker_config
from infra.settings import load
from schemas.codec import encode_row
from schemas.state.rows import Head
from streams.app import run_worker
from streams.domain.effects import Effects
from streams.domain.fold import Record
from streams.domain.state import State
from streams.domain.table import HEAD_KEY


class SameWork:
    """A fold that does the workload and counts.

    Args:
        records: How many there are in all partitions.
    """

    def __init__(self, records: int) -> None:
        self._marks = Marks(records)

    def __call__(
        self,
        state: State,
        records: Sequence[Record],
        *,
        partition: int,
        generation: int = 1,  # noqa: ARG002 - the worker hands it to every fold
    ) -> Effects:
        """Fold records into effects without changing the state."""
        changed: dict[bytes, bytes] = {}
        effects: list[tuple[bytes, str, bytes]] = []

        def get(key: bytes) -> bytes | None:
            return changed.get(key) or state.tables[key[:1]].get(key[1:])

        for record in records:
            action = step(record.value, partition, get, changed.__setitem__)
            if action is not None:
                effects.append((action[0], "notify", action[1]))
        head = Head(records[-1].offset, state.head.now_ms, state.head.seq + len(effects))
        rows: list[tuple[bytes, bytes | None]] = [*changed.items(), (HEAD_KEY, encode_row(head))]
        if self._marks.count(len(records)):
            say("folded")  # not committed yet: the benchmark asks for that
        return Effects(head, rows, [], effects, changed=True, counts={"entries": len(records)})


def main(bootstrap: str, records: str) -> int:
    """Run until killed."""
    settings = load(kafka=bootstrap)
    config = worker_config(settings, generation_of(settings))
    return run_worker(replace(config, tick_ms=0), fold=SameWork(int(records)))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
