"""`derived.push.v1`: what is pushed to browsers, in the order of its channel.

Key `tenant|channel`, so a channel is in one partition; value: the publication's data, a JSON object
that goes to browsers as it came; headers `id` and `at`. Nobody on the way parses the value.
"""

from typing import NamedTuple

from schemas.errors import InvalidEvent

ID, AT = "id", "at"
Headers = list[tuple[str, bytes]]


class PushRecord(NamedTuple):
    """One publication as a Kafka record.

    Args:
        tenant: Tenant id.
        channel: Name on the wire, `chat:lobby`.
        id: Of the publication; unique in its channel.
        at_ms: When it was published, UTC ms.
        data: JSON object, UTF-8.
    """

    tenant: str
    channel: str
    id: str
    at_ms: int
    data: bytes

    @property
    def key(self) -> bytes:
        """Return the Kafka key; it says the partition."""
        return f"{self.tenant}|{self.channel}".encode()

    @property
    def headers(self) -> Headers:
        """Return the Kafka headers."""
        return [(ID, self.id.encode()), (AT, str(self.at_ms).encode())]


def read_push(
    key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]]
) -> PushRecord:
    """Read a record of the topic.

    Raises:
        InvalidEvent: It is no publication; `path` says which part of it.
    """
    tenant, bar, channel = (key or b"").decode(errors="replace").partition("|")
    if not (tenant and bar and channel):
        raise InvalidEvent("missing_attribute", "key", "the key isn't `tenant|channel`")
    # Whether it is JSON is the writer's business; what is no object would break every frame it
    # is put into.
    data = (value or b"").strip()
    if not (data.startswith(b"{") and data.endswith(b"}")):
        raise InvalidEvent("not_json", "value", "the value isn't a JSON object")
    given = dict(headers)
    name, at = given.get(ID) or b"", given.get(AT) or b""
    if not at.isdigit():
        raise InvalidEvent(
            "missing_attribute", AT, "the header `at` isn't a number of milliseconds"
        )
    return PushRecord(tenant, channel, name.decode(errors="replace"), int(at), data)
