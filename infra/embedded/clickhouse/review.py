"""What a client's statement may do, judged on the engine's own syntax tree.

Nothing here looks at SQL text: comments, quoting, upper case and odd spacing are the parser's
business. A statement runs when its kind, every function, table function and engine it names, and
every setting it changes are allowed (`catalogue`); everything unknown is refused.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

from infra.embedded.clickhouse import catalogue as allowed
from infra.embedded.clickhouse.accounts import Account
from infra.embedded.clickhouse.catalogue import Catalogue
from infra.embedded.clickhouse.limits import READ_ONLY_CAPS, READONLY, capped, check_setting
from infra.embedded.clickhouse.statement import Node, Token, text_of, walk
from schemas.errors import Refused

ACCESS_DENIED = 497
NOT_IMPLEMENTED = 48
DEFAULT_DATABASE = "default"

READS = frozenset({
    "CheckTableQuery", "ExplainQuery", "SelectIntersectExceptQuery", "SelectQuery",
    "SelectWithUnionQuery", "ShowColumnsQuery", "ShowIndexesQuery", "ShowTablesQuery",
})  # fmt: skip
SESSION = frozenset({"SetQuery", "UseQuery"})
WRITES = frozenset({
    "AlterQuery", "CreateQuery", "DeleteQuery", "DropQuery", "InsertQuery", "KillQueryQuery",
    "OptimizeQuery", "RenameQuery", "SystemQuery", "UndropQuery", "UpdateQuery",
})  # fmt: skip
ALTERATIONS = frozenset({
    "ADD_COLUMN", "ADD_CONSTRAINT", "ADD_INDEX", "ADD_PROJECTION", "ADD_STATISTICS",
    "ATTACH_PARTITION", "CLEAR_COLUMN", "COMMENT_COLUMN", "DELETE", "DROP_COLUMN",
    "DROP_CONSTRAINT", "DROP_INDEX", "DROP_PARTITION", "DROP_PROJECTION", "DROP_STATISTICS",
    "MATERIALIZE_COLUMN", "MATERIALIZE_INDEX", "MATERIALIZE_PROJECTION", "MATERIALIZE_STATISTICS",
    "MATERIALIZE_TTL", "MODIFY_COLUMN", "MODIFY_COMMENT", "MODIFY_ORDER_BY", "MODIFY_QUERY",
    "MODIFY_SETTING", "MODIFY_TTL", "REMOVE_TTL", "RENAME_COLUMN", "REPLACE_PARTITION",
    "RESET_SETTING", "UPDATE",
})  # fmt: skip
SYSTEM_COMMANDS = frozenset({
    "FLUSH_ASYNC_INSERT_QUEUE", "FLUSH_LOGS", "REFRESH_VIEW", "START_MERGES", "START_VIEW",
    "START_VIEWS", "STOP_MERGES", "STOP_VIEW", "STOP_VIEWS", "SYNC_MERGES", "WAIT_VIEW",
})  # fmt: skip

_STRING = re.compile(rb"'(?:[^'\\]|\\.|'')*'", re.DOTALL)
_UNSURE = re.compile(rb"['\"`$#\x80-\xff]|--|/[*/]")
_WORD = re.compile(rb"\w+", re.ASCII)
_TABLE_CALL_KEYS = ("table_function", "as_table_function")


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and where names resolve.

    Args:
        account: Who.
        catalogue: What may be called.
        database: The current database of the request.
        databases: Every database there is.
        parameters: Values of `{name:Type}` placeholders.
        in_session: The client believes that SET and USE outlive the request.
    """

    account: Account
    catalogue: Catalogue
    database: str
    databases: frozenset[str] = frozenset()
    parameters: Mapping[str, str] = field(default_factory=dict)
    in_session: bool = False


@dataclass(slots=True)
class Verdict:
    """An allowed statement.

    Args:
        writes: It changes something.
        format: The output format it names, empty when it names none.
        inputs: Its `input(…)` calls.
        changed: A setting in the tree was capped, so the tree has to be written out again.
    """

    writes: bool
    format: str
    inputs: list[Node] = field(default_factory=list)
    changed: bool = False


def review(tree: Node, asker: Asker, *, takes_data: bool = False) -> Verdict:
    """Judge one statement.

    Args:
        tree: Its syntax tree; settings over their cap are changed in place.
        asker: Who asks.
        takes_data: It is an INSERT with data, so `input()` is defined.

    Raises:
        Refused: It isn't allowed; the message names what.
    """
    verdict = Verdict(_writes(tree, asker), text_of(tree, "format_ast"))
    table_settings = {id(changes) for changes in _table_settings(tree)}
    for key, node in walk(tree):
        kind = node.get("type")
        if kind == "Function":
            _check_call(key, node, asker, verdict, takes_data=takes_data)
        elif kind == "SetQuery":
            _check_settings(node, asker, verdict, of_table=id(node) in table_settings)
        elif kind in _CHECKS:
            _CHECKS[cast("str", kind)](node, asker)
        if node.get("out_file") or node.get("infile"):
            raise Refused(ACCESS_DENIED, "INTO OUTFILE and FROM INFILE are not allowed")
        if asker.account.databases is not None:
            _check_names(node, asker)
    return verdict


def check_json_arguments(taken: list[Token], asker: Asker) -> None:
    """Judge what stood between the brackets of the type JSON: names, numbers, types, patterns.

    Raises:
        Refused: A word there is a function that isn't allowed, or a name is quoted.
    """
    for token in taken:
        quoted = token.kind in {"quoted", "heredoc"} and not token.text.startswith("'")
        if quoted or token.text.lower() in asker.catalogue.refused:
            raise Refused(ACCESS_DENIED, f"{token.text} is not allowed in the type JSON")


def check_listing(words: set[str], asker: Asker) -> None:
    """Judge a SHOW or EXISTS that has no syntax tree, by the names in it.

    Raises:
        Refused: A name in it is a database the account may not see.
    """
    for name in words:
        check_database(name.strip('`"'), asker)


def values_may_evaluate(data: bytes, catalogue: Catalogue) -> bool:
    """Tell whether expressions in the data of INSERT … VALUES may be evaluated.

    They are parsed row by row, behind our back. So: only when outside its strings no word is a
    function that isn't allowed or begins a subquery, and nothing there could make the engine see
    strings where we don't: comments, quoted names, heredocs, typographic quotes. Otherwise the
    data must be literals, which most are.
    """
    outside = _STRING.sub(b" ", data)
    if _UNSURE.search(outside):
        return False
    words = {word.decode().lower() for word in _WORD.findall(outside)}
    return "select" not in words and not words & catalogue.refused


def _writes(tree: Node, asker: Asker) -> bool:
    kind = str(tree.get("type"))
    if kind in READS:
        return False
    if kind in SESSION:
        if asker.in_session:
            problem = "sessions are not kept: send settings and database with each query"
            raise Refused(NOT_IMPLEMENTED, f"{kind}: {problem}")
        return False
    if kind not in WRITES:
        raise Refused(ACCESS_DENIED, f"{kind} is not allowed")
    if asker.account.read_only:
        raise Refused(READONLY, f"{asker.account.name}: Cannot execute query in readonly mode")
    return True


def _check_call(key: str, node: Node, asker: Asker, verdict: Verdict, *, takes_data: bool) -> None:
    name = text_of(node)
    if key == "engine":
        of_database = node.get("kind") == "DATABASE_ENGINE"
        engines = allowed.DATABASE_ENGINES if of_database else allowed.TABLE_ENGINES
        if name not in engines:
            raise Refused(ACCESS_DENIED, f"Engine {name} is not allowed")
    elif key in _TABLE_CALL_KEYS:
        if name == "input" and takes_data:
            verdict.inputs.append(node)
        elif name not in allowed.LOCAL_TABLE_FUNCTIONS and (
            name not in allowed.NAMING_TABLE_FUNCTIONS or asker.account.databases is not None
        ):
            raise Refused(ACCESS_DENIED, f"Table function {name} is not allowed")
    elif not asker.catalogue.allows(name):
        raise Refused(ACCESS_DENIED, f"Function {name} is not allowed")


def _check_apply(node: Node, asker: Asker) -> None:
    name = text_of(node, "func_name")
    if name and not asker.catalogue.allows(name):
        raise Refused(ACCESS_DENIED, f"Function {name} is not allowed")


def _table_settings(tree: Node) -> list[object]:
    """Find the SETTINGS clauses of tables: engine settings, not query settings."""
    return [
        node if key == "settings_changes" else node.get("settings")
        for key, node in walk(tree)
        if key == "settings_changes" or node.get("type") == "Storage"
    ]


def _check_settings(node: Node, asker: Asker, verdict: Verdict, *, of_table: bool) -> None:
    names = asker.catalogue.table_settings if of_table else asker.catalogue.settings
    for change in cast("list[Node]", node.get("changes", [])):
        name = text_of(change)
        check_setting(name, names)
        if asker.account.read_only and name in READ_ONLY_CAPS:
            value = cast("Node", change.get("value", {})).get("value")
            cap = capped(name, value)
            if cap != str(value):
                change["value"] = {"field_type": "String", "value": cap}
                verdict.changed = True


def _check_create(node: Node, asker: Asker) -> None:
    if node.get("is_temporary"):
        raise Refused(NOT_IMPLEMENTED, "Temporary tables need sessions, which are not kept")
    if node.get("is_dictionary") or node.get("has_attach_from_path"):
        raise Refused(ACCESS_DENIED, "Dictionaries and ATTACH … FROM are not allowed")
    if text_of(node, "table"):
        _check_home(text_of(node, "database"), asker)


def _check_drop(node: Node, _asker: Asker) -> None:
    if text_of(node, "database") == DEFAULT_DATABASE and not text_of(node, "table"):
        raise Refused(ACCESS_DENIED, "Database `default` has to stay")


def _check_rename(node: Node, asker: Asker) -> None:
    for element in cast("list[Node]", node.get("elements", [])):
        _check_home(text_of(element, "to_database"), asker)


def _check_home(database: str, asker: Asker) -> None:
    """Keep tables out of `default`: the engine makes it anew at each start (see `engine`)."""
    if (database or asker.database) == DEFAULT_DATABASE:
        raise Refused(ACCESS_DENIED, "Tables can't live in `default`: name another database")


def _check_alteration(node: Node, _asker: Asker) -> None:
    if (command := text_of(node, "command_type")) not in ALTERATIONS:
        raise Refused(ACCESS_DENIED, f"ALTER … {command} is not allowed")


def _check_system(node: Node, _asker: Asker) -> None:
    if (command := text_of(node, "query_type")) not in SYSTEM_COMMANDS:
        raise Refused(ACCESS_DENIED, f"SYSTEM {command} is not allowed")


def _check_names(node: Node, asker: Asker) -> None:
    parts = cast("list[str]", node.get("name_parts") or [])
    names = [parts[0]] if len(parts) > 1 else []
    if node.get("type") != "Function":
        names += [text_of(node, key) for key in ("database", "from")]
    if node.get("type") == "QueryParameter" and text_of(node, "param_type") == "Identifier":
        parts = asker.parameters.get(text_of(node), "").replace("`", "").split(".")
        names.append(parts[0])
    for name in names:
        check_database(name, asker)
    if parts[:1] == ["system"] and len(parts) > 1 and parts[1] not in allowed.SYSTEM_TABLES:
        raise Refused(ACCESS_DENIED, f"{asker.account.name}: system.{parts[1]} is not allowed")


def check_database(name: str, asker: Asker) -> None:
    """Refuse an existing database that the account may not name.

    Raises:
        Refused: It isn't among the account's databases.
    """
    mine = asker.account.databases
    if mine is None or name in mine or name.lower() in {"system", "information_schema"}:
        return
    if name in asker.databases and name != DEFAULT_DATABASE:
        raise Refused(ACCESS_DENIED, f"{asker.account.name}: database {name} is not allowed")


_CHECKS: Mapping[str, Callable[[Node, Asker], None]] = {
    "AlterCommand": _check_alteration,
    "ColumnsApplyTransformer": _check_apply,
    "CreateQuery": _check_create,
    "DropQuery": _check_drop,
    "RenameQuery": _check_rename,
    "SystemQuery": _check_system,
}
