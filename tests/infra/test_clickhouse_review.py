"""What a statement may do, judged on hand-made syntax trees."""

import pytest

from infra.embedded.clickhouse.accounts import Account
from infra.embedded.clickhouse.catalogue import Catalogue, FunctionRow, build_catalogue
from infra.embedded.clickhouse.review import (
    Asker,
    check_json_arguments,
    check_listing,
    review,
    values_may_evaluate,
)
from infra.embedded.clickhouse.statement import Node, without_json_arguments
from schemas.errors import Refused

ROWS = [
    FunctionRow(name, aggregate, any_case, alias, category)
    for name, aggregate, any_case, alias, category in (
        ("upper", False, True, "", "String"),
        ("ucase", False, True, "upper", ""),
        ("sum", True, True, "", ""),
        ("argMax", True, False, "", ""),
        ("file", False, False, "", "Other"),
        ("AIGenerate", False, True, "", "AI"),
        ("new", False, False, "", "Brand New"),
        ("read", False, False, "file", ""),
    )
]
CATALOGUE = build_catalogue(
    ROWS,
    ["If", "State", "Merge", "OrNull"],
    [("max_threads", "MaxThreads"), ("max_memory_usage", "UInt64"), ("readonly", "UInt64"),
     ("url_base", "String"), ("log_comment", "String"), ("dialect", "Dialect")],
    [("index_granularity", "UInt64"), ("disk", "String")],
)  # fmt: skip
WRITER = Asker(Account("w", read_only=False, databases=None), CATALOGUE, "crm")
READER = Asker(Account("r", read_only=True, databases=None), CATALOGUE, "crm")
BOUND = Asker(
    Account("b", read_only=True, databases=("crm_report",)),
    CATALOGUE,
    "crm_report",
    frozenset({"crm", "crm_report", "system", "default"}),
    {"d": "crm"},
)


def call(name: str, **more: object) -> Node:
    """A function call."""
    return {"type": "Function", "name": name, "arguments": {"children": []}, **more}


def select(**parts: object) -> Node:
    """A SELECT made of these parts."""
    return {"type": "SelectWithUnionQuery", "list_of_selects": {"children": [parts]}}


def settings(**values: object) -> Node:
    """A SETTINGS clause."""
    changes = [{"name": name, "value": {"value": value}} for name, value in values.items()]
    return {"type": "SetQuery", "changes": changes}


@pytest.mark.parametrize(
    "name",
    ["upper", "UPPER", "uCase", "sum", "Sum", "sumIf", "argMaxStateOrNull", "SUMIf", "lambda"],
)
def test_known_functions_pass_however_spelled(name: str) -> None:
    """Allowed functions, their aliases and aggregate combinators may be called."""
    assert not review(select(select=[call(name)]), READER).writes


@pytest.mark.parametrize(
    "name", ["file", "read", "AIGenerate", "new", "unheard", "upperIf", "ARGMAX", "fileIf", ""]
)
def test_everything_else_is_refused(name: str) -> None:
    """What isn't in the allow-list is refused, also what the engine invents one day."""
    with pytest.raises(Refused, match="not allowed"):
        review(select(select=[call(name)]), WRITER)
    transformer = {"type": "ColumnsApplyTransformer", "func_name": name or "file"}
    with pytest.raises(Refused, match="not allowed"):
        review(select(select=[transformer]), WRITER)


def test_table_functions_and_engines_have_their_own_lists() -> None:
    """A scalar function's name says nothing about a table function or engine of that name."""
    review(select(tables={"table_function": call("numbers")}), READER)
    for place in ("table_function", "as_table_function"):
        with pytest.raises(Refused, match="Table function upper"):
            review(select(tables={place: call("upper")}), READER)
    create: Node = {"type": "CreateQuery", "table": "t", "database": "crm"}
    review(create | {"storage": {"type": "Storage", "engine": call("MergeTree")}}, WRITER)
    for engine in (call("File"), call("MergeTree", kind="DATABASE_ENGINE"), call("upper")):
        with pytest.raises(Refused, match="Engine"):
            review(create | {"storage": {"type": "Storage", "engine": engine}}, WRITER)


def test_input_exists_only_where_data_follow() -> None:
    """`input()` is found in an INSERT with data and refused elsewhere."""
    source = call("input")
    tree: Node = {"type": "InsertQuery", "select": select(tables={"table_function": source})}
    assert review(tree, WRITER, takes_data=True).inputs == [source]
    with pytest.raises(Refused, match="input"):
        review(tree, WRITER)


@pytest.mark.parametrize("key", ["out_file", "infile"])
def test_files_of_the_client_protocol_are_refused(key: str) -> None:
    """INTO OUTFILE and FROM INFILE would open files of the server."""
    with pytest.raises(Refused, match="INFILE"):
        review(select() | {key: {"type": "Literal"}}, WRITER)


@pytest.mark.parametrize(
    "tree",
    [
        {"type": "BackupQuery"},
        {"type": "CreateSQLFunctionQuery"},
        {"type": "SystemQuery", "query_type": "SHUTDOWN"},
        {"type": "AlterQuery", "c": [{"type": "AlterCommand", "command_type": "FETCH_PARTITION"}]},
        {"type": "CreateQuery", "is_dictionary": True},
        {"type": "CreateQuery", "has_attach_from_path": True},
        {"type": "CreateQuery", "is_temporary": True},
        {"type": "CreateQuery", "table": "t", "database": "default"},
        {"type": "RenameQuery", "elements": [{"to_database": "default", "to_table": "t"}]},
        {"type": "DropQuery", "database": "default", "table": ""},
        {"type": "SomethingNew"},
        {},
    ],
)
def test_kinds_of_statement_are_an_allow_list(tree: Node) -> None:
    """Statements that reach beyond tables are refused, and so is whatever is unknown."""
    with pytest.raises(Refused):
        review(tree, WRITER)


def test_reader_may_not_write() -> None:
    """A writing statement passes for the writer only."""
    tree: Node = {"type": "InsertQuery"}
    assert review(tree, WRITER).writes
    with pytest.raises(Refused, match="readonly"):
        review(tree, READER)


def test_session_statements_are_refused_in_a_session_only() -> None:
    """SET and USE do nothing without a session, as in ClickHouse, and would be forgotten in one."""
    assert not review(settings(max_threads=1), WRITER).writes
    asker = Asker(WRITER.account, CATALOGUE, "crm", in_session=True)
    with pytest.raises(Refused, match="session"):
        review(settings(max_threads=1), asker)


def test_settings_of_a_statement_are_an_allow_list() -> None:
    """Numbers pass, text only by name, and never what changes the parser or who may write."""
    review(select(settings=settings(max_threads=1, log_comment="x")), READER)
    for name in ("url_base", "dialect", "readonly", "unheard", "index_granularity"):
        with pytest.raises(Refused):
            review(select(settings=settings(**{name: 1})), WRITER)


def test_settings_of_a_table_are_another_list() -> None:
    """MergeTree settings belong to tables; `disk` can be a path and is refused."""
    create: Node = {"type": "CreateQuery", "table": "t", "database": "crm"}
    storage = {"type": "Storage", "engine": call("MergeTree")}
    review(create | {"storage": storage | {"settings": settings(index_granularity=1)}}, WRITER)
    for name in ("disk", "max_threads"):
        clause = settings(**{name: 1})
        with pytest.raises(Refused):
            review(create | {"storage": storage | {"settings": clause}}, WRITER)
        command = {
            "type": "AlterCommand",
            "command_type": "MODIFY_SETTING",
            "settings_changes": clause,
        }
        with pytest.raises(Refused):
            review({"type": "AlterQuery", "command_list": [command]}, WRITER)


@pytest.mark.parametrize(("asked", "runs"), [(5, 5), (0, "2000000000"), (9e12, "2000000000")])
def test_reader_is_capped_in_the_tree(asked: float, runs: object) -> None:
    """A limit above the cap is replaced, which the verdict says; below it stays."""
    clause = settings(max_memory_usage=asked)
    verdict = review(select(settings=clause), READER)
    assert verdict.changed == (asked != runs)
    changes = clause["changes"]
    assert isinstance(changes, list)
    assert changes[0]["value"]["value"] == runs
    assert not review(select(settings=settings(max_memory_usage=asked)), WRITER).changed


@pytest.mark.parametrize(
    "node",
    [
        {"type": "TableIdentifier", "name_parts": ["crm", "deal"]},
        {"type": "Identifier", "name_parts": ["crm", "deal"]},
        {"type": "TableIdentifier", "name_parts": ["system", "processes"]},
        {"type": "QueryParameter", "name": "d", "param_type": "Identifier"},
        {"table_function": call("merge")},
    ],
)
def test_bound_account_names_its_databases_only(node: Node) -> None:
    """Other databases are refused wherever they are named; an unbound account may name them."""
    tree = select(tables=node)
    with pytest.raises(Refused, match="not allowed"):
        review(tree, BOUND)
    assert not review(tree, READER).writes
    with pytest.raises(Refused):
        check_listing({"SHOW", "`crm`"}, BOUND)
    mine: Node = {"type": "TableIdentifier", "name_parts": ["crm_report", "v_deal"]}
    columns: Node = {"type": "TableIdentifier", "name_parts": ["system", "columns"]}
    assert not review(select(tables=[mine, columns]), BOUND).writes


@pytest.mark.parametrize(
    ("data", "evaluated"),
    [
        (b"(1, upper('x')), (2, 'y')", True),
        (b"(1, file('x'))", False),
        (b"(1, FILE/**/('x'))", False),
        (b"(1, `f\\x69le`('x'))", False),
        (b"(1, \"f\\x69le\"('x'))", False),
        (b"((SELECT 1))", False),
        (b"(now(), 'the word file in a text', '{\"a\": 1}')", True),
        (b"('it''s \\' file(', 1)", True),
        (b"('a' -- '), (file('x'))", False),
        (b"('a' /* '), (file('x')) */)", False),
        (b"('a' # '), (file('x'))", False),
        ("(\u2018'\u2019, file(\u2018x\u2019), \u2018'\u2019)".encode(), False),
        (b"($x$'$x$, file('x'), $x$'$x$)", False),
        (b"('never closed", False),
        (b"", True),
    ],
)
def test_values_are_evaluated_only_without_any_refused_word(
    data: bytes, *, evaluated: bool
) -> None:
    """A word that could call something, or doubt about what is a string, makes them literals."""
    assert values_may_evaluate(data, CATALOGUE) is evaluated


def test_arguments_of_the_type_json_call_nothing() -> None:
    """Between the brackets of JSON stand names, numbers and patterns; a function is refused."""
    _, taken = without_json_arguments("CREATE TABLE t (p JSON(a=1, SKIP REGEXP 'file', b.c UInt8))")
    check_json_arguments(taken, WRITER)
    for inside in ("file('x')", "`a` UInt8", "FILE UInt8", "$x$y$x$"):
        _, taken = without_json_arguments(f"CREATE TABLE t (p JSON({inside}))")
        with pytest.raises(Refused, match="JSON"):
            check_json_arguments(taken, WRITER)


def test_catalogue_never_allows_what_it_refuses() -> None:
    """No name is both allowed and refused."""
    assert isinstance(CATALOGUE, Catalogue)
    assert not {name.lower() for name in CATALOGUE.functions} & CATALOGUE.refused
    assert CATALOGUE.refused == {"file", "aigenerate", "new", "read"}
