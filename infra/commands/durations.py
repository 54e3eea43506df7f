"""Lengths of time as people write them on a command line."""

import re

import typer

_FORM = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, None: 1.0}


def seconds(text: str) -> float:
    """Return a length of time in seconds.

    >>> seconds("90s"), seconds("1.5m"), seconds("20")
    (90.0, 90.0, 20.0)

    Raises:
        typer.BadParameter: it isn't one.
    """
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise typer.BadParameter(f"{text!r} is no length of time; write 60s, 5m or 1h")
    return float(match[1]) * _SECONDS[match[2]]
