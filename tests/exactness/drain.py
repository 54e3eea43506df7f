"""Waiting until everything has arrived everywhere, and saying what stands still when it doesn't."""

import json
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from confluent_kafka.admin import AdminClient

from infra.commands.arrival import not_ingested, wait
from infra.commands.connect import admin, clickhouse, valkey
from infra.commands.log_reader import ends
from infra.commands.settling import not_shown, not_sunk, settle
from infra.embedded.ports import HOST
from infra.generations.registry import generation_of
from infra.settings import Settings
from schemas.errors import Unavailable
from schemas.topics import DEFINITION, EFFECT, JOURNAL, METRIC, UPSTREAM
from tests.exactness.fleet import Fleet, Member

ATTEMPTS = 3
"""A wait gives up when nothing moved for a minute; so often it begins again."""


class Stuck(Exception):  # noqa: N818 - what it is
    """Nothing moves any more though there is work; the message says where."""


def in_thread(wait_for: Callable[[], None], meanwhile: Callable[[], None]) -> None:
    """Wait in a thread, doing something else in this one until it is over.

    Raises:
        Stuck: it gave up.
    """
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(_patiently, wait_for)
        while not waiting.done():
            meanwhile()
            time.sleep(0.05)
        waiting.result()


def _patiently(wait_for: Callable[[], None]) -> None:
    for left in reversed(range(ATTEMPTS)):
        try:
            wait_for()
        except Unavailable as error:
            if not left:
                raise Stuck(str(error)) from error
        else:
            return


def drained(settings: Settings) -> None:
    """Wait until the journal has what upstream said, and everything behind it has the journal."""
    last = {
        (topic, partition): high - 1
        for topic in (*UPSTREAM, DEFINITION)
        for partition, (_, high) in ends(settings, topic).items()
        if high
    }
    wait(not_ingested(admin(settings), settings, last), "in the journal", "daybook ingest")
    settle(settings)


def closed(settings: Settings) -> None:
    """Wait until both stores stand at the very end of the logs; nobody writes any more."""
    targets = {
        (topic, partition): high
        for topic in (JOURNAL, EFFECT, METRIC)
        for partition, (_, high) in ends(settings, topic).items()
    }
    generation = generation_of(settings)
    sunk = not_sunk(clickhouse(settings), generation, targets)
    wait(sunk, "in ClickHouse", "daybook sink")
    metric = {place: end for place, end in targets.items() if place[0] == METRIC}
    wait(not_shown(valkey(settings), generation, metric), "in Valkey", "daybook live")


def diagnosis(settings: Settings, fleet: Fleet) -> Iterator[str]:
    """Yield what a person needs to know of a standstill."""
    for member in fleet.members.values():
        member.send(signal.SIGUSR1)  # prints the stacks of its threads into its log
    yield from _groups(AdminClient({"bootstrap.servers": settings.kafka}))
    for topic in (JOURNAL, EFFECT, METRIC):
        yield f"{topic}: {ends(settings, topic)}"
    time.sleep(1)
    for member in fleet.members.values():
        yield f"--- {member.name}: runs={member.runs} {dict(member.record.codes)}"
        yield _health(member)
        yield member.words()


def _groups(client: AdminClient) -> Iterator[str]:
    names = [group.group_id for group in client.list_consumer_groups().result(30).valid or []]
    for name, future in client.describe_consumer_groups(names).items():
        group = future.result(30)
        yield f"group {name}: {group.state}"
        for member in group.members:
            parts = member.assignment.topic_partitions if member.assignment else []
            shares = sorted(f"{part.topic}/{part.partition}" for part in parts)
            yield f"  {member.group_instance_id or member.member_id}: {', '.join(shares)}"


def _health(member: Member) -> str:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{member.port}/health", timeout=2) as answer:
            return json.dumps(json.load(answer))
    except urllib.error.HTTPError as error:
        return error.read().decode(errors="replace")
    except OSError as error:
        return f"no answer: {error}"
