"""`daybook dlq`: look at dead letters, send them again, or drop them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from infra.commands.output import AsJson, note, say, say_json, say_table
from schemas.errors import Refused
from schemas.topics import DEAD_LETTER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.commands.dead_letters import DeadLetter, OpenedLetter
    from infra.settings import Settings

NOT_FOUND = 404
RETRY, DROP = "retry", "drop"

Reason = Annotated[str | None, typer.Option(help="Only letters with this reason.")]
SourceTopic = Annotated[str | None, typer.Option("--topic", help="Only letters of this topic.")]
Ids = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SOURCE]...", help="topic:partition:offset, as listed."),
]
All = Annotated[bool, typer.Option("--all", help="All that fit, instead of naming them.")]
Yes = Annotated[bool, typer.Option("--yes", help="Don't ask.")]

app = typer.Typer(help="Dead letters: what ingest could not read.", no_args_is_help=True)


@app.command("list")
def list_(*, reason: Reason = None, topic: SourceTopic = None, as_json: AsJson = False) -> None:
    """List the dead letters nobody has retried or dropped yet.

    Example: daybook dlq list --reason missing_field
    """
    from infra.commands.dead_letters import matching
    from infra.commands.decoding import instant

    letters = matching(_open(_settings()), reason=reason, topic=topic)
    if as_json:
        say_json([letter.as_json() for letter in letters])
        return
    say_table(
        ("source", "reason", "path", "detail", "when"),
        [(x.source.text(), x.reason, x.path, x.detail, instant(x.timestamp_ms)) for x in letters],
    )
    note(f"{len(letters)} unresolved")


@app.command()
def show(
    source: Annotated[str, typer.Argument(help="topic:partition:offset, as listed.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show one dead letter with its original bytes and headers.

    Example: daybook dlq show crm.deal.v1:0:17
    """
    settings = _settings()
    for letter in _opened(settings, _chosen(settings, [source], None, None, everything=False)):
        shown = letter.as_json()
        break
    else:
        raise Refused(NOT_FOUND, f"{source} has just been deleted from {DEAD_LETTER}")
    if as_json:
        say_json(shown)
        return
    for name, value in shown.items():
        say(f"{name}: {value}")


@app.command()
def retry(
    sources: Ids = None,
    *,
    reason: Reason = None,
    topic: SourceTopic = None,
    everything: All = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be sent.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Send letters to their source topic again, bytes and headers unchanged, so with the same id.

    Example: daybook dlq retry --reason unknown_type --all
    """
    letters = _chosen(_settings(), sources or [], reason, topic, everything=everything)
    _resolve(RETRY, letters, dry_run=dry_run, yes=yes, as_json=as_json)


@app.command()
def drop(
    sources: Ids = None,
    *,
    reason: Reason = None,
    topic: SourceTopic = None,
    everything: All = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Settle letters without sending them: they are wrong and stay so.

    Example: daybook dlq drop crm.deal.v1:0:17
    """
    letters = _chosen(_settings(), sources or [], reason, topic, everything=everything)
    _resolve(DROP, letters, dry_run=False, yes=yes, as_json=as_json)


def _resolve(
    verb: str,
    letters: list[DeadLetter],
    *,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    if not as_json:
        for letter in letters:
            say(f"{letter.source.text()}  {letter.reason}  {letter.detail}")
    if dry_run or not letters:
        note(f"{len(letters)} would be sent again" if dry_run else "nothing to do")
    else:
        # Asked on standard error: the answer may be piped into a program.
        if not yes and not typer.confirm(f"{verb} {len(letters)} dead letters?", err=True):
            raise typer.Exit(1)
        letters = _settle(verb, letters)
        note(f"{len(letters)} {'sent again' if verb == RETRY else 'dropped'}")
    if as_json:
        say_json({"done": not dry_run, "letters": [letter.as_json() for letter in letters]})


def _settle(verb: str, letters: list[DeadLetter]) -> list[DeadLetter]:
    """Send them again if that is the verb, then settle them; return those that were there."""
    from infra.commands.connect import producer
    from infra.commands.dead_letters import DROPPED, RETRIED
    from infra.commands.publishing import Publisher

    settings = _settings()
    publisher = Publisher(producer(settings))
    if verb == RETRY:
        sent = []
        for opened in _opened(settings, letters):
            publisher.put(opened.original())
            sent.append(opened.letter)
        letters = sent
        publisher.flush()  # settled only after the broker has them: a crash between repeats a
        # letter, whose id makes it a duplicate; the other way round would lose it
    for letter in letters:
        publisher.put(letter.resolution(RETRIED if verb == RETRY else DROPPED))
    publisher.flush()
    return letters


def _chosen(
    settings: Settings,
    sources: list[str],
    reason: str | None,
    topic: str | None,
    *,
    everything: bool,
) -> list[DeadLetter]:
    from infra.commands.dead_letters import matching

    if not sources and not everything:
        raise typer.BadParameter("name letters as topic:partition:offset, or give --all")
    letters = matching(_open(settings), reason=reason, topic=topic, sources=frozenset(sources))
    missing = set(sources) - {letter.source.text() for letter in letters}
    if missing:
        raise Refused(NOT_FOUND, f"no unresolved dead letter {', '.join(sorted(missing))}")
    return letters


def _opened(settings: Settings, letters: list[DeadLetter]) -> Iterator[OpenedLetter]:
    from infra.commands.dead_letters import opened, places
    from infra.commands.log_reader import read

    return opened(read(settings, DEAD_LETTER, places(letters)), letters)


def _open(settings: Settings) -> list[DeadLetter]:
    from infra.commands.dead_letters import unresolved
    from infra.commands.log_reader import read

    return unresolved(read(settings, DEAD_LETTER))


def _settings() -> Settings:
    from infra.settings import load

    return load()
