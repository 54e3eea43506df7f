"""Command groups whose module is imported only when one of their commands is asked for.

`daybook --help` must be quick, and groups such as `dev` import half of the embedded stack.
"""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from collections.abc import Mapping


def lazy_group(module: str, attribute: str, about: str) -> typer.Typer:
    """Return a stand-in for the Typer app `module.attribute`.

    Args:
        module: Full name.
        attribute: Name of the app in it.
        about: Help line shown without importing it.
    """

    class Lazy(TyperGroup):
        """Loads the real group at first use."""

        @cached_property
        def real(self) -> Mapping[str, object]:
            """Commands of the real group, by name."""
            app: typer.Typer = getattr(import_module(module), attribute)
            app.rich_markup_mode = None  # helps look the same everywhere
            commands: Mapping[str, object] = typer.main.get_group(app).commands
            self.commands.update(commands)  # type: ignore[arg-type]  # typer's own command class
            return commands

        def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # same
            """Return the names of the real group's commands."""
            _ = ctx
            return list(self.real)

        def get_command(self, ctx: typer.Context, cmd_name: str) -> object:  # type: ignore[override]  # same
            """Return the real group's command, or None."""
            _ = ctx
            return self.real.get(cmd_name)

    return typer.Typer(cls=Lazy, help=about, no_args_is_help=True)
