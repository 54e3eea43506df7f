"""`daybook`: the one command line. Each command group is a module of `infra.commands`."""

import typer

from infra.commands import migrate, processes, settings, topics
from infra.commands.group import ErrorLines

app = typer.Typer(
    name="daybook",
    cls=ErrorLines,
    help="Daybook: CRM analytics on one replayable log.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

PROCESSES = "Processes"
OPERATE = "Operate"
app.command(rich_help_panel=PROCESSES)(processes.worker)
app.command(rich_help_panel=PROCESSES)(processes.ingest)
app.command(rich_help_panel=PROCESSES)(processes.sink)
app.command(rich_help_panel=PROCESSES)(processes.live)
app.command(rich_help_panel=OPERATE)(migrate.migrate)
app.add_typer(topics.app, name="topics", rich_help_panel=OPERATE)
app.command(rich_help_panel=OPERATE)(settings.settings)


def main() -> None:
    """Run `daybook`; exits with the codes of `infra.commands.group`."""
    app()


if __name__ == "__main__":
    main()
