"""The page of the realtime protocol's tables, from the modules of `gateway/protocol`."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from tables import arguments, code, table

from gateway.protocol.channels import CLASSES, ChannelClass
from gateway.protocol.codes import CLOSES, FAILURES, UNSUBSCRIBES
from gateway.protocol.history import HistoryLimits
from gateway.protocol.limits import GateLimits, Rate, SessionLimits
from gateway.protocol.lines import FrameLimits
from gateway.protocol.permissions import ANY, CALLS, OWN, ROLES

YES = {True: "yes", False: ""}
FORM = {True: ":#<user>", False: ":<id>"}


def page() -> str:
    """Return the page: channels, permissions, limits, codes."""
    return "\n".join((
        "# Realtime protocol\n",
        ("Generated from `gateway/protocol`. How it fits together: "
        "[The realtime protocol](../realtime.md).\n"),
        "## Channels\n",
        table(("channel", "what", "delivery", "presence", "join and leave", "history"), (
            _channel(each) for each in CLASSES.values()
        )),
        "## Permissions\n",
        table(("role", "what it is"), ((code(role), about) for role, about in ROLES.items())),
        table(("channel", *ROLES), _channel_rules()),
        table(("method", *ROLES), (
            (code(method), *(YES[role in roles] for role in ROLES))
            for method, roles in CALLS.items()
        )),
        "## Limits\n",
        "### Of a frame\n", _limits(FrameLimits()),
        "### Of a connection\n", _limits(SessionLimits()),
        "### Of connections\n", _limits(GateLimits()),
        "### Of what is kept\n", _limits(HistoryLimits()),
        *_codes(),
    ))  # fmt: skip


def _channel(kind: ChannelClass) -> tuple[str, ...]:
    return (
        code(_form(kind)),
        kind.about,
        "positioned, recovered" if kind.positioned else "board",
        YES[kind.presence],
        YES[kind.join_leave],
        YES[kind.history],
    )


def _form(kind: ChannelClass) -> str:
    return kind.name + FORM[kind.owned]


def _channel_rules() -> Iterator[tuple[str, ...]]:
    for name, kind in CLASSES.items():
        own, others = OWN.get(name, ANY[name]), ANY[name]
        yield (code(_form(kind)), *(_rule(role in own, role in others) for role in ROLES))


def _rule(own: bool, others: bool) -> str:  # noqa: FBT001 - two columns of one table
    return "yes" if others else "own" if own else ""


def _limits(limits: Any) -> str:
    texts = arguments(type(limits))
    return table(("limit", "default", "of"), (
        (code(each.name), _shown(getattr(limits, each.name)), texts[each.name])
        for each in fields(limits)
        if not is_dataclass(getattr(limits, each.name)) or isinstance(
            getattr(limits, each.name), Rate
        )
    ))  # fmt: skip


def _shown(value: object) -> str:
    if isinstance(value, Rate):
        return f"{value.per_s:,} per second, {value.burst:,} at once"
    return f"{value:,}"


def _codes() -> Iterator[str]:
    yield "## Errors\n"
    yield "One command failed; the connection goes on. Clients repeat what is temporary.\n"
    yield table(("code", "message", "when", "temporary"), (
        (code(each.code), each.message, each.meaning, YES[each.temporary])
        for each in FAILURES.values()
    ))  # fmt: skip
    yield "## Unsubscribes\n"
    yield "The server ended one subscription.\n"
    yield table(("code", "reason", "when", "client subscribes again"), (
        (code(each.code), each.reason, each.meaning, YES[each.resubscribe])
        for each in UNSUBSCRIBES.values()
    ))  # fmt: skip
    yield "## Closes\n"
    yield "The server ended the connection.\n"
    yield table(("code", "reason", "when", "client connects again"), (
        (code(each.code), each.reason, each.meaning, YES[each.reconnect])
        for each in CLOSES.values()
    ))  # fmt: skip
