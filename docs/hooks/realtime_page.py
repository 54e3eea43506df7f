"""The page of the realtime protocol's tables, from the modules of `gateway/protocol`."""

from tables import code, table

from gateway.protocol.codes import CLOSES, FAILURES, UNSUBSCRIBES

YES = {True: "yes", False: ""}


def page() -> str:
    """Return the page: codes of every kind."""
    return "\n".join((
        "# Realtime protocol\n",
        ("Generated from `gateway/protocol`. How it fits together: "
        "[The realtime protocol](../realtime.md).\n"),
        "## Errors\n",
        "One command failed; the connection goes on. Clients repeat what is temporary.\n",
        table(("code", "message", "when", "temporary"), (
            (code(each.code), each.message, each.meaning, YES[each.temporary])
            for each in FAILURES.values()
        )),
        "## Unsubscribes\n",
        "The server ended one subscription.\n",
        table(("code", "reason", "when", "client subscribes again"), (
            (code(each.code), each.reason, each.meaning, YES[each.resubscribe])
            for each in UNSUBSCRIBES.values()
        )),
        "## Closes\n",
        "The server ended the connection.\n",
        table(("code", "reason", "when", "client connects again"), (
            (code(each.code), each.reason, each.meaning, YES[each.reconnect])
            for each in CLOSES.values()
        )),
    ))  # fmt: skip
