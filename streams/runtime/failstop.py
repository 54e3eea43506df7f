"""Stopping without losing anything: the process goes, Kafka still has it all."""

import os
import sys
from typing import NoReturn

import structlog

EXIT_FAIL_STOP = 70
"""Exit code of a fail-stop; a supervisor starts the process again, with back-off."""

log = structlog.get_logger(__name__)


def fail_stop(reason: str, **coordinates: object) -> NoReturn:
    """Log why, and leave the process at once.

    Raising inside a Faust agent acks the event and goes on to the next (faust/streams.py, the
    generator's `finally`); so does a graceful stop. Leaving commits nothing, so the next start
    reads the same entries again from the position in the changelog.

    Args:
        reason: Past-tense phrase.
        coordinates: Topic, partition, offset …: where to look.
    """
    error = sys.exc_info()[1]
    if error is not None and "error" not in coordinates:
        coordinates["error"] = f"{type(error).__name__}: {error}"
    log.critical("stopped on failure", reason=reason, exc_info=error is not None, **coordinates)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(EXIT_FAIL_STOP)
