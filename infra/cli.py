"""`daybook`: the one command line. Each command group is a module of `infra.commands`."""

from typing import Annotated

import typer

from infra.commands import (
    definitions,
    dlq,
    doctor,
    emit,
    importing,
    listen,
    metrics,
    migrate,
    processes,
    publish,
    settings,
    simulating,
    snapshots,
    tail,
    token,
    topics,
    verify,
)
from infra.commands.group import ErrorLines
from infra.commands.lazy import lazy_group
from infra.demo import demo

app = typer.Typer(
    name="daybook",
    cls=ErrorLines,
    help="Daybook: CRM analytics on one replayable log.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer gives the value by position
    if wanted:
        from importlib.metadata import version

        typer.echo(version("daybook"))
        raise typer.Exit


@app.callback()
def _root(
    *,
    _shown: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Take what comes before a command."""


app.command()(demo)
app.add_typer(
    lazy_group("infra.dev", "dev_app", "Run the whole stack here, on embedded engines."), name="dev"
)
for process in (
    *(processes.ingest, processes.worker, processes.sink, processes.live),
    *(processes.gateway, processes.api),
):
    app.command()(process)
app.command()(migrate.migrate)
app.add_typer(topics.app, name="topics")
app.command()(settings.settings)
app.command()(emit.emit)
app.command("import")(importing.import_)
app.command()(simulating.simulate)
app.command()(tail.tail)
app.command()(token.token)
app.command()(publish.publish)
app.command()(listen.listen)
app.add_typer(dlq.app, name="dlq")
app.command()(definitions.apply)
app.command()(definitions.get)
app.command()(definitions.validate)
app.add_typer(metrics.app, name="metrics")
app.add_typer(snapshots.app, name="snapshots")
app.command()(verify.verify)
app.command()(doctor.doctor)
app.add_typer(
    lazy_group(
        "infra.commands.replay", "app", "Fold the journal again beside the live state, and switch."
    ),
    name="replay",
)
app.add_typer(
    lazy_group("infra.schemas_cli", "app", "Show and check the schemas of everything kept."),
    name="schemas",
)


def main() -> None:
    """Run `daybook`; exits with the codes of `infra.commands.group`."""
    app()


if __name__ == "__main__":
    main()
