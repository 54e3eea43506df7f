"""From a statement's text to what runs: parse, review, settings, data."""

from collections.abc import Mapping
from dataclasses import dataclass

from chdb.state.sqlitelike import Connection

from infra.embedded.clickhouse.body import Spool
from infra.embedded.clickhouse.catalogue import Catalogue
from infra.embedded.clickhouse.engine import parse, write_out
from infra.embedded.clickhouse.limits import effective_settings, settings_of
from infra.embedded.clickhouse.review import (
    ACCESS_DENIED,
    Asker,
    Verdict,
    check_json_arguments,
    check_listing,
    review,
    values_may_evaluate,
)
from infra.embedded.clickhouse.statement import (
    Insert,
    Node,
    attach_data,
    described,
    is_listing,
    tokens,
    without_json_arguments,
)
from schemas.errors import Refused

SYNTAX_ERROR = 62
_EVALUATED_BYTES = 1 << 20
_JSON_TYPE = "'ASTObjectTypeArgument'"
_NO_TREE = "does not support JSON serialization"
_LITERALS_ONLY = {
    "input_format_values_interpret_expressions": "0",
    "input_format_values_deduce_templates_of_expressions": "0",
}


@dataclass(slots=True)
class Plan:
    """A reviewed statement, ready to run.

    Args:
        sql: What runs.
        tree: Its syntax tree; None for the few statements that have none.
        verdict: What it may do.
        settings: To set before it runs, in order.
    """

    sql: str
    tree: Node | None
    verdict: Verdict
    settings: dict[str, str]

    @property
    def kind(self) -> str:
        """The type of its syntax tree, empty when it has none."""
        return str(self.tree["type"]) if self.tree else ""


def plan_statement(
    handle: Connection, text: str, asker: Asker, parameters: Mapping[str, str], *, takes_data: bool
) -> Plan:
    """Judge a statement and decide what runs, with which settings.

    Args:
        handle: Where its names resolve.
        text: As the client sent it, without data.
        asker: Who asks.
        parameters: All parameters of the request; some are settings.
        takes_data: It is an INSERT with data.

    Raises:
        Refused: It isn't allowed.
        RuntimeError: It isn't one correct statement (the engine's message).
    """
    tree, verdict = _judge(handle, text, asker, takes_data=takes_data)
    sql = write_out(handle, tree) if verdict.changed and tree else text
    settings = effective_settings(
        settings_of(parameters),
        asker.catalogue,
        read_only=asker.account.read_only,
        writes=verdict.writes,
    )
    return Plan(sql, tree, verdict, settings)


def _judge(
    handle: Connection, text: str, asker: Asker, *, takes_data: bool
) -> tuple[Node | None, Verdict]:
    try:
        tree = parse(handle, text)
    except RuntimeError as error:
        if _NO_TREE not in str(error):
            raise
        if _JSON_TYPE not in str(error):
            return None, _judge_treeless(handle, text, asker)
        bare, taken = without_json_arguments(text)
        check_json_arguments(taken, asker)
        tree = parse(handle, bare)
    return tree, review(tree, asker, takes_data=takes_data)


def _judge_treeless(handle: Connection, text: str, asker: Asker) -> Verdict:
    """Judge what the engine can't show a tree of: DESCRIBE, EXISTS and some SHOW."""
    if (subject := described(text)) is not None:
        # A description's subject is whatever can stand behind FROM.
        verdict = review(parse(handle, f"SELECT * FROM {subject}"), asker)  # noqa: S608 - parsed only
        if verdict.changed:
            raise Refused(ACCESS_DENIED, "A setting of this statement is over its limit")
        return verdict
    if is_listing(text):
        check_listing({token.text for token in tokens(text)}, asker)
        return Verdict(writes=False, format=_format_of(text))
    raise Refused(ACCESS_DENIED, "This kind of statement is not allowed")


def _format_of(text: str) -> str:
    words = [token.text for token in tokens(text)]
    after = dict(zip((word.upper() for word in words), words[1:], strict=False))
    return after.get("FORMAT", "")


def attach_spool(
    handle: Connection, plan: Plan, insert: Insert, spool: Spool, catalogue: Catalogue
) -> None:
    """Make an INSERT read the data that have arrived.

    Raises:
        Refused: It isn't one, or `input()` is used in a way we can't.
    """
    if plan.tree is None or plan.kind != "InsertQuery":
        raise Refused(SYNTAX_ERROR, "Data follow a statement that takes none")
    if "select" in plan.tree and not plan.verdict.inputs:
        return  # INSERT … SELECT … FORMAT x: the format is of no use, as in ClickHouse
    attach_data(plan.tree, plan.verdict.inputs, path=spool.path, fmt=insert.format)
    plan.sql = write_out(handle, plan.tree)
    if insert.format.lower() == "values":
        sample = spool.head(_EVALUATED_BYTES)
        if sample is None or not values_may_evaluate(sample, catalogue):
            plan.settings = {**_LITERALS_ONLY, **plan.settings}
