"""What all sessions of a gateway have in common.

Source: docs/realtime.md, "The session and its server".
"""

from dataclasses import dataclass

from gateway.protocol.history import Histories
from gateway.protocol.limits import Gate, SessionLimits
from gateway.protocol.permissions import Authority
from gateway.protocol.revocations import Revocations


@dataclass(frozen=True, slots=True)
class Shared:
    """The objects a session asks.

    Args:
        node: The gateway's id.
        version: Shown to clients.
        limits: Of one connection.
        authority: Checks tokens.
        histories: What was published.
        revocations: What is no longer good.
        gate: Counts connections.
    """

    node: str
    version: str
    limits: SessionLimits
    authority: Authority
    histories: Histories
    revocations: Revocations
    gate: Gate
