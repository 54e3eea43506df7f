"""`daybook settings`: what is set, and where from."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.commands.output import AsJson, say, say_json


def settings(
    *,
    example: Annotated[
        bool, typer.Option("--example", help="Print the text of .env.example instead.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the settings in effect, passwords left out.

    Example: DAYBOOK_TICK_MS=100 daybook settings --json
    """
    from infra.settings import PREFIX, load
    from infra.settings import example as example_text

    if example:
        say(example_text().rstrip())
        return
    shown = {
        name: _without_password(str(value)) if isinstance(value, str) else value
        for name, value in load().model_dump(mode="json").items()
    }
    if as_json:
        say_json(shown)
        return
    for name, value in shown.items():
        say(f"{PREFIX}{name.upper()}={value}")


def _without_password(value: str) -> str:
    """Return a URL with its password replaced; anything else as it is.

    >>> _without_password("http://ada:secret@127.0.0.1:8123")
    'http://ada:***@127.0.0.1:8123'
    """
    head, at, place = value.rpartition("@")
    if not at or "://" not in head:
        return value
    user, colon, _ = head.rpartition(":")
    scheme_only = "//" not in user
    return value if not colon or scheme_only else f"{user}:***@{place}"
