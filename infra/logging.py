"""Logging of every process: structlog for ours, the same lines for what libraries log.

One line per event on standard error: for people (`console`) or as JSON (`json`). Faust, aiokafka
and the like log through `logging`; their records get the same form. During an outage aiokafka
repeats itself several times a second: each message of a noisy logger appears once per interval,
with the number of repeats left out.
"""

import logging
import sys
import time
from dataclasses import dataclass, field
from typing import Literal, TextIO

import structlog

NOISY = ("aiokafka", "kafka", "faust", "mode", "urllib3")
"""Loggers whose repeated warnings are limited, with everything below them."""
INTERVAL_S = 10.0
FORGET_ABOVE = 1_000
"""Distinct messages remembered before the memory is emptied: messages may hold changing numbers."""


@dataclass(slots=True)
class RepeatLimit:
    """Decides which repeats of a message pass. Pure: time is passed in.

    Args:
        interval_s: A message passes once per this many seconds.
    """

    interval_s: float = INTERVAL_S
    _passed: dict[str, tuple[float, int]] = field(default_factory=dict)

    def admit(self, message: str, now_s: float) -> int | None:
        """Return how many repeats were left out before this one, or None when it is left out.

        Args:
            message: What counts as the same: logger and unformatted text.
            now_s: Any clock that doesn't go back, seconds.
        """
        last = self._passed.get(message)
        if last is not None and now_s - last[0] < self.interval_s:
            self._passed[message] = (last[0], last[1] + 1)
            return None
        if len(self._passed) >= FORGET_ABOVE:
            self._passed.clear()
        self._passed[message] = (now_s, 0)
        return last[1] if last else 0


class NoiseFilter(logging.Filter):
    """Limits repeats of noisy loggers at the root handler, where all their records pass."""

    def __init__(self, limit: RepeatLimit) -> None:
        super().__init__()
        self._limit = limit

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is logged; notes what was left out."""
        if record.name.split(".", 1)[0] not in NOISY:
            return True
        left_out = self._limit.admit(f"{record.name}:{record.msg}", time.monotonic())
        if left_out:
            record.msg, record.args = f"{record.getMessage()} ({left_out} repeats left out)", None
        return left_out is not None


def configure(
    log_format: Literal["console", "json"], log_level: str, stream: TextIO | None = None
) -> None:
    """Set up logging of this process. May be called again; the last call counts.

    Args:
        log_format: `console` or `json`.
        log_level: `debug`, `info`, `warning` or `error`.
        stream: Where to; default the real standard error, because Faust replaces `sys.stderr`.
    """
    target = stream or sys.__stderr__ or sys.stderr
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    if log_format == "json":
        shared.append(structlog.processors.format_exc_info)
        render: structlog.typing.Processor = structlog.processors.JSONRenderer()
    else:
        render = structlog.dev.ConsoleRenderer(colors=target.isatty())
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    root_handler = logging.StreamHandler(target)
    root_handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    root_handler.addFilter(NoiseFilter(RepeatLimit()))
    root = logging.getLogger()
    root.handlers[:] = [root_handler]
    root.setLevel(log_level.upper())
    for name in NOISY:
        logging.getLogger(name).setLevel(max(root.level, logging.WARNING))
