"""What a session decides and its server carries out, in order.

Source: docs/realtime.md, "The session and its server".
"""

from dataclasses import dataclass

from gateway.protocol.calls import Call
from gateway.protocol.channels import Channel
from gateway.protocol.codes import Close


@dataclass(frozen=True, slots=True)
class Write:
    """Send a JSON object to the client; several may be joined into a frame with newlines."""

    text: bytes


@dataclass(frozen=True, slots=True)
class Open:
    """Fan a channel out to this connection, beginning with what is read next.

    It must happen before the next record is read: the reply before it says up to where the client
    is served.
    """

    channel: Channel


@dataclass(frozen=True, slots=True)
class Shut:
    """Stop fanning a channel out to this connection."""

    channel: Channel


@dataclass(frozen=True, slots=True)
class Load:
    """Get a board's snapshot and pass it to `Session.loaded`."""

    ticket: int
    channel: Channel


@dataclass(frozen=True, slots=True)
class Look:
    """Get who is in a channel and pass it to `Session.seen`."""

    ticket: int
    channel: Channel


@dataclass(frozen=True, slots=True)
class Perform:
    """Carry out a call and pass what it gave to `Session.performed`."""

    ticket: int
    call: Call


@dataclass(frozen=True, slots=True)
class End:
    """Flush what was written, then close the websocket with a code."""

    close: Close


Decision = Write | Open | Shut | Load | Look | Perform | End
