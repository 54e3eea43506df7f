"""Durations between two event times."""

from streams.domain.turn import Turn


def interval(turn: Turn, started_ms: int, ended_ms: int) -> tuple[int, int]:
    """Return (start, duration) as a fact carries them, both 0 when there is no duration.

    A start after its end is an anomaly of upstream clocks or order: counted
    (`negative_duration`) and left out, never shown as 0.

    Source: docs/domain/metrics.md, "Durations".
    """
    if not started_ms:
        return 0, 0
    if started_ms > ended_ms:
        turn.count("negative_duration")
        return 0, 0
    return started_ms, ended_ms - started_ms
