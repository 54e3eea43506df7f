"""Which settings of a request apply.

BI tools send settings with every query (`result_overflow_mode`, `max_result_rows`,
`join_use_nulls`) and give up when they are refused, which a plain `readonly = 1` does. So a
read-only account may set what it likes, `readonly = 2` lets the engine refuse writes only, and what
costs memory or time is capped instead of refused.
"""

from collections.abc import Mapping

from infra.embedded.clickhouse.catalogue import Catalogue
from schemas.errors import Refused

UNKNOWN_SETTING = 115
READONLY = 164

# Parameters of the HTTP interface, not settings; the last group are settings that only concern it.
PARAMETERS = frozenset({
    "buffer_size", "client_protocol_version", "compress", "database", "decompress",
    "default_format", "password", "query", "query_id", "quota_key", "role", "session_check",
    "session_id", "session_timeout", "stacktrace", "user", "wait_end_of_query",
    "cancel_http_readonly_queries_on_client_close", "enable_http_compression",
    "http_headers_progress_interval_ms", "http_zlib_compression_level",
    "send_progress_in_http_headers",
})  # fmt: skip

# Bytes, seconds, rows; what a BI query may cost on a machine shared with the whole stack.
READ_ONLY_CAPS: Mapping[str, float] = {
    "max_memory_usage": 2_000_000_000,
    "max_execution_time": 30,
    "max_result_rows": 1_000_000,
    "max_result_bytes": 512 << 20,
    "max_threads": 2,
}
# Defaults of reads by an account that may write; it may raise them.
READ_DEFAULTS: Mapping[str, str] = {"max_memory_usage": "4000000000", "max_execution_time": "120"}


def settings_of(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the settings among the parameters of a request."""
    return {
        name: value
        for name, value in parameters.items()
        if name not in PARAMETERS and not name.startswith("param_")
    }


def effective_settings(
    given: Mapping[str, str], catalogue: Catalogue, *, read_only: bool, writes: bool
) -> dict[str, str]:
    """Decide the settings a statement runs with.

    Args:
        given: Settings the client sent.
        catalogue: Which ones it may.
        read_only: The account may not write; caps apply.
        writes: The statement does; defaults for reads don't apply.

    Returns:
        Name → value in the order to set them: `readonly` last, since nothing can be set after it.

    Raises:
        Refused: A setting the catalogue doesn't allow.
    """
    asked = dict(given)
    latch = asked.pop("readonly", "0")
    for name in asked:
        check_setting(name, catalogue.settings)
    if read_only:
        asked |= {name: capped(name, asked.get(name, "")) for name in READ_ONLY_CAPS}
        # 1 would also forbid the settings of the statement itself, and tell the client that it may
        # set nothing at all.
        return asked | {"readonly": "1" if latch == "1" else "2"}
    if not writes:
        asked = {**READ_DEFAULTS, **asked}
    return asked | ({"readonly": latch} if latch in {"1", "2"} else {})


def check_setting(name: str, allowed: frozenset[str]) -> None:
    """Refuse a setting that isn't allowed.

    Raises:
        Refused: With ClickHouse's code for an unknown setting (115) or a read-only one (164).
    """
    if name == "readonly":
        raise Refused(READONLY, "Cannot modify 'readonly' in a statement")
    if name not in allowed:
        raise Refused(UNKNOWN_SETTING, f"Setting {name!r} is unknown or not allowed here")


def capped(name: str, value: object) -> str:
    """Return the setting's value, or its cap when the value is larger, unlimited or unreadable.

    >>> capped("max_execution_time", "5"), capped("max_execution_time", 0)
    ('5', '30')
    """
    cap = READ_ONLY_CAPS[name]
    try:
        number = float(str(value))
    except ValueError:
        number = 0.0
    return str(value) if 0 < number <= cap else str(int(cap))
