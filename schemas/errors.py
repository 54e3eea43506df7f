"""Failures, named by what the caller does next.

DaybookError
├── InvalidEvent         dead letter, never retried
├── Unavailable          pause the partition, retry
├── Refused              tell the client, keep the session
├── ConfigurationError   one line, exit 2
└── CorruptLog           stop with coordinates, exit 70: the log is not what we wrote
"""


class DaybookError(Exception):
    """Anything Daybook raises on purpose."""


class InvalidEvent(DaybookError):  # noqa: N818 - named by what the caller does next
    """An input that can't be read; it goes to the dead letter topic with its bytes.

    Args:
        reason: A stable snake_case code, one of `REASONS`.
        path: Where in the event, dotted (`data.amount_minor`); empty when it is all of it.
        detail: One sentence for a person. Never holds personal data.
    """

    def __init__(self, reason: str, path: str = "", detail: str = "") -> None:
        super().__init__(f"{reason} at {path or '(event)'}: {detail}")
        self.reason = reason
        self.path = path
        self.detail = detail


class Unavailable(DaybookError):  # noqa: N818 - same
    """A service did not answer; the same call may succeed later."""

    def __init__(self, service: str, retry_after_s: float, detail: str = "") -> None:
        super().__init__(f"{service} is unavailable, retry in {retry_after_s} s: {detail}")
        self.service = service
        self.retry_after_s = retry_after_s


class Refused(DaybookError):  # noqa: N818 - same
    """The client asked for something it may not have."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class ConfigurationError(DaybookError):
    """A setting is wrong; the message says which and what to do."""

    def __init__(self, setting: str, problem: str) -> None:
        super().__init__(f"{setting}: {problem}")
        self.setting = setting
        self.problem = problem


class CorruptLog(DaybookError):  # noqa: N818 - same
    """A log does not hold what its writers guarantee: a gap, a lost range, another topic."""


REASONS = {
    "not_json": "the value is not JSON",
    "not_avro": "the value is not Avro single-object encoded, or its body does not decode",
    "unknown_schema": "the Avro fingerprint is of no schema we know",
    "unsupported_content_type": "the content-type is neither JSON, Avro nor a CloudEvent",
    "missing_attribute": "a CloudEvents attribute we need is absent",
    "invalid_attribute": "a CloudEvents attribute has a wrong form",
    "bad_tenant": "`tenantid` is not [a-z0-9][a-z0-9_-]{0,62}",
    "unknown_type": "no event of the catalogue has this `type`",
    "missing_field": "a field of the event's data is absent",
    "invalid_field": "a field of the event's data has a wrong type or value",
    "too_large": "the value is larger than 1 MB",
    "time_in_future": "`time` is more than 24 h ahead",
}
