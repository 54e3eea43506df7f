"""How `daybook` ends: one line and an exit code for what we raise on purpose.

0 fine · 1 negative answer (or a service that doesn't answer) · 2 usage or configuration ·
70 fail-stop: the log is not what its writers guarantee · 130 interrupted (Ctrl-C) before its
end. Anything else is a bug and shows itself.
"""

import typer
from typer.core import TyperGroup

from schemas.errors import (
    ConfigurationError,
    CorruptLog,
    DaybookError,
    InvalidEvent,
    Refused,
    Unavailable,
)

NEGATIVE, USAGE, FAIL_STOP, INTERRUPTED = 1, 2, 70, 130


def exit_code(error: DaybookError) -> int:
    """Return the exit code a failure ends the process with."""
    if isinstance(error, ConfigurationError):
        return USAGE
    return FAIL_STOP if isinstance(error, CorruptLog) else NEGATIVE


def one_line(error: DaybookError) -> str:
    """Return what a person reads: what, which, what to do."""
    if isinstance(error, Unavailable):
        why = str(error).partition(" s: ")[2]
        detail = f" ({why})" if why else ""
        return f"{error.service} does not answer{detail}; is the stack up? try `daybook dev up`"
    if isinstance(error, InvalidEvent):
        where = f" at {error.path}" if error.path else ""
        return f"invalid event: {error.reason}{where}: {error.detail}"
    if isinstance(error, Refused):
        return f"refused: {error.message}"
    return str(error)


class ErrorLines(TyperGroup):
    """The root group: renders `DaybookError` as one line on standard error."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]  # typer's own context
        """Run the command.

        Raises:
            typer.Exit: with the code of `exit_code` when it raised a `DaybookError`.
        """
        try:
            return super().invoke(ctx)
        except DaybookError as error:
            typer.echo(f"daybook: {one_line(error)}", err=True)
            raise typer.Exit(exit_code(error)) from None
